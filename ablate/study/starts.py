"""What a study file may say of a checkpoint that is trained first, and which seeds train it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.study.identity import dumps
from ablate.study.nouns import StudySpec
from ablate.study.patching import Patched, PerLevels

SAME = ("dataset", "data", "image_size", "network")
"""Fields of the config that a pre-training has in common with what starts from it, by default."""
APART = 1000
"""Distance between a network's number and the seed that trains it.

A trial and its network then don't draw the same images.
"""
SPACING = 10_000
"""Distance between the seeds of a network's trials and those of the next network's.

Trials that start from different networks share no seed. If they did, what a seed does to a
difference would be the same for all networks, and an interval over networks would miss it.
"""
MOST_NETWORKS = 1000
"""Limit for the networks of a study; larger numbers are typing errors."""

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
        "networks": {
            "type": "integer",
            "minimum": 2,
            "maximum": MOST_NETWORKS,
            "description": (
                "number of networks, each of which every arm starts from with every seed; network "
                f"k, from 0, is trained with seed {APART} + k, and its trials have the seeds "
                f"{SPACING:,} k + seed"
            ),
        },
    },
}
"""JSON Schema of such a checkpoint."""


def is_trained(checkpoint: Any) -> bool:
    """Return whether the value of `checkpoint` describes one that is trained first."""
    return isinstance(checkpoint, Mapping)


def seed_of_network(network: int) -> int:
    """Return the seed that trains a network of this number."""
    return (network + APART) % 2**31


def network_of(checkpoint: Mapping[str, Any], seed: int) -> int | None:
    """Return the number of the network that a trial with this seed starts from.

    Args:
        checkpoint: the checkpoint of the trial's arm, which is trained first.
        seed: the trial's seed.

    Returns:
        The number; None if all seeds share one network.
    """
    if "networks" in checkpoint:
        return block_of(seed)
    return seed if checkpoint.get("per") == "seed" else None


def block_of(seed: int) -> int:
    """Return the number of the network that a seed belongs to in a study of several networks."""
    return seed // SPACING


def trial_seeds(seeds: Sequence[int], networks: int | None) -> tuple[int, ...]:
    """Return the seeds of an arm's trials, all those of one network before those of the next.

    Args:
        seeds: the seeds of the study.
        networks: the number of networks that each seed is repeated with; None: no networks.
    """
    return tuple(number * SPACING + seed for number in range(networks or 1) for seed in seeds)


def trained_checkpoints(spec: StudySpec) -> list[Mapping[str, Any]]:
    """Return the checkpoints that are trained first, each as often as levels choose it."""
    if not spec.trains:
        return []
    patched = Patched(spec.base, spec.factors)
    chosen = PerLevels(patched, ("checkpoint",), lambda values: values["checkpoint"])
    return [checkpoint for checkpoint in chosen.every() if is_trained(checkpoint)]


def networks_of(spec: StudySpec) -> int | None:
    """Return the number of networks that all seeds are repeated with; None: they are not."""
    numbers = [one["networks"] for one in trained_checkpoints(spec) if "networks" in one]
    return max(numbers, default=None)


def key_of(checkpoint: Mapping[str, Any]) -> str:
    """Return the key of the study that a checkpoint is trained in, for `StudySpec.trains`."""
    return dumps([checkpoint["train"], checkpoint.get("set") or {}])


def shared_fields(checkpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of the config that the pre-training takes from what starts from it."""
    given = [path.removeprefix("base.").partition(".")[0] for path in checkpoint.get("set") or {}]
    return tuple(name for name in checkpoint.get("same", SAME) if name not in given)
