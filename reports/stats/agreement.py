"""Tests whether the effects of one factor agree over several studies, and their mean."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from reports.stats.paired import ALPHA, Interval

LEAST_STUDIES = 3
"""Fewest studies that allow a statement about studies like these."""


def welch_f(samples: Sequence[np.ndarray]) -> tuple[float, float, float, float]:
    """Return Welch's F test of equal mean effects in all studies, for unequal variances.

    From Welch (1951, doi:10.1093/biomet/38.3-4.330).

    Args:
        samples: Per study, (seeds,) effects with one number per seed; nan is left out.

    Returns:
        `(statistic, df1, df2, p)`; all nan if a study has no spread.

    Raises:
        ValueError: Fewer than two studies, or a study with fewer than two seeds.
    """
    means, variances, counts = _moments(samples)
    k = len(means)
    if k < 2:
        raise ValueError("two studies or more can be compared, not one")
    if not variances.all():
        return math.nan, math.nan, math.nan, math.nan
    weights = counts / variances
    shares = weights / weights.sum()
    mean = float(shares @ means)

    # Estimated variances make F larger than with known ones; Welch's term corrects for that.
    correction = float(((1 - shares) ** 2 / (counts - 1)).sum())
    between = float(weights @ (means - mean) ** 2) / (k - 1)
    statistic = between / (1 + 2 * (k - 2) / (k**2 - 1) * correction)
    df2 = (k**2 - 1) / (3 * correction)
    return statistic, k - 1.0, df2, float(stats.f.sf(statistic, k - 1, df2))


def pooled_mean(
    samples: Sequence[np.ndarray],
    alpha: float = ALPHA,
) -> tuple[float, float, float, float]:
    """Return the mean effect over studies of equal weight, with its interval.

    The interval is about these studies only, by Satterthwaite's degrees of freedom. If effects
    differ between studies, it is too short for statements about studies like these. `over_studies`
    makes those.

    Args:
        samples: Per study, (seeds,) effects with one number per seed; nan is left out.
        alpha: One minus the confidence.

    Returns:
        `(mean, low, high, df)`; `df` is nan if no study has a spread.

    Raises:
        ValueError: No study, or a study with fewer than two seeds.
    """
    means, variances, counts = _moments(samples)
    mean, parts = float(means.mean()), variances / counts / len(means) ** 2
    variance = float(parts.sum())
    if variance == 0:
        return mean, mean, mean, math.nan

    df = variance**2 / float((parts**2 / (counts - 1)).sum())
    half = float(stats.t.isf(alpha / 2, df)) * math.sqrt(variance)
    return mean, mean - half, mean + half, df


def over_studies(samples: Sequence[np.ndarray], alpha: float = ALPHA) -> Interval | None:
    """Return the mean effect in studies like these: the t interval of the studies' means.

    Args:
        samples: Per study, (seeds,) effects with one number per seed; nan is left out.
        alpha: One minus the confidence.

    Returns:
        The interval, with a study as the unit; None below `LEAST_STUDIES` studies.

    Raises:
        ValueError: A study has no seed.
    """
    known = [_known(sample) for sample in samples]
    if any(not len(sample) for sample in known):
        raise ValueError("a study without a seed has no effect")
    if len(known) < LEAST_STUDIES:
        return None
    return Interval.of([float(sample.mean()) for sample in known], alpha)


def _moments(samples: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean, variance, and number of seeds of each study: three arrays (studies,)."""
    known = [_known(sample) for sample in samples]
    if not known or any(len(sample) < 2 for sample in known):
        raise ValueError("each study needs two seeds or more")

    means = np.array([sample.mean() for sample in known])
    variances = np.array([sample.var(ddof=1) for sample in known])
    return means, variances, np.array([len(sample) for sample in known])


def _known(sample: np.ndarray) -> np.ndarray:
    """Return the finite values of a sample."""
    values: np.ndarray = np.asarray(sample, dtype=float)
    finite: np.ndarray = values[np.isfinite(values)]
    return finite
