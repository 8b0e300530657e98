"""Skewed effects over seeds: sample skewness, and Johnson's modified t as a guard for claims."""

from functools import lru_cache

import numpy as np

SIMULATED = 2_000_000
"""Number of simulated normal values behind each limit of the skewness."""


def skewness(x: np.ndarray) -> np.ndarray:
    """Return the sample skewness along the first axis, without a correction for bias.

    It is g1 = m3 / m2^1.5 with moments about the mean, each divided by the number of values. The
    coverage given in `johnson_t` was measured with this definition.

    Args:
        x: (n, ...) values; nan where there is none.

    Returns:
        (...) skewness; nan with fewer than three values or without a spread.
    """
    x = np.asarray(x, dtype=float)
    known = np.isfinite(x)
    count = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(known, x, 0.0).sum(axis=0) / count
        centered = np.where(known, x - mean, 0.0)
        second, third = (centered**2).sum(axis=0) / count, (centered**3).sum(axis=0) / count
        skew = third / second**1.5

    # A spread of a few rounding errors counts as no spread: its skewness would be noise.
    rounding = 8 * np.finfo(float).eps * np.abs(np.where(known, x, 0.0)).max(axis=0, initial=0.0)
    return np.asarray(np.where((count >= 3) & (np.sqrt(second) > rounding), skew, np.nan))


def johnson_t(
    mean: np.ndarray | float,
    se: np.ndarray | float,
    n: np.ndarray | float,
    skew: np.ndarray | float,
    mu0: np.ndarray | float,
) -> np.ndarray:
    """Return Johnson's modified t of "the mean is mu0", corrected for skewness.

    `abs(T)` is above the critical t exactly where `mu0` lies outside Johnson's bounds (1978,
    doi:10.1080/01621459.1978.10480051). The modified t isn't monotone in `mu0`. Only the branch
    through `mu0 = mean` counts; beyond its turning point T is infinite with the sign of the
    difference. So T alone must not carry a claim: ask for the usual t as well.

    Both together cover the mean of normal effects in 96% of studies, with bounds 8 to 14% wider
    than those of t. They cover the mean of lognormal effects with log-sd 0.5 in 93 to 94.5% of
    studies. With log-sd 1, they cover it in 85, 87, and 89% (5, 7, and 10 seeds), and t alone in 82
    to 84%.

    Args:
        mean: Mean over seeds; any shape, as all arguments that follow.
        se: Standard error of the mean.
        n: Number of seeds.
        skew: Sample skewness of the values over seeds, see `skewness`.
        mu0: The mean that is tested.

    Returns:
        T, to be compared with t at n - 1 degrees of freedom.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = (np.asarray(mean, dtype=float) - mu0) / se
        root = np.sqrt(n)
        modified = t + skew / (6 * root) + skew * t**2 / (3 * root)
        beyond = np.isinf(t) | (1 + 2 * skew * t / (3 * root) < 0)
        return np.asarray(np.where(beyond, np.copysign(np.inf, t), modified))


def johnson_interval(
    mean: np.ndarray, se: np.ndarray, n: np.ndarray, skew: np.ndarray, critical: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of Johnson's interval, at most its turning points.

    The ends are the means at which `abs(johnson_t)` reaches the critical t.

    Args:
        mean: Mean over seeds; any shape, as all arguments that follow.
        se: Standard error of the mean.
        n: Number of seeds.
        skew: Sample skewness of the values over seeds.
        critical: Critical value of t, above 0.

    Returns:
        Lower and upper end.
    """
    root = np.sqrt(n)
    # Without any skewness, a tiny one keeps the quadratic equation solvable.
    curve = np.where(np.abs(skew) < 1e-9, 1e-9, skew) / (3 * root)
    ends = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for target in (critical, -critical):
            # T is t + skew / (6 root) + curve t^2: solve for t on the branch through 0.
            under = 1 - 4 * curve * (skew / (6 * root) - target)
            t = np.where(
                under > 0, (np.sqrt(np.maximum(under, 0.0)) - 1) / (2 * curve), -1 / (2 * curve)
            )
            ends.append(mean - t * se)
    return ends[0], ends[1]


@lru_cache
def skew_limit(n: int) -> float:
    """Return the absolute skewness that 10% of samples of `n` normal values exceed.

    The values are simulated with a fixed seed. A sample beyond the limit is flagged as skewed. A
    sample within the limit may still be skewed: few seeds can't show a strong skewness.

    Raises:
        ValueError: `n` is below 3.
    """
    if n < 3:
        raise ValueError(f"skewness needs three values, not {n}")
    samples = np.random.default_rng(1978).standard_normal((n, max(SIMULATED // n, 20_000)))
    return float(np.quantile(np.abs(skewness(samples)), 0.9))
