"""SVG elements as text, and the axis that turns values into coordinates.

Coordinates and sizes are in units of the view box, which are pixels of the page.
"""

import html
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.page.blocks import Drawing
from reports.page.numbers import MINUS
from reports.page.theme import paper_style

LEADING = 13.0
"""Distance between the baselines of two lines of text, pixels."""
ASCENT = 10.5
"""Distance from the top of a line of text to its baseline, pixels."""

WIDE = "mwMW@%…—"
NARROW = " !'(),-./:;I[\\]`fijlrt|·"
SYMBOLS = "#&+<=>^~×−±●○▲▼"
"""Characters that are wider or narrower than most others of DejaVu Sans."""
BOLD = 1.14
"""How much wider bold text is than text of normal weight."""


def n(value: float) -> str:
    """Return a coordinate as text with at most one digit after the point."""
    return f"{value:.1f}".removesuffix(".0")


def path(points: Sequence[tuple[float, float]], css: str) -> str:
    """Return a line through points; empty if there are none."""
    steps = "L".join(f"{n(x)} {n(y)}" for x, y in points)
    return f'<path class="{css}" d="M{steps}"/>' if points else ""


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Return a straight line."""
    return path(((x1, y1), (x2, y2)), css)


def rect(x: float, y: float, width: float, height: float, css: str) -> str:
    """Return a rectangle; a negative width extends to the left of x."""
    left = min(x, x + width)
    return (
        f'<rect class="{css}" x="{n(left)}" y="{n(y)}" '
        f'width="{n(abs(width))}" height="{n(height)}"/>'
    )


def circle(x: float, y: float, radius: float, css: str, title: str = "") -> str:
    """Return a disc; the pointer shows `title` over it."""
    inside = f"<title>{html.escape(title)}</title>" if title else ""
    shape = f'<circle class="{css}" cx="{n(x)}" cy="{n(y)}" r="{n(radius)}"'
    return f"{shape}>{inside}</circle>" if inside else f"{shape}/>"


def words(x: float, y: float, text: str, css: str = "") -> str:
    """Return text with its baseline at y."""
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{n(x)}" y="{n(y)}">{html.escape(text)}</text>'


def moved(body: str, x: float, y: float) -> str:
    """Return elements with their origin moved to (x, y)."""
    return f'<g transform="translate({n(x)} {n(y)})">{body}</g>'


def triangle(x: float, y: float, css: str = "onset") -> str:
    """Return a small triangle that points down to (x, y)."""
    return f'<path class="{css}" d="M{n(x - 3.5)} {n(y - 6)}h7l-3.5 6z"/>'


def cross(x: float, y: float) -> str:
    """Return a small ✕ at (x, y)."""
    return f'<path class="cross" d="M{n(x - 3)} {n(y - 3)}l6 6m0-6l-6 6"/>'


def text_width(text: str, size: float = 11, bold: bool = False) -> float:
    """Return an upper estimate of a text's width in DejaVu Sans, so that labels have enough room.

    Args:
        text: the text, on one line.
        size: size of the font, pixels.
        bold: whether the text is bold.
    """
    return sum(map(_em, text)) * size * (BOLD if bold else 1.0)


def _em(char: str) -> float:
    """Return about how wide a character of DejaVu Sans is, in units of the font's size."""
    if char in WIDE or unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if char in SYMBOLS:
        return 0.85
    if char in NARROW:
        return 0.43
    return 0.77 if char.isupper() else 0.63


