"""Effects in their own unit and in percent of the first level, with the interval of that ratio."""

import numpy as np
from scipy import special

from reports.claims.estimates import Estimates, Floats, Trials

FAR_FROM_ZERO = 10.0
"""Standard errors between the first level's mean and 0 from which a ratio to it makes sense."""


def relative(
    trials: Trials,
    row: Floats,
    estimates: Estimates,
    place: int,
    worse: float,
    log: bool,
    alpha: float,
) -> dict[str, float]:
    """Return the numbers of a claim.

    Args:
        trials: Values in which + is worse.
        row: (cells,) the contrast; its negative part is the first level.
        estimates: Estimates, this contrast's among them.
        place: Index of this contrast in `estimates`.
        worse: +1 if larger values are worse, else -1; it turns estimates back into the outcome's
            own direction.
        log: Whether values are logarithms.
        alpha: One minus the confidence of the intervals.

    Returns:
        `estimate`, `low`, and `high` in the outcome's unit; on a log scale they are ratios less 1.
        `percent`, `percent_low`, and `percent_high` give the estimate in percent of the first
        level's mean in the same seeds; they are nan if that mean is too near 0.
    """
    ends = estimates.shown_interval(alpha)
    estimate, low, high = own_unit(estimates, place, ends, worse, log)

    # On a log scale, the effect is a ratio to the first level already.
    percent = (100 * estimate, 100 * low, 100 * high)
    if not log:
        percent = _percent(trials, row, estimates, place, worse, alpha)

    names = ("percent", "percent_low", "percent_high")
    return {
        "estimate": estimate,
        "low": low,
        "high": high,
        **dict(zip(names, percent, strict=True)),
    }


def own_unit(
    estimates: Estimates, place: int, ends: tuple[Floats, Floats], worse: float, log: bool
) -> tuple[float, float, float]:
    """Return the estimate and the ends of its interval in the outcome's own direction.

    Args:
        estimates: Estimates, this contrast's among them.
        place: Index of this contrast in `estimates`.
        ends: Ends of the intervals of all contrasts, + is worse.
        worse: +1 if larger values are worse, else -1.
        log: Whether values are logarithms.

    Returns:
        `(estimate, low, high)`; on a log scale they are ratios less 1.
    """
    low, high = sorted(worse * float(end[place]) for end in ends)
    numbers = (worse * float(estimates.mean[place]), low, high)
    return tuple(float(np.expm1(value)) for value in numbers) if log else numbers  # type: ignore[return-value]


def _percent(
    trials: Trials, row: Floats, estimates: Estimates, place: int, worse: float, alpha: float
) -> tuple[float, float, float]:
    """Return the ratio of two means over the same seeds, by the delta method."""
    unknown = (np.nan, np.nan, np.nan)
    if np.isnan(row).any() or not (row < 0).any():
        return unknown

    first = -np.minimum(row, 0.0)
    cells = np.flatnonzero(first)
    base = trials.values[:, cells] @ (first[cells] / first.sum())
    effect = estimates.values[:, place]

    # The ratio needs the seeds of the estimate, or it would be of another effect.
    both = np.isfinite(base) & np.isfinite(effect)
    n = int(both.sum())
    if n < 2 or n < estimates.n[place]:
        return unknown
    base, effect = base[both], effect[both]
    mean, error = base.mean(), base.std(ddof=1) / np.sqrt(n)
    if abs(mean) <= FAR_FROM_ZERO * error or mean == 0:
        return unknown

    ratio = effect.mean() / abs(mean)
    rest = (effect - ratio * np.sign(mean) * base) / abs(mean)
    half = special.stdtrit(n - 1, 1 - alpha / 2) * rest.std(ddof=1) / np.sqrt(n)
    low, high = sorted(100 * worse * (ratio + end) for end in (-half, half))
    return 100 * worse * ratio, low, high
