"""Exact test of counts: diverged trials at two levels."""

from functools import lru_cache

import numpy as np
from scipy import stats

MOST_TRIALS = 400
"""Trials of both levels up to which Boschloo's test is computed (a fifth of a second)."""


@lru_cache(maxsize=4096)
def boschloo_p(d1: int, n1: int, d0: int, n0: int) -> float:
    """Return the two-sided p of "both levels lose equally many trials to divergence".

    Boschloo's unconditional test (1970, doi:10.1111/j.1467-9574.1970.tb00104.x) is exact like
    Fisher's and has more power. Two-sided p is twice the smaller one-sided p, as in SciPy. Above
    `MOST_TRIALS` it is Fisher's p, which differs little there.

    Args:
        d1: Diverged trials of one level.
        n1: All trials of that level that ended.
        d0: Diverged trials of the other level.
        n0: All trials of the other level that ended.

    Returns:
        The p value; 1 where a level has no trial, or where all trials ended alike.

    Raises:
        ValueError: More trials diverged than ended, or a count is negative.
    """
    if not (0 <= d1 <= n1 and 0 <= d0 <= n0):
        raise ValueError(f"{d1} of {n1} and {d0} of {n0} are no counts of trials")
    if not (n1 and n0 and 0 < d1 + d0 < n1 + n0):
        return 1.0
    table = np.array([[d1, n1 - d1], [d0, n0 - d0]])
    if n1 + n0 > MOST_TRIALS:
        return float(stats.fisher_exact(table).pvalue)
    return min(1.0, float(stats.boschloo_exact(table).pvalue))
