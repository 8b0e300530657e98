"""Intervals and p values that stay valid when seeds are added after results were seen."""

import numpy as np


def sequence_half_width(
    se: np.ndarray | float,
    n: np.ndarray | float,
    alpha: float,
    g: float = 4.0,
) -> np.ndarray:
    """Return the half-width of a confidence sequence for a mean at `n` seeds.

    With probability `1 - alpha`, all intervals `mean ± half-width` over `n` cover the mean at once.
    The sequence is the mixture of Wang & Ramdas (arXiv:2310.03722) over effects that are normal
    with variance `g`, in units of the standard deviation.

    Args:
        se: Standard error of the mean, in its unit; any shape.
        n: Number of seeds, 2 or more. If trials are missing, pass the degrees of freedom plus 1.
        alpha: Chance that any of the intervals misses the mean, in (0, 1).
        g: Variance of the mixture; 4 suits effects that few seeds can show.

    Returns:
        The half-widths, in the shape of `se` and `n`; infinite where the seeds are too few.
    """
    n = np.asarray(n, dtype=float)
    growth = (np.sqrt(1 + n * g) / alpha) ** (2 / n)
    room = 1 - growth / (1 + n * g)
    ratio = np.sqrt((n - 1) * (growth - 1) / np.where(room > 0, room, np.nan))
    return np.asarray(se, dtype=float) * np.where(room > 0, ratio, np.inf)


def sequence_p(t: np.ndarray | float, n: np.ndarray | float, g: float = 4.0) -> np.ndarray:
    """Return the two-sided anytime-valid p of "the mean is 0" at `n` seeds.

    It is 1 / E with the e-value of `sequence_half_width`, so `p < alpha` exactly where 0 lies
    outside that interval. The smallest p over all looks so far is valid too.

    Args:
        t: The t statistic, mean over standard error; any shape, infinite allowed.
        n: Number of seeds, 2 or more. If trials are missing, pass the degrees of freedom plus 1.
        g: Variance of the mixture, see `sequence_half_width`.

    Returns:
        The p values in (0, 1]; nan where `t` is nan.
    """
    n = np.asarray(n, dtype=float)
    # Capped, because an infinite t would subtract one infinite logarithm from another.
    square = np.minimum(np.square(np.asarray(t, dtype=float)), 1e300) / (n - 1)
    spread = 1 + n * g
    log_e = (np.log1p(square) - np.log1p(square / spread)) * n / 2 - np.log(spread) / 2
    return np.asarray(np.exp(-np.maximum(log_e, 0.0)))
