"""Paired differences over seeds: t intervals and Holm's correction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

ALPHA = 0.05
"""One minus the confidence of intervals, unless a planned look asks for a stricter level."""


@dataclass(frozen=True)
class Interval:
    """Mean over seeds with its t interval and two-sided p value.

    Attributes:
        mean: Mean of the values; nan without a value.
        low: Lower end of the interval; nan with fewer than two values.
        high: Upper end of the interval.
        p: Two-sided p of "the mean is 0"; nan with fewer than two values.
        n: Number of finite values.
        sd: Standard deviation over the values; nan with fewer than two.
    """

    mean: float
    low: float
    high: float
    p: float
    n: int
    sd: float

    @classmethod
    def of(cls, values: Sequence[float], alpha: float = ALPHA) -> "Interval":
        """Return the t interval of independent values; those that aren't finite are left out.

        Args:
            values: One number per seed.
            alpha: One minus the confidence.
        """
        data = np.asarray([value for value in values if math.isfinite(value)], dtype=float)
        if len(data) < 2:
            mean = float(data[0]) if len(data) else math.nan
            return cls(mean, math.nan, math.nan, math.nan, len(data), math.nan)

        mean, sd = float(data.mean()), float(data.std(ddof=1))
        if sd == 0:
            return cls(mean, mean, mean, 0.0 if mean else 1.0, len(data), 0.0)

        error, freedom = sd / math.sqrt(len(data)), len(data) - 1
        half = float(stats.t.isf(alpha / 2, freedom)) * error
        p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
        return cls(mean, mean - half, mean + half, p, len(data), sd)


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected by Holm's step-down method.

    Only known p values count as tests; nan stays nan. The numbers match statsmodels' `holm`.

    Args:
        p: Uncorrected p values, in any order.
    """
    known = sorted((value, index) for index, value in enumerate(p) if math.isfinite(value))
    adjusted, largest = [math.nan] * len(p), 0.0
    for rank, (value, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        adjusted[index] = largest
    return adjusted
