"""What a study file may say of a value that every arm chooses, and which of its tries is best."""

import math
from collections.abc import Sequence
from typing import Any

SEED = 100
"""The seed that tries have by default, or the next one that isn't a replicate."""
SCALAR = {"type": ["number", "string", "boolean"]}
"""Rule for a value, before the rule of its path is known."""

SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "a value that every arm chooses among the same tries, before its trials start",
    "required": ["path"],
    "additionalProperties": False,
    "properties": {
        "path": {"description": "dotted path into base"},
        "values": {
            "type": "array",
            "minItems": 2,
            "uniqueItems": True,
            "items": SCALAR,
            "description": "what is tried; of equally good values the first one wins",
        },
        "from": {"type": "number", "description": "smallest value of a range, instead of values"},
        "to": {"type": "number", "description": "largest value of the range"},
        "scale": {"enum": ["linear", "log"], "description": "how the tries spread over the range"},
        "tries": {
            "type": "integer",
            "minimum": 2,
            "maximum": 1000,
            "description": "number of values in the range",
        },
        "seeds": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
            "description": f"seeds of the tries, none of them a replicate; by default [{SEED}]",
        },
    },
}
"""JSON Schema of `tune:`, without the paths that a trainer allows."""

RANGE = ("from", "to", "tries")
"""Keys of a range, which go together."""


def usual_seed(replicates: Sequence[int]) -> int:
    """Return the seed of the tries of a study with these replicates."""
    return next(seed for seed in range(SEED, SEED + len(replicates) + 1) if seed not in replicates)


def best(outcomes: Sequence[Sequence[float]], better: str) -> int | None:
    """Return the number of the best value, the first one of several; None if all have diverged.

    The mean over the seeds decides. A value with fewer diverged tries is always better.

    Args:
        outcomes: of each value, the outcomes of its tries; NaN stands for one that has diverged.
        better: `lower` or `higher`.
    """
    sign = 1 if better == "lower" else -1
    ranks = []
    for number, tries in enumerate(outcomes):
        finite = [sign * value for value in tries if not math.isnan(value)]
        if finite:
            ranks.append((len(tries) - len(finite), math.fsum(finite) / len(finite), number))
    return min(ranks)[2] if ranks else None
