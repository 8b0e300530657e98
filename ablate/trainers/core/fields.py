"""What fields of the core's config change: what is measured, what a run starts from, its cost."""

MEASURING = (
    "steps",
    "eval_every",
    "eval_pairs",
    "eval_shots",
    "evaluate",
    "metrics",
    "stop_beyond",
    "checkpoint_every",
    "log_every",
)
"""Fields that change what is measured, not how a step trains."""

STARTS = {
    "initial_weights": (
        "model",
        "network",
        "image_size",
        "checkpoint",
        "restore",
        "precision",
        "ema_decay",
        "dataset",
    ),
    "data": ("dataset", "data", "image_size"),
    "data_order": ("dataset", "data", "image_size", "batch_size", "steps", "model"),
    "eval_pairs": ("dataset", "data", "image_size", "eval_pairs", "eval_shots"),
}
"""Digest -> fields that may change it."""

COSTLESS = (
    "seed",
    "lr_generator",
    "lr_discriminator",
    "weight_decay",
    "restore",
    "schedules",
    "steps",
    "log_every",
    "eval_every",
    "checkpoint_every",
    "discriminator_warmup",
    "checkpoint",
)
"""Fields that do not change the cost of a step."""
