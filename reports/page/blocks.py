"""A report as plain data: sections that hold blocks, without any styling.

Renderers turn the data into HTML, PDF, LaTeX, or plain text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Style: TypeAlias = Literal["plain", "strong", "code", "muted"]


@dataclass(frozen=True)
class Span:
    """A run of text in one style.

    Attributes:
        text: the characters.
        style: the style of all of them.
        href: makes the text a link, to `#id` inside the report or to an address; empty for no link.
    """

    text: str
    style: Style = "plain"
    href: str = ""


Rich: TypeAlias = tuple[Span, ...]


def rich(*parts: "str | Span | Rich") -> Rich:
    """Return text made of strings, spans, and other texts; strings are literal, without markup."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            spans.append(Span(part))
        elif isinstance(part, Span):
            spans.append(part)
        else:
            spans.extend(part)
    return tuple(span for span in spans if span.text)


def strong(text: str) -> Span:
    """Return emphasized text."""
    return Span(text, "strong")


def code(text: str) -> Span:
    """Return a name as a user types it: a factor, a level, or a column."""
    return Span(text, "code")


def muted(text: str) -> Span:
    """Return text of secondary importance."""
    return Span(text, "muted")


def link(text: str, href: str) -> Span:
    """Return a link to `#section` or to an address."""
    return Span(text, "plain", href)


def joined(parts: Iterable["str | Span | Rich"], comma: str = ", ", last: str = "") -> Rich:
    """Return the parts as a list in a sentence: `a`, `a and b`, or `a, b, and c`.

    Args:
        parts: the items of the list.
        comma: text between items.
        last: text before the last item; empty means `and`, after a comma from three items on.
    """
    items = list(parts)
    last = last or (" and " if len(items) < 3 else ", and ")

    out: list[str | Span | Rich] = []
    for index, item in enumerate(items):
        if index:
            out.append(last if index == len(items) - 1 else comma)
        out.append(item)
    return rich(*out)


def spaced(parts: Iterable["str | Span | Rich"], between: str = " ") -> Rich:
    """Return sentences one after the other, with a space or other text between them."""
    return joined(parts, between, between)


def plain(text: Rich) -> str:
    """Return the characters of a text, without style."""
    return "".join(span.text for span in text)


@dataclass(frozen=True)
class Drawing:
    """A vector drawing: SVG elements with the classes of `theme.py`, without colors.

    Attributes:
        name: file name without ending, unique in the report.
        body: SVG elements, without the `<svg>` around them.
        width: width of the view box; one unit is a CSS pixel.
        height: height of the view box.
        alt: one sentence that says what is seen.
        look: where it goes: `bar` inside a table cell, `axis` under a column of bars, `panel` in a
            grid, `wide` alone.
    """

    name: str
    body: str
    width: float
    height: float
    alt: str
    look: Literal["bar", "axis", "panel", "wide"] = "panel"


@dataclass(frozen=True)
class Picture:
    """A raster image.

    Attributes:
        data: the encoded bytes, PNG or JPEG.
        width: width in pixels.
        height: height in pixels.
        alt: one sentence that says what is seen.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    alt: str

    @property
    def media(self) -> str:
        """Media type of the data: `image/png` or `image/jpeg`."""
        return "image/png" if self.data.startswith(b"\x89PNG") else "image/jpeg"


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        spans: its text.
        role: `lead` is large, `note` is small print, `aside` explains words of the answer.
    """

    spans: Rich
    role: Literal["body", "lead", "note", "aside"] = "body"


@dataclass(frozen=True)
class Title:
    """The headline of the report: the answer, with the question above it in small.

    Attributes:
        question: what the study asks; empty if it asks nothing.
        headline: the answer in one sentence.
        interval: the uncertainty of the headline's number, in small below it.
    """

    question: str
    headline: Rich
    interval: str = ""


