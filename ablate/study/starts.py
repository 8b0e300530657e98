"""What a study file may say of a checkpoint that is trained first, and which seeds train it."""

from collections.abc import Mapping
from typing import Any

from ablate.study.identity import dumps

SAME = ("dataset", "data", "image_size", "network")
"""Fields of the config that a pre-training has in common with what starts from it, by default."""
APART = 1000
"""Distance between a seed and that of its own network, so that both don't draw the same images."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["train"],
    "additionalProperties": False,
    "properties": {
        "train": {
            "type": "string",
            "minLength": 1,
            "description": "a study file or bundled study, of which one trial is trained first",
        },
        "trial": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean"]},
            "description": (
                "factor: level of the arm that is trained, and its seed; by default the reference "
                "and the first seed"
            ),
        },
        "set": {
            "type": "object",
            "description": "path: value, which changes values of that study",
        },
        "same": {
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": True,
            "description": (
                "fields of base that the pre-training takes from this study; by default "
                f"{', '.join(SAME)}, unless set names them"
            ),
        },
        "per": {
            "enum": ["seed", "study"],
            "description": (
                f"seed: each seed has a network of its own, trained with that seed + {APART}; "
                "study, the default: all share one"
            ),
        },
    },
}
"""JSON Schema of such a checkpoint."""


def is_trained(checkpoint: Any) -> bool:
    """Return whether the value of `checkpoint` describes one that is trained first."""
    return isinstance(checkpoint, Mapping)


def seed_of_network(seed: int) -> int:
    """Return the seed that trains the network which a seed has for its own."""
    return (seed + APART) % 2**31


def key_of(checkpoint: Mapping[str, Any]) -> str:
    """Return the key of the study that a checkpoint is trained in, for `StudySpec.trains`."""
    return dumps([checkpoint["train"], checkpoint.get("set") or {}])


def shared_fields(checkpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of the config that the pre-training takes from what starts from it."""
    given = [path.removeprefix("base.").partition(".")[0] for path in checkpoint.get("set") or {}]
    return tuple(name for name in checkpoint.get("same", SAME) if name not in given)
