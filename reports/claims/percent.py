"""An effect in its own unit and in percent of the first level, with the interval of that ratio."""

import numpy as np
from scipy import special

from reports.claims.estimates import Estimates, Floats, Trials

FAR_FROM_ZERO = 10.0
"""Standard errors that the first level's mean must be from 0, so that a ratio to it makes sense."""


def relative(
    trials: Trials, row: Floats, found: Estimates, place: int, worse: float, log: bool, alpha: float
) -> dict[str, float]:
    """The numbers of a claim.

    Args:
        trials: values in which + is worse.
        row: (cells,) the contrast; its negative part is the first level.
        found: estimates, of which `place` is this contrast's.
        place: see `found`.
        worse: +1 where larger values are worse, else -1: turns estimates back into the outcome's
            own direction.
        log: whether values are logarithms.
        alpha: intervals have confidence 1 - alpha.

    Returns:
        estimate, low, high: in the outcome's unit; on a log scale ratios less 1. percent,
        percent_low, percent_high: the estimate in percent of the first level's mean in the same
            seeds; nan where that mean is too near 0.
    """
    ends = found.shown_interval(alpha)
    estimate, low, high = own_unit(found, place, ends, worse, log)
    percent = (100 * estimate, 100 * low, 100 * high)
    if not log:
        percent = _percent(trials, row, found, place, worse, alpha)
    names = ("percent", "percent_low", "percent_high")
    return {
        "estimate": estimate,
        "low": low,
        "high": high,
        **dict(zip(names, percent, strict=True)),
    }


def own_unit(
    found: Estimates, place: int, ends: tuple[Floats, Floats], worse: float, log: bool
) -> tuple[float, float, float]:
    """Estimate and ends of the interval in the outcome's own direction; on a log scale as ratios
    less 1."""
    low, high = sorted(worse * float(end[place]) for end in ends)
    numbers = (worse * float(found.mean[place]), low, high)
    return tuple(float(np.expm1(value)) for value in numbers) if log else numbers  # type: ignore[return-value]


def _percent(
    trials: Trials, row: Floats, found: Estimates, place: int, worse: float, alpha: float
) -> tuple[float, float, float]:
    """The ratio of two means over the same seeds, by the delta method."""
    nothing = (np.nan, np.nan, np.nan)
    if np.isnan(row).any() or not (row < 0).any():
        return nothing
    first = -np.minimum(row, 0.0)
    cells = np.flatnonzero(first)
    base = trials.values[:, cells] @ (first[cells] / first.sum())
    effect = found.values[:, place]
    both = np.isfinite(base) & np.isfinite(effect)
    n = int(both.sum())
    if n < 2 or n < found.n[place]:
        return nothing
    base, effect = base[both], effect[both]
    mean, error = base.mean(), base.std(ddof=1) / np.sqrt(n)
    if abs(mean) <= FAR_FROM_ZERO * error or mean == 0:
        return nothing

    ratio = effect.mean() / abs(mean)
    rest = (effect - ratio * np.sign(mean) * base) / abs(mean)
    half = special.stdtrit(n - 1, 1 - alpha / 2) * rest.std(ddof=1) / np.sqrt(n)
    low, high = sorted(100 * worse * (ratio + end) for end in (-half, half))
    return 100 * worse * ratio, low, high
