"""Student's t intervals on the scale of a study's rule, shown as readers see effects."""

import math
from collections.abc import Sequence
from dataclasses import replace

from reports.analysis.cells import Cells
from reports.claims.estimates import FEWEST_SEEDS
from reports.stats.paired import Interval


def seeds_interval(cells: Cells, values: Sequence[float], alpha: float) -> Interval:
    """Return the interval of one number per seed, where it means something.

    Rounding of the arithmetic counts as 0. Two seeds, and identical numbers other than 0, have no
    interval: they may agree by chance, or because the metric moves in steps.

    Args:
        cells: The outcome.
        values: One number per seed.
        alpha: One minus the confidence.
    """
    interval = Interval.of([cells.settled(value) for value in values], alpha)
    interval = replace(interval, mean=cells.settled(interval.mean))
    equal = cells.settled(interval.sd) == 0 and interval.mean
    if interval.n < FEWEST_SEEDS or equal:
        return replace(interval, low=math.nan, high=math.nan, p=math.nan)
    return interval


def effect_interval(cells: Cells, values: Sequence[float], alpha: float) -> Interval:
    """Return the interval of differences over seeds, as readers see effects.

    On a log scale, mean and ends are ratios less 1; the standard deviation stays that of
    logarithms.

    Args:
        cells: The outcome.
        values: One difference per seed, on the scale of the rule.
        alpha: One minus the confidence.
    """
    interval = seeds_interval(cells, values, alpha)
    low, high = cells.shown(interval.low), cells.shown(interval.high)
    return replace(interval, mean=cells.shown(interval.mean), low=low, high=high)
