"""A small menu for tests of the study file, so that they hold whatever the science package offers."""

from ablate.menus import Choice, Menus, options_of
from g2g_core.config import TrialConfig

FILTERS = {"type": "integer", "default": 64, "minimum": 1, "description": "base width"}
MENUS = Menus(
    models={
        "funit2funit": Choice(
            "funit2funit",
            "The paper's network",
            {"filters": FILTERS, "mlp_filters": {"type": "integer", "default": 256, "description": "MLP width"}},
        ),
        "naive": Choice("naive", "Two symmetric encoders", {"code_size": {"type": "integer", "default": 256}}),
    },
    datasets={
        "synthetic": Choice("synthetic", "Rendered", {"classes": {"type": "integer", "default": 24}}),
        "image_folder": Choice(
            "image_folder",
            "Class folders",
            {
                "root": {"type": "string", "format": "path"},
                "flip": {"type": "boolean", "default": True},
                "workers": {"type": "integer", "default": 0, "x-neutral": True},
            },
        ),
    },
    losses={
        name: Choice(name, name.replace("_", " "))
        for name in ("adversarial", "short_recon", "long_recon", "long_fm", "reassembly_fm", "d_hinge", "d_r1")
    },
    metrics={
        "mixed_l1": Choice("mixed_l1", "error against the truth", better="lower", unit="0..2"),
        "swap_score": Choice("swap_score", "0 copies, 1 is the truth", better="higher", unit="1"),
        "spread": Choice("spread", "neither end is good"),
    },
    parts=("generator", "average", "discriminator", "optimizers"),
    config=options_of(TrialConfig),
)