def shortened(text: str, width: float, size: float = 11, bold: bool = False) -> str:
    """Return the text, cut with an ellipsis if it is wider than `width`."""
    if text_width(text, size, bold) <= width:
        return text
    while text and text_width(text + "…", size, bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(
    text: str, width: float, size: float = 11, bold: bool = False, most: int | None = None
) -> list[str]:
    """Return the text as lines that are at most `width` wide.

    Args:
        text: the text. It breaks at spaces; a word that is wider than a line breaks anywhere.
        width: width of a line, pixels.
        size: size of the font, pixels.
        bold: whether the text is bold.
        most: most lines; the last one is cut with an ellipsis. None keeps the whole text.
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if text_width(longer, size, bold) <= width:
            lines[-1] = longer
            continue

        if lines[-1]:
            lines.append("")
        for char in word:
            if lines[-1] and text_width(lines[-1] + char, size, bold) > width:
                lines.append("")
            lines[-1] += char

    if most is None or len(lines) <= most:
        return lines
    return [*lines[: most - 1], shortened(" ".join(lines[most - 1 :]), width, size, bold)]


def paragraph(x: float, y: float, lines: Sequence[str], css: str = "") -> str:
    """Return lines of text below each other; the first one has its baseline at y."""
    return "".join(words(x, y + LEADING * at, text, css) for at, text in enumerate(lines))


def end_labels(
    x: float,
    labels: Sequence[tuple[float, str]],
    width: float,
    top: float,
    bottom: float,
) -> str:
    """Return the labels at the ends of lines: names in full where they fit, none over another.

    Args:
        x: left edge of the labels.
        labels: (height of the line's end, text) of each label.
        width: width of the labels, pixels; a longer text is wrapped.
        top: upper end of the plot.
        bottom: lower end of the plot; labels move up from there if there is room.
    """
    ordered = sorted(labels, key=lambda label: label[0])
    blocks = [wrapped(text, width, bold=True) for _, text in ordered]
    sizes = [LEADING * len(lines) for lines in blocks]

    # From the top, each label moves down until it has room; from the bottom, it moves up again.
    tops: list[float] = []
    for (height, _), size in zip(ordered, sizes, strict=True):
        free = tops[-1] + sizes[len(tops) - 1] if tops else top
        tops.append(max(height - size / 2, free))
    floor = bottom
    for at in reversed(range(len(tops))):
        tops[at] = max(min(tops[at], floor - sizes[at]), top)
        floor = tops[at]
    # Labels that don't fit between both ends reach beyond the lower one.
    for at in range(1, len(tops)):
        tops[at] = max(tops[at], tops[at - 1] + sizes[at - 1])

    return "".join(
        paragraph(x, start + ASCENT, lines, "bold")
        for start, lines in zip(tops, blocks, strict=True)
    )


@dataclass(frozen=True)
class Axis:
    """A linear axis from values to coordinates.

    Attributes:
        low: value at `start`.
        high: value at `end`.
        start: coordinate, pixels.
        end: coordinate, pixels; smaller than `start` on a vertical axis.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(
        cls, values: Sequence[float], start: float, end: float, room: float = 0.06
    ) -> "Axis":
        """Return an axis that holds all finite values.

        Args:
            values: the values; an axis of none is that of [0, 1].
            start: coordinate of the lower end.
            end: coordinate of the upper end.
            room: space at either end, as a share of the values' range.
        """
        known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(known), max(known)
        # A single value gets a range around it, else every coordinate would be undefined.
        if low == high:
            low, high = low - (abs(low) * 0.1 or 1.0), high + (abs(high) * 0.1 or 1.0)
        extra = (high - low) * room
        return cls(low - extra, high + extra, start, end)

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value; values beyond the ends stay at the ends."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values inside the axis, at most about `most` of them."""
        rough = (self.high - self.low) / max(most, 1)
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(
            unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999
        )
        # Rounding must not lose a tick at either end.
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def tick_labels(ticks: Sequence[float], sign: bool = False) -> list[str]:
    """Return short labels that all have the same number of digits.

    Args:
        ticks: increasing values.
        sign: whether positive labels start with a plus sign.
    """
    if not ticks:
        return []
    gap = min((b - a for a, b in pairwise(ticks)), default=abs(ticks[0]) or 1.0)
    # The fewest digits that show the distance between ticks without rounding it.
    digits = next((d for d in range(7) if abs(round(gap, d) - gap) < gap * 1e-6), 6)

    labels = []
    for tick in ticks:
        text = f"{tick:.{digits}f}"
        # A tick that rounds to zero has no sign.
        if float(text) == 0:
            text = text.lstrip("-")
        labels.append(("+" if sign and float(text) > 0 else "") + text.replace("-", MINUS))
    return labels


def thinned(points: Sequence[tuple[float, float]], most: int = 200) -> list[tuple[float, float]]:
    """Return at most about `most` of the points, evenly taken; the last point always remains."""
    if len(points) <= most:
        return list(points)
    stride = math.ceil(len(points) / most)
    taken = list(points[::stride])
    return taken if taken[-1] == points[-1] else [*taken, points[-1]]


def standalone(drawing: Drawing) -> str:
    """Return a complete SVG file of a drawing, with literal colors and its alternative text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="fig" '
        f'width="{n(drawing.width)}" height="{n(drawing.height)}" '
        f'viewBox="0 0 {n(drawing.width)} {n(drawing.height)}" role="img" '
        f'font-family="DejaVu Sans, sans-serif" font-size="11">'
        f"<title>{html.escape(drawing.alt)}</title>"
        f"<style>{paper_style()}</style>{drawing.body}</svg>\n"
    )
