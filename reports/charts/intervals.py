"""Effects with intervals: bars for table cells, their axis, and a forest plot for papers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.charts.svg import (
    LEADING,
    Axis,
    circle,
    line,
    paragraph,
    path,
    rect,
    text_width,
    tick_labels,
    words,
    wrapped,
)
from reports.page.blocks import Drawing

WIDTH = 300.0
MARGIN = 12.0

Tone = Literal["on", "off", "good", "turn", "mute", "neutral", "gray"]


@dataclass(frozen=True)
class Estimate:
    """A difference with its interval, and the paired differences that it comes from.

    Attributes:
        label: name of the row.
        value: the difference; None if it isn't known.
        low: lower end of the interval; None if there isn't one.
        high: upper end of the interval.
        tone: class of its color, that of its verdict.
        dots: the paired differences.
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    tone: Tone = "mute"
    dots: tuple[float, ...] = ()


def effect_axis(estimates: Sequence[Estimate], margin: float | None) -> Axis:
    """Return one axis for all rows of a table, wide enough for their numbers and the margin."""
    values = [0.0]
    for estimate in estimates:
        values += [
            v
            for v in (estimate.value, estimate.low, estimate.high, *estimate.dots)
            if v is not None
        ]
    if margin:
        values += [-1.3 * margin, 1.3 * margin]
    return Axis.around(values, MARGIN, WIDTH - MARGIN, room=0.03)


def _ground(axis: Axis, margin: float | None, top: float, height: float) -> str:
    """Draw the band of changes that are too small to matter, and the line at zero."""
    band = rect(axis(-margin), top, axis(margin) - axis(-margin), height, "rope") if margin else ""
    return band + line(axis(0), top, axis(0), top + height, "zero")


def _mark(estimate: Estimate, axis: Axis, y: float) -> str:
    """Draw an interval with its ends, and the estimate as a square."""
    out = ""
    if (
        estimate.low is not None
        and estimate.high is not None
        and math.isfinite(estimate.low + estimate.high)
    ):
        x1, x2 = axis(estimate.low), axis(estimate.high)
        out += path(((x1, y), (x2, y)), f"{estimate.tone} bar")
        out += line(x1, y - 4, x1, y + 4, f"{estimate.tone} bar") + line(
            x2, y - 4, x2, y + 4, f"{estimate.tone} bar"
        )
    if estimate.value is not None and math.isfinite(estimate.value):
        out += rect(axis(estimate.value) - 4, y - 4, 8, 8, f"f{estimate.tone}")
    return out


def interval_bar(
    name: str, estimate: Estimate, axis: Axis, margin: float | None, alt: str
) -> Drawing:
    """Draw the bar of one row: the interval above, the paired differences as dots below.

    Args:
        name: name of the drawing.
        estimate: the difference to draw.
        axis: the axis that all rows share, see `effect_axis`.
        margin: the smallest effect that matters; None draws no band.
        alt: one sentence that says what is seen.
    """
    # Three heights in turn, so that close dots stay visible.
    dots = "".join(
        circle(axis(v), 21 + 2.2 * (i % 3), 1.7, "dot") for i, v in enumerate(estimate.dots)
    )
    height = 28 if dots else 22
    return Drawing(
        name,
        _ground(axis, margin, 0, height) + dots + _mark(estimate, axis, 11),
        WIDTH,
        height,
        alt,
        "bar",
    )


def interval_axis(name: str, axis: Axis, label: str, percent: bool = False) -> Drawing:
    """Draw the ticks under a column of bars.

    Args:
        name: name of the drawing.
        axis: the axis that all rows share.
        label: what the axis shows.
        percent: whether its values are percent.
    """
    ticks = axis.ticks(6)
    body = ""
    for tick, text in zip(ticks, tick_labels(ticks, sign=True), strict=True):
        text += "%" if percent else ""
        half = text_width(text, 10) / 2
        body += line(axis(tick), 0, axis(tick), 4, "ax")
        # A label that the edge would cut off is left out.
        if half <= axis(tick) <= WIDTH - half:
            body += words(axis(tick), 15, text, "tick mid")
    return Drawing(name, body, WIDTH, 18, f"axis: {label}", "axis")


def forest(
    name: str, estimates: Sequence[Estimate], margin: float | None, axis_label: str, alt: str
) -> Drawing:
    """Draw all effects in one drawing, with their names and one axis, for papers.

    Args:
        name: name of the drawing.
        estimates: the rows from top to bottom.
        margin: the smallest effect that matters; None draws no band.
        axis_label: label under the axis.
        alt: one sentence that says what is seen.
    """
    left = min(max((text_width(e.label) for e in estimates), default=60) + 14, 300)
    names = [wrapped(e.label, left - 14) for e in estimates]
    inner = effect_axis(estimates, margin)
    axis = Axis(inner.low, inner.high, left, left + 300)
    rows = [max(24.0, LEADING * len(lines) + 8) for lines in names]
    height = sum(rows)

    body = _ground(axis, margin, 6, height)
    for index, (estimate, lines) in enumerate(zip(estimates, names, strict=True)):
        y = 6 + sum(rows[:index]) + rows[index] / 2
        body += paragraph(left - 10, y + 4 - LEADING * (len(lines) - 1) / 2, lines, "end")
        body += _mark(estimate, axis, y)
        body += "".join(circle(axis(v), y + 8, 1.5, "dot") for v in estimate.dots)

    ticks = axis.ticks(6)
    body += line(left, height + 6, left + 300, height + 6, "ax")
    for tick, text in zip(ticks, tick_labels(ticks, sign=True), strict=True):
        body += line(axis(tick), height + 6, axis(tick), height + 10, "ax")
        body += words(axis(tick), height + 21, text, "tick mid")

    # The label is centered under the axis, so it has the same room on both sides.
    below = wrapped(axis_label, 2 * min(left + 150, 162))
    body += paragraph(left + 150, height + 37, below, "mid")
    return Drawing(name, body, left + 312, height + 31 + LEADING * len(below), alt, "wide")
