"""t intervals on the scale of a study's rule, shown as readers see effects."""

from collections.abc import Sequence
from dataclasses import replace

from reports.analysis.cells import Cells
from reports.stats.paired import Interval


def effect_interval(cells: Cells, values: Sequence[float], alpha: float) -> Interval:
    """The interval of differences over seeds; on a log scale as ratios less 1, its spread in logs."""
    found = Interval.of(values, alpha)
    return replace(found, mean=cells.shown(found.mean), low=cells.shown(found.low), high=cells.shown(found.high))
