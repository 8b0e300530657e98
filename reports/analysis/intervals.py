"""t intervals on the scale of a study's rule, shown as readers see effects."""

import math
from collections.abc import Sequence
from dataclasses import replace

from reports.analysis.cells import Cells
from reports.claims.estimates import FEWEST_SEEDS
from reports.stats.paired import Interval


def seeds_interval(cells: Cells, values: Sequence[float], alpha: float) -> Interval:
    """The interval of one number per seed, where it means something.

    Rounding of the arithmetic is 0. Two seeds, and equal numbers that are not 0, have no interval:
    they may agree by chance, or since the metric moves in steps.
    """
    found = Interval.of([cells.settled(value) for value in values], alpha)
    found = replace(found, mean=cells.settled(found.mean))
    equal = cells.settled(found.sd) == 0 and found.mean
    if found.n < FEWEST_SEEDS or equal:
        return replace(found, low=math.nan, high=math.nan, p=math.nan)
    return found


def effect_interval(cells: Cells, values: Sequence[float], alpha: float) -> Interval:
    """The interval of differences over seeds; on a log scale as ratios less 1, its spread in
    logs."""
    found = seeds_interval(cells, values, alpha)
    low, high = cells.shown(found.low), cells.shown(found.high)
    return replace(found, mean=cells.shown(found.mean), low=low, high=high)
