"""A report as plain data: sections of blocks, without looks.

Renderers turn it into HTML, PDF, LaTeX or text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Style: TypeAlias = Literal["plain", "strong", "code", "muted"]


@dataclass(frozen=True)
class Span:
    """A run of text in one style; `href` makes it a link (`#id` inside the report, or an
    address)."""

    text: str
    style: Style = "plain"
    href: str = ""


Rich: TypeAlias = tuple[Span, ...]


def rich(*parts: "str | Span | Rich") -> Rich:
    """Text from strings (taken literally, no markup), spans and texts."""
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
    """Emphasised text."""
    return Span(text, "strong")


def code(text: str) -> Span:
    """A name as it is typed: a factor, a level, a column."""
    return Span(text, "code")


def muted(text: str) -> Span:
    """Text of second rank."""
    return Span(text, "muted")


def link(text: str, href: str) -> Span:
    """A link to `#section` or to an address."""
    return Span(text, "plain", href)


def joined(parts: Iterable["str | Span | Rich"], comma: str = ", ", last: str = "") -> Rich:
    """`a`, `a and b`, or `a, b, and c`."""
    items = list(parts)
    last = last or (" and " if len(items) < 3 else ", and ")
    out: list[str | Span | Rich] = []
    for index, item in enumerate(items):
        if index:
            out.append(last if index == len(items) - 1 else comma)
        out.append(item)
    return rich(*out)


def spaced(parts: Iterable["str | Span | Rich"], between: str = " ") -> Rich:
    """Sentences one after the other, with a space or other text between them."""
    return joined(parts, between, between)


def plain(text: Rich) -> str:
    """The characters of a text, without style."""
    return "".join(span.text for span in text)


@dataclass(frozen=True)
class Drawing:
    """A vector drawing: SVG elements with classes of `theme.py`, never with colours.

    Attributes:
        name: file name without ending, unique in the report.
        body: SVG elements, without the `<svg>` around them.
        width: width of the view box, units of one CSS pixel.
        height: height of the view box.
        alt: a sentence that says what is seen.
        look: how it is placed: `bar` inside a table cell, `axis` under such a column, `panel` in a
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
    """A raster image: encoded bytes (PNG or JPEG), its size in pixels, and a sentence for those who
    can't see it."""

    data: bytes = field(repr=False)
    width: int
    height: int
    alt: str

    @property
    def media(self) -> str:
        """`image/png` or `image/jpeg`."""
        return "image/png" if self.data.startswith(b"\x89PNG") else "image/jpeg"


@dataclass(frozen=True)
class Text:
    """A paragraph: `lead` is the answer in large type, `note` is small print."""

    spans: Rich
    role: Literal["body", "lead", "note"] = "body"


@dataclass(frozen=True)
class Bullets:
    """A list of paragraphs."""

    items: tuple[Rich, ...]


@dataclass(frozen=True)
class Facts:
    """Terms and what they are: a definition list."""

    items: tuple[tuple[Rich, Rich], ...]


@dataclass(frozen=True)
class Code:
    """Commands to copy."""

    text: str


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        spans: what is shown.
        sub: a smaller second line.
        value: what is sorted by and compared with the CSV; None: empty.
        badge: word of a verdict or status that is shown with its sign (`harms`, `failed`, ...).
        drawing: a bar of the column.
    """

    spans: Rich = ()
    sub: Rich = ()
    value: float | str | None = None
    badge: str = ""
    drawing: Drawing | None = None


@dataclass(frozen=True)
class Column:
    """A column: its key (as in the CSV), its heading, what it holds, and its share of the paper's
    width."""

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
        rows: each as long as `columns`.
        note: how to read it.
        axis: the axis under the column of drawings.
        look: `cards` becomes one card a row on a phone; `plain` is dense.
        sortable: whether headings sort the rows.
        filterable: column keys offered as filters (their distinct values), beside a search box.
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
    """Values behind a panel: read out at one step by pointer, slider or screen reader.

    Attributes:
        label: what the line is.
        steps: increasing steps.
        values: one a step; None where there is none.
    """

    label: str
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Panel:
    """One drawing of a figure.

    Attributes:
        title: above it.
        drawing: what is seen.
        series: the values behind it, for reading out at one step.
        reads: x of the first and of the last step in the drawing, and these two steps.
    """

    title: Rich
    drawing: Drawing
    series: tuple[Series, ...] = ()
    reads: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Figure:
    """Drawings with a caption, `columns` beside each other on a wide page.

    Attributes:
        name: file name, unique in the report; panels are saved as their drawings' names.
        caption: what it shows.
        panels: the drawings.
        columns: panels beside each other where there is room.
        stepped: whether the step slider drives it.
        layers: class of a layer -> its label, for layers that can be hidden.
        shown: False: only saved as a file.
    """

    name: str
    caption: Rich
    panels: tuple[Panel, ...]
    columns: int = 1
    stepped: bool = False
    layers: tuple[tuple[str, str], ...] = ()
    shown: bool = True


@dataclass(frozen=True)
class Frame:
    """The figure of one arm at one step: the picture, and a line under it (`warn`: in the colour of
    harm)."""

    picture: Picture | None
    under: str = ""
    warn: bool = False


@dataclass(frozen=True)
class ImageGrid:
    """The same pairs in all arms at the same steps.

    Attributes:
        name: unique in the report.
        caption: what it shows.
        arms: headings of the columns.
        steps: the steps, increasing.
        key_steps: the steps shown on paper and without script (step 0, onset, end), each with a
            word.
        frames: `frames[step index][arm index]`.
        rows: names of the rows of a picture, from top to bottom.
        pixelated: whether enlarging keeps hard pixels.
    """

    name: str
    caption: Rich
    arms: tuple[Rich, ...]
    steps: tuple[int, ...]
    key_steps: tuple[tuple[int, str], ...]
    frames: tuple[tuple[Frame, ...], ...]
    rows: tuple[str, ...]
    pixelated: bool = True


@dataclass(frozen=True)
class Beside:
    """Two groups of blocks beside each other where there is room; the first is the wider one
    (`share` of the width)."""

    left: tuple["Block", ...]
    right: tuple["Block", ...]
    share: float = 0.62


@dataclass(frozen=True)
class Fold:
    """Blocks that open on request; on paper they are shown when `paper`, else left out."""

    summary: str
    blocks: tuple["Block", ...]
    paper: bool = True


Block: TypeAlias = Text | Bullets | Facts | Code | Table | Figure | ImageGrid | Beside | Fold


@dataclass(frozen=True)
class Section:
    """One question of the reader and its answer.

    Attributes:
        id: anchor, unique in the report.
        title: the heading.
        menu: short name for the menu.
        blocks: what it holds.
    """

    id: str
    title: str
    menu: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        name: the study's name.
        title: the question, the heading of the first page.
        foot: the line at the foot of each page: study and plan hash.
        sections: in order; the first one is the answer.
    """

    name: str
    title: str
    foot: str
    sections: tuple[Section, ...]

    def blocks(self) -> Iterable[Block]:
        """Every block, also inside others, in order."""
        for section in self.sections:
            yield from _inside(section.blocks)


def _inside(blocks: tuple[Block, ...]) -> Iterable[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Beside):
            yield from _inside(block.left + block.right)
        elif isinstance(block, Fold):
            yield from _inside(block.blocks)
