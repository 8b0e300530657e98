"""Was training healthy? Losses and health signals by step, one line per arm."""

import math

from reports.charts.curves import LEFT, RIGHT, Line, curve_panel
from reports.page.blocks import Figure, Panel, Section, Series, Text, code, rich
from reports.sections.curves import mean_curve
from reports.view.study import Points, StudyView
from reports.words.names import key

MOST_PANELS, MOST_LINES = 24, 12


def health(view: StudyView) -> Section | None:
    """Show losses and health signals by step, one line per arm; None if none was recorded."""
    names = sorted(
        {str(n) for n in view.table.history["name"] if str(n).startswith(("loss/", "health/"))},
        key=_order,
    )

    panels = [panel for name in names[:MOST_PANELS] if (panel := _panel(view, name)) is not None]
    if not panels:
        return None

    caption = rich(
        "Mean over the finished seeds of each arm, unweighted values, by step. Dashed: reference."
    )

    left = len(names) - len(panels)
    intro = "Losses that run away, vanish or jump are a warning, whatever the outcome says."
    if left > 0:
        intro += f" {left} more recorded series are in history.parquet."

    return Section(
        "health",
        "Was training healthy?",
        "Training",
        (Text(rich(intro)), *key(view), Figure("health", caption, tuple(panels), 4)),
    )


def _order(name: str) -> tuple[int, str]:
    """Return a sort key: health signals first, total losses next, then single losses."""
    return (0 if name.startswith("health/") else 1 if "total" in name else 2, name)


def _panel(view: StudyView, name: str) -> Panel | None:
    """Return the panel of one recorded name; None if no arm has a curve."""
    curves = view.series(name)
    lines, series = [], []
    arms = list(view.arms[:MOST_LINES])
    for arm in reversed(arms):
        mean = mean_curve(view, arm, curves)
        if mean:
            css = "ref" if arm.reference else "gray thin"
            lines.append(Line(mean, css))
            series.append(Series(arm.code, *zip(*_thinned(mean), strict=True)))

    if not lines:
        return None

    values = [value for line in lines for _, value in line.points if math.isfinite(value)]
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.06
    steps = (0.0, float(max(step for line in lines for step, _ in line.points)))

    alt = f"{name} by step, mean of each arm, from {low:.3g} to {high:.3g}"
    drawing = curve_panel(
        f"health-{name.replace('/', '-')}", lines, steps, (low - room, high + room), alt
    )
    return Panel(
        rich(code(name)),
        drawing,
        tuple(reversed(series)),
        (LEFT, RIGHT, steps[0], max(steps[1], 1.0)),
    )


def _thinned(points: Points, most: int = 60) -> Points:
    """Return about `most` of the points, evenly spaced, to read out.

    The last point is always included.
    """
    stride = max(1, math.ceil(len(points) / most))
    return (*points[::stride], points[-1]) if stride > 1 else points
