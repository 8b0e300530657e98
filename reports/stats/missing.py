"""What a paired difference could have been, had the missing trials ended."""

import math
from collections.abc import Sequence


def worst_case(ours: Sequence[float], theirs: Sequence[float], low: float, high: float) -> tuple[float, float]:
    """Bounds of the mean paired difference when each missing value may lie anywhere in [low, high].

    Args:
        ours: one value a seed; nan where the trial has none.
        theirs: the same seeds of the other arm.
        low: the least a value could have been, such as the least one seen in the study.
        high: the most.

    Raises:
        ValueError: no seed, different seeds, or low above high.
    """
    if not ours or len(ours) != len(theirs) or low > high:
        raise ValueError("bounds need the same seeds in both arms, one at least, and low <= high")
    lower = [_filled(a, low) - _filled(b, high) for a, b in zip(ours, theirs, strict=True)]
    upper = [_filled(a, high) - _filled(b, low) for a, b in zip(ours, theirs, strict=True)]
    return math.fsum(lower) / len(lower), math.fsum(upper) / len(upper)


def _filled(value: float, other: float) -> float:
    return value if math.isfinite(value) else other
