"""The writer of SVG elements: a few functions that give text."""

import html
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.page.blocks import Drawing
from reports.page.numbers import MINUS
from reports.page.theme import paper_style


def n(value: float) -> str:
    """A coordinate with at most one digit after the point."""
    return f"{value:.1f}".removesuffix(".0")


def path(points: Sequence[tuple[float, float]], css: str) -> str:
    """A line through points."""
    steps = "L".join(f"{n(x)} {n(y)}" for x, y in points)
    return f'<path class="{css}" d="M{steps}"/>' if points else ""


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return path(((x1, y1), (x2, y2)), css)


def rect(x: float, y: float, width: float, height: float, css: str) -> str:
    """A rectangle; a negative width is drawn to the left."""
    left = min(x, x + width)
    return f'<rect class="{css}" x="{n(left)}" y="{n(y)}" width="{n(abs(width))}" height="{n(height)}"/>'


def circle(x: float, y: float, radius: float, css: str, title: str = "") -> str:
    """A disc; `title` is shown under the pointer."""
    inside = f"<title>{html.escape(title)}</title>" if title else ""
    shape = f'<circle class="{css}" cx="{n(x)}" cy="{n(y)}" r="{n(radius)}"'
    return f"{shape}>{inside}</circle>" if inside else f"{shape}/>"


def words(x: float, y: float, text: str, css: str = "") -> str:
    """Text with its base line at y."""
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{n(x)}" y="{n(y)}">{html.escape(text)}</text>'


def triangle(x: float, y: float, css: str = "onset") -> str:
    """A small triangle that points down to (x, y)."""
    return f'<path class="{css}" d="M{n(x - 3.5)} {n(y - 6)}h7l-3.5 6z"/>'


def cross(x: float, y: float) -> str:
    """A small ✕ at (x, y)."""
    return f'<path class="cross" d="M{n(x - 3)} {n(y - 3)}l6 6m0-6l-6 6"/>'


def text_width(text: str, size: float = 11) -> float:
    """About how wide a text is in DejaVu Sans, so that labels get room; wide characters count
    double."""
    return sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.62 for char in text) * size


def shortened(text: str, width: float, size: float = 11) -> str:
    """The text, cut with an ellipsis when it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


@dataclass(frozen=True)
class Axis:
    """A linear axis from values to coordinates.

    Attributes:
        low: value at `start`.
        high: value at `end`.
        start: coordinate, pixels.
        end: coordinate; smaller than `start` on a vertical axis.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(
        cls, values: Sequence[float], start: float, end: float, room: float = 0.06
    ) -> "Axis":
        """An axis that holds all finite values with some room beside them."""
        known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(known), max(known)
        if low == high:
            low, high = low - (abs(low) * 0.1 or 1.0), high + (abs(high) * 0.1 or 1.0)
        extra = (high - low) * room
        return cls(low - extra, high + extra, start, end)

    def __call__(self, value: float) -> float:
        """The coordinate of a value; values beyond the ends are held at the ends."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values inside the axis, at most about `most`."""
        rough = (self.high - self.low) / max(most, 1)
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(
            unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999
        )
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def tick_labels(ticks: Sequence[float], sign: bool = False) -> list[str]:
    """Short labels with equal digits; `sign` puts a plus before positive ones."""
    if not ticks:
        return []
    gap = min((b - a for a, b in pairwise(ticks)), default=abs(ticks[0]) or 1.0)
    digits = next((d for d in range(7) if abs(round(gap, d) - gap) < gap * 1e-6), 6)
    labels = []
    for tick in ticks:
        text = f"{tick:.{digits}f}"
        if float(text) == 0:
            text = text.lstrip("-")
        labels.append(("+" if sign and float(text) > 0 else "") + text.replace("-", MINUS))
    return labels


def thinned(points: Sequence[tuple[float, float]], most: int = 200) -> list[tuple[float, float]]:
    """At most `most` of the points, evenly taken, the last one always."""
    if len(points) <= most:
        return list(points)
    stride = math.ceil(len(points) / most)
    kept = list(points[::stride])
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def standalone(drawing: Drawing) -> str:
    """A complete SVG file of a drawing, with literal colours and its alternative text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="fig" width="{n(drawing.width)}" height="{n(drawing.height)}" '
        f'viewBox="0 0 {n(drawing.width)} {n(drawing.height)}" role="img" '
        f'font-family="DejaVu Sans, sans-serif" font-size="11"><title>{html.escape(drawing.alt)}</title>'
        f"<style>{paper_style()}</style>{drawing.body}</svg>\n"
    )
