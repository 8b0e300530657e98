"""The exact sign-flip test of paired differences: it assumes nothing but symmetry."""

from collections.abc import Sequence

import numpy as np

MOST_PAIRS = 20
"""Pairs up to which all sign patterns are walked (2 ** 20 of them)."""


def smallest_p(n: int) -> float:
    """The smallest two-sided p that n paired seeds can give: 2 / 2 ** n, and 1 without a pair."""
    return min(1.0, 2.0 / 2.0**n)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Two-sided p: the share of sign patterns whose mean is at least as far from 0 as the one seen.

    Args:
        differences: one a seed, finite.

    Raises:
        ValueError: no difference, more than `MOST_PAIRS`, or one that is not finite.
    """
    data = np.asarray(differences, dtype=float)
    if not 1 <= data.size <= MOST_PAIRS:
        raise ValueError(f"1 to {MOST_PAIRS} differences, not {data.size}")
    if not np.isfinite(data).all():
        raise ValueError("a difference is not finite")
    sums = np.zeros(1)
    for value in data:
        sums = np.concatenate([sums + value, sums - value])
    seen = abs(data.sum())
    return float(np.mean(np.abs(sums) >= seen - 1e-12 * np.abs(data).sum()))
