"""Values by step in one panel: each seed a thin line, their mean a thick one, onsets marked."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import (
    Axis,
    cross,
    end_labels,
    line,
    path,
    shortened,
    thinned,
    tick_labels,
    triangle,
    words,
)
from reports.page.blocks import Drawing

WIDTH, HEIGHT = 260.0, 160.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 243.0, 10.0, 138.0
"""Size and frame of a panel, pixels; the page's script reads values between LEFT and RIGHT."""
LABELS = 130.0
"""Width of the labels at the end of lines, pixels."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A line of a panel.

    Attributes:
        points: its points, (step, value), in the order of the steps.
        css: the classes that set its look and its layer (`l-seeds`, ...).
    """

    points: Points
    css: str


@dataclass(frozen=True)
class Marks:
    """Signs on a panel, each at a (step, value).

    Attributes:
        onsets: where trials degraded; drawn as triangles.
        ended: where trials ended that did not finish; drawn as crosses.
    """

    onsets: Points = ()
    ended: Points = ()


def curve_panel(
    name: str,
    lines: Sequence[Line],
    steps: tuple[float, float],
    values: tuple[float, float],
    alt: str,
    marks: Marks | None = None,
    threshold: float | None = None,
    x_label: str = "",
    width: float = WIDTH,
    labels: Sequence[tuple[float, str]] = (),
) -> Drawing:
    """Draw one panel of values by step.

    Args:
        name: name of the drawing.
        lines: the lines in drawing order; the last one is on top.
        steps: range of the horizontal axis, the same in all panels of a figure.
        values: range of the vertical axis, the same in all panels of a figure.
        alt: one sentence that says what is seen.
        marks: onsets and early ends.
        threshold: the value at which a dotted line is drawn, if it is within `values`.
        x_label: label under the horizontal axis; empty if the caption says that it shows steps.
        width: width of the drawing, pixels; a drawing wider than `WIDTH` has a row for itself.
        labels: (value, text) of each label at the right end of a line.
    """
    right = RIGHT + width - WIDTH - (LABELS if labels else 0)
    # One step alone still needs an axis of some length.
    x = Axis(steps[0], steps[1] if steps[1] > steps[0] else steps[0] + 1, LEFT, right)
    y = Axis(values[0], values[1], BOTTOM, TOP)

    body = ""
    ticks = y.ticks(4)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += line(LEFT, y(tick), right, y(tick), "grid") + words(
            LEFT - 5, y(tick) + 3.5, text, "tick end"
        )
    ticks = x.ticks(3)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += words(x(tick), HEIGHT - 8, text, "tick mid")
    if x_label:
        body += words(right + 24, HEIGHT - 8, shortened(x_label, 80), "tick")

    if threshold is not None and values[0] <= threshold <= values[1]:
        body += line(LEFT, y(threshold), right, y(threshold), "thr")
    for drawn in lines:
        body += path([(x(step), y(value)) for step, value in thinned(drawn.points)], drawn.css)
    if marks:
        body += "".join(
            f'<g class="l-onset">{triangle(x(s), y(v) - 3)}</g>' for s, v in marks.onsets
        )
        body += "".join(cross(x(s), y(v)) for s, v in marks.ended)

    ends = [(y(value), text) for value, text in labels]
    body += end_labels(right + 8, ends, LABELS - 2, TOP - 6, HEIGHT - 20)
    return Drawing(name, body, width, HEIGHT, alt, "panel" if width == WIDTH else "wide")
