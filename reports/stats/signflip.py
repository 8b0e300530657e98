"""The exact sign-flip test of paired differences, which assumes nothing but symmetry."""

from collections.abc import Sequence

import numpy as np

MOST_PAIRS = 20
"""Pairs up to which all 2 ** n sign patterns are enumerated."""


def smallest_p(n: int) -> float:
    """Return the smallest two-sided p of n paired seeds: 2 / 2 ** n, or 1 without a pair."""
    return min(1.0, 2.0 / 2.0**n)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p of the sign-flip test of "the mean difference is 0".

    It is the share of sign patterns whose mean is at least as far from 0 as the observed mean.

    Args:
        differences: One finite difference per seed.

    Raises:
        ValueError: No difference, more than `MOST_PAIRS`, or one that is not finite.
    """
    data = np.asarray(differences, dtype=float)
    if not 1 <= data.size <= MOST_PAIRS:
        raise ValueError(f"1 to {MOST_PAIRS} differences, not {data.size}")
    if not np.isfinite(data).all():
        raise ValueError("a difference is not finite")

    sums = np.zeros(1)
    for value in data:
        sums = np.concatenate([sums + value, sums - value])

    # The tolerance counts sums that differ from the observed one by rounding alone.
    observed = abs(data.sum())
    return float(np.mean(np.abs(sums) >= observed - 1e-12 * np.abs(data).sum()))
