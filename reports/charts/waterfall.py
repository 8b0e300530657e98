"""Shapley shares as a waterfall that ends at their total."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import (
    LEADING,
    Axis,
    line,
    paragraph,
    rect,
    text_width,
    tick_labels,
    words,
    wrapped,
)
from reports.page.blocks import Drawing


@dataclass(frozen=True)
class Share:
    """One factor's share.

    Attributes:
        label: name of the factor.
        value: its share, in the outcome's unit.
        text: the share as readers see it.
        css: class of its bar.
    """

    label: str
    value: float
    text: str
    css: str


def waterfall(
    name: str, shares: Sequence[Share], total_label: str, total_text: str, alt: str
) -> Drawing:
    """Draw the shares below each other; each starts where the previous one ends.

    Args:
        name: name of the drawing.
        shares: the shares from top to bottom.
        total_label: name of the last row, which is the total.
        total_text: the total as readers see it.
        alt: one sentence that says what is seen.
    """
    names = [text_width(total_label, bold=True), *(text_width(share.label) for share in shares)]
    left = min(max(names) + 14, 320)

    ends = [0.0]
    for share in shares:
        ends.append(ends[-1] + share.value)
    axis = Axis.around(ends, left, left + 230, room=0.05)
    lines = [wrapped(label, left - 12) for label in (*(s.label for s in shares), total_label)]
    heights = [max(26.0, LEADING * len(text) + 8) for text in lines]
    tops = [8 + sum(heights[:index]) for index in range(len(heights))]
    bottom = 2 + tops[-1] + heights[-1]

    body = line(axis(0), 4, axis(0), bottom, "zero")
    for index, share in enumerate(shares):
        y = tops[index]
        x1, x2 = axis(ends[index]), axis(ends[index + 1])
        body += paragraph(left - 10, y + 13, lines[index], "end")
        body += rect(x1, y, x2 - x1 or 0.6, 17, share.css) + words(
            max(x1, x2) + 6, y + 13, share.text
        )
        body += line(x2, y + 17, x2, y + heights[index], "link")

    y = tops[-1]
    body += paragraph(left - 10, y + 13, lines[-1], "end bold")
    body += line(axis(0), y + 9, axis(ends[-1]), y + 9, "neutral bar")
    body += words(max(axis(ends[-1]), axis(0)) + 6, y + 13, total_text, "bold")

    ticks = axis.ticks(4)
    for tick, text in zip(ticks, tick_labels(ticks, sign=True), strict=True):
        body += line(axis(tick), bottom + 2, axis(tick), bottom + 6, "ax")
        body += words(axis(tick), bottom + 18, text, "tick mid")
    return Drawing(name, body, left + 340, bottom + 24, alt, "wide")
