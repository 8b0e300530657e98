"""Absolute contrasts against half-normal scores: noise lies on a line, effects rise above it."""

from collections.abc import Sequence
from typing import NamedTuple

from reports.charts.svg import LEADING, Axis, circle, line, paragraph, tick_labels, words, wrapped
from reports.page.blocks import Drawing
from reports.stats.lenth import Lenth, half_normal_scores

LEFT, RIGHT, TOP, BOTTOM = 58.0, 400.0, 26.0, 214.0
MOST_LABELS = 6
"""Most contrasts beyond the margin that get a name; the largest contrast always gets one."""
NAMES = 420.0
"""Width of the names at the right of the plot, pixels."""


class Contrast(NamedTuple):
    """A contrast: the names of its alias group, and its estimate."""

    label: str
    value: float


def half_normal(
    name: str,
    contrasts: Sequence[Contrast],
    lenth: Lenth,
    axis_label: str,
    alt: str,
) -> Drawing:
    """Draw contrasts of equal precision with the line of noise and Lenth's two margins.

    Args:
        name: name of the drawing.
        contrasts: at least one contrast; all values are finite.
        lenth: the margins of error of the contrasts.
        axis_label: what a contrast is, with its unit.
        alt: one sentence that says what is seen.
    """
    ordered = sorted(contrasts, key=lambda one: abs(one.value))
    scores = [float(score) for score in half_normal_scores(len(ordered))]
    sizes = [abs(one.value) for one in ordered]
    x = Axis(0.0, scores[-1] * 1.08, LEFT, RIGHT)
    y = Axis(0.0, max(*sizes, lenth.simultaneous, 0.0) * 1.08 or 1.0, BOTTOM, TOP)

    body = _frame(x, y, axis_label) + _noise(x, y, lenth)
    body += _margin(y, lenth.margin, "ref", "margin for one")
    body += _margin(y, lenth.simultaneous, "thr", "margin for all")

    for score, size, one in zip(scores, sizes, ordered, strict=True):
        tone = "fneutral" if size > lenth.margin else "fgray"
        body += circle(x(score), y(size), 3.6, tone, f"{one.label}: {size:.3g}")

    labels, end = _labels(x, y, scores, ordered, lenth)
    return Drawing(name, body + labels, RIGHT + 20 + NAMES, max(BOTTOM + 40, end), alt, "wide")


def _frame(x: Axis, y: Axis, axis_label: str) -> str:
    """Draw the ticks and names of both axes."""
    body = ""
    ticks = y.ticks(5)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += line(LEFT, y(tick), RIGHT, y(tick), "grid")
        body += words(LEFT - 6, y(tick) + 3.5, text, "tick end")

    ticks = x.ticks(5)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += line(x(tick), BOTTOM, x(tick), BOTTOM + 4, "ax")
        body += words(x(tick), BOTTOM + 16, text, "tick mid")

    body += paragraph(LEFT - 50, 12, wrapped(axis_label, 400)[:1], "mu")
    return body + words(RIGHT, BOTTOM + 34, "half-normal score", "mu end")


def _noise(x: Axis, y: Axis, lenth: Lenth) -> str:
    """Draw the line on which contrasts of pure noise would lie, as far as the frame reaches.

    Half-normal scores are quantiles of a unit normal, so the line rises by `pse` per score.
    """
    if lenth.pse <= 0:
        return ""
    end = min(x.high, y.high / lenth.pse)
    return line(x(0), y(0), x(end), y(end * lenth.pse), "zero")


def _margin(y: Axis, size: float, css: str, text: str) -> str:
    """Draw a margin of error across the plot."""
    return line(LEFT, y(size), RIGHT, y(size), css) + words(LEFT + 4, y(size) - 3, text, "tick")


def _labels(
    x: Axis,
    y: Axis,
    scores: Sequence[float],
    ordered: Sequence[Contrast],
    lenth: Lenth,
) -> tuple[str, float]:
    """Draw the names of the contrasts beyond the margin in full, right of the plot.

    Returns:
        The names, each linked to its mark, and the lower end of the last one.
    """
    places = [at for at, one in enumerate(ordered) if abs(one.value) > lenth.margin]
    named = (places or [len(ordered) - 1])[-MOST_LABELS:]

    # Each name is at the height of its mark, or lower where there is no room.
    body, free = "", TOP - 8
    for at in reversed(named):
        lines = wrapped(ordered[at].label, NAMES - 8)
        height = y(abs(ordered[at].value))
        top = max(height - LEADING * len(lines) / 2, free)
        middle = top + LEADING * len(lines) / 2
        body += line(x(scores[at]) + 5, height, RIGHT + 16, middle, "link")
        body += paragraph(RIGHT + 20, top + 10, lines)
        free = top + LEADING * len(lines) + 4
    return body, free + 4
