"""Amounts as horizontal bars below each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import Axis, line, rect, shortened, text_width, words
from reports.page.blocks import Drawing

ROW = 26.0
"""Height of a bar with its space, pixels."""


@dataclass(frozen=True)
class Bar:
    """One amount.

    Attributes:
        label: its name.
        value: its size, 0 or more.
        text: the size as readers see it.
        css: class of the bar.
    """

    label: str
    value: float
    text: str
    css: str = "neutral"


def bars(name: str, amounts: Sequence[Bar], alt: str) -> Drawing:
    """Draw amounts from top to bottom, all from zero.

    Args:
        name: name of the drawing.
        amounts: the amounts.
        alt: one sentence that says what is seen.
    """
    left = min(max(text_width(amount.label) for amount in amounts) + 14, 320)
    axis = Axis(0.0, max(amount.value for amount in amounts) or 1.0, left, left + 230)
    body = line(axis(0), 4, axis(0), 10 + ROW * len(amounts), "zero")
    for index, amount in enumerate(amounts):
        y = 8 + ROW * index
        body += words(left - 10, y + 13, shortened(amount.label, left - 12), "end")
        body += rect(axis(0), y, axis(amount.value) - axis(0), 17, amount.css)
        body += words(axis(amount.value) + 6, y + 13, amount.text)
    return Drawing(name, body, left + 340, 14 + ROW * len(amounts), alt, "wide")
