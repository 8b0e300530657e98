"""Charts as SVG elements, written by this package alone, with one look for page and paper."""

from reports.charts.curves import curve_panel
from reports.charts.half_normal import half_normal
from reports.charts.intervals import forest, interval_axis, interval_bar
from reports.charts.scatter import scatter
from reports.charts.sheet import Part, sheet
from reports.charts.survival import survival_chart
from reports.charts.svg import standalone
from reports.charts.waterfall import waterfall

__all__ = [
    "Part",
    "curve_panel",
    "forest",
    "half_normal",
    "interval_axis",
    "interval_bar",
    "scatter",
    "sheet",
    "standalone",
    "survival_chart",
    "waterfall",
]