@dataclass(frozen=True)
class Bullets:
    """A bulleted list of paragraphs.

    Attributes:
        items: the paragraphs.
        marks: a sign for each paragraph in place of its bullet; empty for bullets.
    """

    items: tuple[Rich, ...]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Box:
    """Blocks on a panel of their own, with a heading.

    Attributes:
        title: the heading.
        blocks: the blocks.
    """

    title: str
    blocks: tuple["Block", ...]


@dataclass(frozen=True)
class Card:
    """What a study found out about one change.

    Attributes:
        code: the letter of the change in the codes of arms; empty if it has none.
        name: what is changed.
        levels: from which level to which.
        badge: the verdict.
        size: the effect.
        interval: its interval.
        bars: a label and a bar for each setting; the label is empty for the only one.
        words: one sentence.
        robust: `firm`, `fair`, `fragile`, or empty if it can't be said.
        why: what the robustness rests on.
    """

    code: str
    name: Rich
    levels: Rich
    badge: str
    size: str
    interval: str
    bars: tuple[tuple[Rich, Drawing], ...]
    words: Rich
    robust: str
    why: Rich


@dataclass(frozen=True)
class Cards:
    """Cards next to each other.

    Attributes:
        cards: the cards, the most important first.
        axis: the axis that all their bars share.
        note: how to read them.
    """

    cards: tuple[Card, ...]
    axis: Drawing | None
    note: Rich


@dataclass(frozen=True)
class Facts:
    """A definition list: terms and what they mean."""

    items: tuple[tuple[Rich, Rich], ...]


@dataclass(frozen=True)
class Code:
    """Commands for readers to copy."""

    text: str


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        spans: the text that is shown.
        sub: a smaller second line.
        value: the value that rows are sorted by, and that the CSV holds; None for an empty cell.
        badge: word of a verdict or status that is shown with its sign (`harms`, `failed`, ...).
        drawing: the bar of a column of drawings.
    """

    spans: Rich = ()
    sub: Rich = ()
    value: float | str | None = None
    badge: str = ""
    drawing: Drawing | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        key: its name in the CSV.
        label: its heading.
        kind: what its cells hold.
        width: its share of the paper's width, relative to the other columns.
    """

    key: str
    label: str
    kind: Literal["text", "number", "code", "badge", "drawing"] = "text"
    width: float = 1.0


