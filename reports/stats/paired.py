"""Paired differences over seeds: t intervals, Holm's correction, the verdict, the effect that could be found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reports.stats.power import detectable_sds

ALPHA = 0.05
"""Level of the tests; intervals have 1 minus it. A study that is looked at more than once has its own, smaller one."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its t interval and two-sided p; nan where the seeds are too few."""

    mean: float
    low: float
    high: float
    p: float
    n: int
    sd: float

    @classmethod
    def of(cls, values: Sequence[float], alpha: float = ALPHA) -> "Interval":
        """The interval of independent values, at confidence 1 - alpha."""
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
    """Holm's step-down correction over the known p values (equal to statsmodels' `holm`); nan stays nan."""
    known = sorted((value, index) for index, value in enumerate(p) if math.isfinite(value))
    adjusted, largest = [math.nan] * len(p), 0.0
    for rank, (value, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        adjusted[index] = largest
    return adjusted


def verdict(interval: Interval, p_adjusted: float, margin: float | None, better: str, alpha: float = ALPHA) -> str:
    """Equivalence first; then harm or help when the interval and the corrected p agree; else not enough data."""
    if not math.isfinite(interval.low):
        return "not enough data"
    if margin is not None and -margin < interval.low and interval.high < margin:
        return "equivalent"
    if p_adjusted < alpha and interval.low * interval.high > 0:
        return "harms" if (interval.low > 0) == (better == "lower") else "helps"
    return "not enough data"


def judged(
    values: Mapping[str, Mapping[int, float]], margin: float | None, better: str, alpha: float = ALPHA
) -> dict[str, tuple[Interval, float, str]]:
    """Each factor's interval, Holm's p over all of them, and verdict.

    Args:
        values: factor -> seed -> its effect.
        margin: smallest effect that matters.
        better: `lower` or `higher`.
        alpha: level of the tests.
    """
    intervals = {name: Interval.of(list(by_seed.values()), alpha) for name, by_seed in values.items()}
    adjusted = holm([interval.p for interval in intervals.values()])
    return {
        name: (interval, p, verdict(interval, p, margin, better, alpha))
        for (name, interval), p in zip(intervals.items(), adjusted, strict=True)
    }


def detectable(interval: Interval, alpha: float = ALPHA) -> float:
    """The smallest effect that as many seeds with this spread find in 8 of 10 studies, each by a test at this level."""
    if interval.n < 2 or not math.isfinite(interval.sd):
        return math.nan
    if interval.sd == 0:
        return 0.0
    return detectable_sds(interval.n, alpha) * interval.sd
