"""A document as plain text, for terminals, diffs, and tests that compare whole reports."""

from collections.abc import Iterable

from reports.page.blocks import (
    Beside,
    Block,
    Box,
    Bullets,
    Card,
    Cards,
    Cell,
    Code,
    Document,
    Facts,
    Figure,
    Fold,
    ImageGrid,
    Rich,
    Table,
    Text,
    Tiles,
    Title,
    plain,
)
from reports.page.theme import DOTS, SIGNS


def to_text(document: Document) -> str:
    """Return headings, paragraphs, tables, and the alternative texts of drawings and pictures.

    The cells of a table are separated by ` | `.
    """
    lines = [document.title, "=" * len(document.title)]
    for section in document.sections:
        lines += ["", f"## {section.title}  [{section.id}]"]
        for block in section.blocks:
            lines += ["", *_block(block)]
    return "\n".join([*lines, "", document.foot, ""])


def _block(block: Block) -> Iterable[str]:
    """Yield the lines of a block."""
    match block:
        case Text():
            yield plain(block.spans)
        case Title():
            yield from (line for line in (block.question, plain(block.headline)) if line)
            if block.interval:
                yield block.interval
        case Box():
            yield f"[{block.title}]"
            for inner in block.blocks:
                yield from _block(inner)
        case Cards():
            for card in block.cards:
                yield from _card(card)
            yield plain(block.note)
        case Bullets():
            marks = block.marks or ("-",) * len(block.items)
            yield from (
                f"{mark} {plain(item)}" for mark, item in zip(marks, block.items, strict=True)
            )
        case Facts():
            yield from (f"{plain(term)}: {plain(fact)}" for term, fact in block.items)
        case Code():
            yield from (f"    {line}" for line in block.text.splitlines())
        case Table():
            yield f"Table {block.name}: {block.caption}"
            yield " | ".join(column.label for column in block.columns)
            yield from (" | ".join(map(_cell, row)) for row in block.rows)
            if block.note:
                yield plain(block.note)
        case Figure():
            yield f"Figure {block.name}: {plain(block.caption)}"
            for panel in block.panels:
                title = f"{plain(panel.title)}: " if panel.title else ""
                yield f"  {title}{panel.drawing.alt}"
        case ImageGrid():
            steps = ", ".join(map(str, block.steps))
            yield f"Images {block.name}: {plain(block.caption)} Steps {steps}"
            yield " | ".join(("", *(plain(head) for head in block.columns)))
            for row, cells in zip(block.rows, block.cells, strict=True):
                yield " | ".join((f"  {row}", *map(_tile, cells)))
        case Beside():
            for inner in block.left + block.right:
                yield from _block(inner)
        case Fold():
            yield f"> {block.summary}"
            for inner in block.blocks:
                yield from _block(inner)


def _tile(cell: Tiles | Rich | None) -> str:
    """Return the line under a tile, or what its picture shows."""
    if isinstance(cell, Tiles):
        return ", ".join(cell.under) or cell.last.alt
    return plain(cell or ())


def _card(card: Card) -> Iterable[str]:
    """Yield the lines of a card."""
    name = f"{card.code} {plain(card.name)}".strip()
    yield f"{name}: {plain(card.levels)}"
    interval = f" ({card.interval})" if card.interval else ""
    yield f"  {SIGNS[card.badge]} {card.badge}: {card.size}{interval}"
    if card.words:
        yield f"  {plain(card.words)}"
    if card.why:
        mark = f"{DOTS[card.robust]} {card.robust}: " if card.robust else ""
        yield f"  {mark}{plain(card.why)}"


def _cell(cell: Cell) -> str:
    """Return a cell with its badge, its text, its second line, and a sign for its drawing."""
    badge = f"{SIGNS.get(cell.badge, '')} {cell.badge}".strip() if cell.badge else ""
    main = " ".join(part for part in (badge, plain(cell.spans)) if part)
    below = f" ({plain(cell.sub)})" if cell.sub else ""
    return f"{main}{below}{'[bar]' if cell.drawing else ''}".strip()
