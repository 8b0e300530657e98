"""Values by step: one panel, every seed a thin line, their mean a thick one, onsets marked."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import (
    Axis,
    cross,
    line,
    path,
    shortened,
    thinned,
    tick_labels,
    triangle,
    words,
)
from reports.document import Drawing

WIDTH, HEIGHT = 260.0, 160.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 252.0, 10.0, 138.0
"""The frame of every panel; the script of the page reads values between LEFT and RIGHT."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A line of a panel: points (step, value), the classes that say how it looks, and its layer (`l-seeds`, ...)."""

    points: Points
    css: str


@dataclass(frozen=True)
class Marks:
    """Signs on a panel: onsets as triangles, ends of trials that did not finish as crosses, (step, value) each."""

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
) -> Drawing:
    """One panel.

    Args:
        name: of the drawing.
        lines: drawn in order, the last one on top.
        steps: range of the horizontal axis, equal in all panels of a figure.
        values: range of the vertical axis, equal in all panels of a figure.
        alt: what is seen, one sentence.
        marks: onsets and early ends.
        threshold: a dotted level.
        x_label: label under the horizontal axis; empty: steps, said in the caption.
    """
    x = Axis(steps[0], steps[1] if steps[1] > steps[0] else steps[0] + 1, LEFT, RIGHT)
    y = Axis(values[0], values[1], BOTTOM, TOP)
    body = ""
    ticks = y.ticks(4)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += line(LEFT, y(tick), RIGHT, y(tick), "grid") + words(LEFT - 5, y(tick) + 3.5, text, "tick end")
    ticks = x.ticks(3)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += words(x(tick), HEIGHT - 8, text, "tick mid")
    if x_label:
        body += words(RIGHT, HEIGHT - 8, shortened(x_label, 80), "tick end")
    if threshold is not None and values[0] <= threshold <= values[1]:
        body += line(LEFT, y(threshold), RIGHT, y(threshold), "thr")
    for drawn in lines:
        body += path([(x(step), y(value)) for step, value in thinned(drawn.points)], drawn.css)
    if marks:
        body += "".join(f'<g class="l-onset">{triangle(x(s), y(v) - 3)}</g>' for s, v in marks.onsets)
        body += "".join(cross(x(s), y(v)) for s, v in marks.ended)
    return Drawing(name, body, WIDTH, HEIGHT, alt, "panel")
