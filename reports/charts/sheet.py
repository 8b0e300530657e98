"""Charts of the page as a sheet that is clear on its own: titles, names of axes, and caption."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import ASCENT, LEADING, moved, paragraph, rect, words, wrapped
from reports.page.blocks import Drawing

LEAST_WIDTH = 340.0
"""Least width of a sheet, so that a caption under a small chart doesn't get too narrow."""
MARGIN = 8.0
"""Space at the edges of a sheet, pixels."""
GAP = 12.0
"""Space between charts, pixels."""
EDGE = 17.0
"""Space between the right end of a horizontal axis and the edge of its chart, pixels."""
CAPTION = 10.0
"""Size of the caption's text, pixels."""


@dataclass(frozen=True)
class Part:
    """A chart of a sheet, with the words that the page shows around it.

    Attributes:
        drawing: the chart.
        title: text above the chart; empty if the chart needs none.
        x_title: name of the horizontal axis; empty if the chart has it.
        y_title: name of the vertical axis; empty if the chart has it.
    """

    drawing: Drawing
    title: str = ""
    x_title: str = ""
    y_title: str = ""


def sheet(name: str, parts: Sequence[Part], columns: int, caption: str, alt: str) -> Drawing:
    """Return charts in rows on a white ground, with their words and one caption.

    Args:
        name: name of the drawing.
        parts: the charts, row by row; at least one.
        columns: most charts in a row.
        caption: what the charts show and what their marks mean.
        alt: one sentence that says what is seen.
    """
    width = max(part.drawing.width for part in parts)
    columns = min(columns, len(parts))
    whole = max(columns * width + (columns - 1) * GAP + 2 * MARGIN, LEAST_WIDTH)
    # A single chart can be narrower than the sheet; its title then has the room of the sheet.
    room = width if columns > 1 else whole - 2 * MARGIN

    body, y = "", MARGIN
    for first in range(0, len(parts), columns):
        row = parts[first : first + columns]
        heads = [_head(part, room) for part in row]
        feet = [_foot(part) for part in row]
        tallest = max(len(head) for head in heads)
        plot = y + LEADING * tallest

        for at, (part, head, foot) in enumerate(zip(row, heads, feet, strict=True)):
            left = MARGIN + (width + GAP) * at
            # The words are next to their chart, whatever the height of other words in the row.
            start = plot - LEADING * len(head)
            for line, (text, css) in enumerate(head):
                body += words(left, start + ASCENT + LEADING * line, text, css)
            body += moved(part.drawing.body, left, plot)
            under = plot + part.drawing.height + ASCENT
            body += paragraph(left + part.drawing.width - EDGE, under, foot, "mu end")

        deepest = max(
            part.drawing.height + LEADING * len(foot) for part, foot in zip(row, feet, strict=True)
        )
        y = plot + deepest + GAP

    lines = wrapped(caption, whole - 2 * MARGIN, CAPTION) if caption else []
    body += paragraph(MARGIN, y + ASCENT, lines, "tick")
    height = y + LEADING * len(lines) + MARGIN
    return Drawing(name, rect(0, 0, whole, height, "hollow") + body, whole, height, alt, "wide")


def _head(part: Part, room: float) -> list[tuple[str, str]]:
    """Return the lines above a chart, each with its class: the title and the vertical axis."""
    title = wrapped(part.title, room, bold=True) if part.title else []
    axis = wrapped(part.y_title, room) if part.y_title else []
    return [(line, "bold") for line in title] + [(line, "mu") for line in axis]


def _foot(part: Part) -> list[str]:
    """Return the lines under a chart: the name of the horizontal axis."""
    return wrapped(part.x_title, part.drawing.width - 2 * EDGE) if part.x_title else []