@dataclass(frozen=True)
class Table:
    """Rows of cells.

    Attributes:
        name: file name of its LaTeX form, unique in the report.
        caption: what it shows.
        columns: the columns.
        rows: the rows; each has one cell per column.
        note: how to read it.
        axis: the axis under the column of drawings.
        look: `cards` becomes one card per row on a phone; `plain` is dense.
        sortable: whether a click on a heading sorts the rows.
        filterable: keys of the columns whose values readers can filter by; such a table also has a
            search box.
        latex: whether it is written as a LaTeX table.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Rich = ()
    axis: Drawing | None = None
    look: Literal["cards", "plain"] = "cards"
    sortable: bool = False
    filterable: tuple[str, ...] = ()
    latex: bool = True


@dataclass(frozen=True)
class Series:
    """The values behind a panel, which pointer, slider, and screen reader read out by step.

    Attributes:
        label: name of the line.
        steps: increasing steps.
        values: one value per step; None where it is missing.
    """

    label: str
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Panel:
    """One drawing of a figure.

    Attributes:
        title: text above it.
        drawing: what is seen.
        series: the values behind it, which readers can read out at one step.
        reads: x of the first and of the last step in the drawing, then these two steps.
    """

    title: Rich
    drawing: Drawing
    series: tuple[Series, ...] = ()
    reads: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Figure:
    """Drawings with a caption.

    Attributes:
        name: file name, unique in the report; panels are saved under their drawings' names.
        caption: what it shows.
        panels: the drawings.
        columns: number of panels in a row, on a page that is wide enough.
        stepped: whether the step slider moves through it.
        layers: (class, label) of each layer that readers can hide.
        shown: False for a figure that is only saved as a file.
    """

    name: str
    caption: Rich
    panels: tuple[Panel, ...]
    columns: int = 1
    stepped: bool = False
    layers: tuple[tuple[str, str], ...] = ()
    shown: bool = True


@dataclass(frozen=True)
class Tiles:
    """One place of a grid of pictures, at each step.

    Attributes:
        strip: the tiles of all steps next to each other, or one tile that is the same at all steps.
        last: the tile of the last step, which paper shows.
        count: number of tiles in the strip.
        under: the line below the tile at each step, or one line for all.
    """

    strip: Picture
    last: Picture
    count: int = 1
    under: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageGrid:
    """What was given, what is true, and what each arm made of it, at the same steps.

    Attributes:
        name: unique in the report.
        caption: what it shows.
        columns: headings of the columns.
        titles: full names of the columns; empty where the heading says it all.
        rows: names of the rows.
        cells: `cells[row][column]`: tiles, words, or nothing.
        steps: increasing steps.
        side: side of a tile in pixels, before any enlargement.
        pixelated: whether enlarged pixels keep hard edges.
        small: whether the grid is next to text.
    """

    name: str
    caption: Rich
    columns: tuple[Rich, ...]
    titles: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[tuple["Tiles | Rich | None", ...], ...]
    steps: tuple[int, ...]
    side: int
    pixelated: bool = True
    small: bool = False

    @property
    def width(self) -> int:
        """The side of a drawn tile in pixels: a whole multiple of its own side."""
        return self.side * max(1, round((64 if self.small else 96) / self.side))


@dataclass(frozen=True)
class Beside:
    """Two groups of blocks next to each other where there is room.

    Attributes:
        left: the first group, which is the wider one.
        right: the second group.
        share: share of the width for the first group, in (0, 1).
    """

    left: tuple["Block", ...]
    right: tuple["Block", ...]
    share: float = 0.62


@dataclass(frozen=True)
class Fold:
    """Blocks that readers can unfold.

    Attributes:
        summary: the line that is always visible.
        blocks: the folded blocks.
        paper: whether paper shows the blocks; False leaves them out.
        only_phone: whether they are folded on a phone only.
    """

    summary: str
    blocks: tuple["Block", ...]
    paper: bool = True
    only_phone: bool = False


Block: TypeAlias = (
    Text | Title | Bullets | Box | Cards | Facts | Code | Table | Figure | ImageGrid | Beside | Fold
)


@dataclass(frozen=True)
class Section:
    """One question of the reader and its answer.

    Attributes:
        id: anchor, unique in the report.
        title: heading.
        menu: short name for the menu.
        blocks: content.
        appendix: whether it is one of the details at the end, which share one place in the menu;
            the report decides it.
    """

    id: str
    title: str
    menu: str
    blocks: tuple[Block, ...]
    appendix: bool = False


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        name: the study's name.
        title: the headline in plain characters; the heading of the first page, if no block of the
            first section is a `Title`.
        foot: the line at the foot of each page, with the study and the plan's hash.
        sections: the sections from first to last; the first one is the answer.
    """

    name: str
    title: str
    foot: str
    sections: tuple[Section, ...]

    @property
    def main(self) -> tuple[Section, ...]:
        """The sections that are not in the appendix."""
        return tuple(section for section in self.sections if not section.appendix)

    @property
    def appendix(self) -> tuple[Section, ...]:
        """The sections of the appendix."""
        return tuple(section for section in self.sections if section.appendix)

    @property
    def headed(self) -> bool:
        """Whether a block is the heading of the first page."""
        return any(isinstance(block, Title) for block in self.blocks())

    def blocks(self) -> Iterable[Block]:
        """Yield every block from first to last, including blocks inside other blocks."""
        for section in self.sections:
            yield from _inside(section.blocks)


def _inside(blocks: tuple[Block, ...]) -> Iterable[Block]:
    """Yield these blocks and all blocks inside them."""
    for block in blocks:
        yield block
        if isinstance(block, Beside):
            yield from _inside(block.left + block.right)
        elif isinstance(block, Fold | Box):
            yield from _inside(block.blocks)
