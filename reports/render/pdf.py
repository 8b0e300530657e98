"""A document as a tagged PDF, typeset by typst; identical documents give identical files.

Everything that typesetting needs comes with the Python packages, except fonts for rare characters.
"""

import json
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal

import typst

from reports.charts.svg import standalone
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
    Drawing,
    Facts,
    Figure,
    Fold,
    ImageGrid,
    Picture,
    Rich,
    Table,
    Text,
    Tiles,
    Title,
    plain,
    rich,
)
from reports.page.theme import DOTS, LIGHT, SIGNS, TONES
from reports.render.glyphs import choose_fonts
from reports.render.html import template

CSS_PPI = 96.0
"""CSS pixels per inch."""


def to_pdf(document: Document) -> bytes:
    """Return the PDF of a document (PDF/UA-1).

    A character that no available font has is shown by its number, such as `[U+1F600]`, and a note
    at the end of the document explains this.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = Pictures(folder)
        sections: list[dict[str, Any]] = [
            {
                "id": s.id,
                "title": s.title,
                "appendix": s.appendix,
                "blocks": [b for block in s.blocks for b in _block(block, pictures)],
            }
            for s in document.sections
        ]
        content = {
            "name": document.name,
            "title": document.title,
            "foot": document.foot,
            "headed": document.headed,
            "sections": sections,
        }

        fonts = choose_fonts(set(json.dumps(content, ensure_ascii=False)))
        if fonts.note and sections:
            sections[-1]["blocks"].append(
                {"kind": "Text", "role": "note", "spans": _spans(rich(fonts.note))}
            )

        known = {section.id for section in document.sections}
        looks = {
            "colours": LIGHT,
            "signs": SIGNS,
            "dots": DOTS,
            "tones": TONES,
            "serif": ["Libertinus Serif", "DejaVu Sans", *fonts.extra],
            "sans": ["DejaVu Sans", *fonts.extra],
            "mono": ["DejaVu Sans Mono", "DejaVu Sans", *fonts.extra],
        }

        data = fonts.shown(_without_dead_links(content | looks, known))
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        (folder / "report.typ").write_text(template("report.typ"), encoding="utf-8")

        result = typst.compile(
            str(folder / "report.typ"),
            root=str(folder),
            font_paths=_loaded(fonts.folders),
            pdf_standards="ua-1",
        )
    return _one(result)


def drawing_pdf(drawing: Drawing) -> bytes:
    """Return one drawing as a PDF page of its own size, for papers."""
    return _page(drawing, "pdf")


def drawing_png(drawing: Drawing, scale: float = 2.0) -> bytes:
    """Return one drawing as a PNG image, for slides and web pages.

    Args:
        drawing: the drawing; one unit of its view box is a CSS pixel.
        scale: pixels of the image for each CSS pixel.
    """
    return _page(drawing, "png", CSS_PPI * scale)


def _page(drawing: Drawing, kind: Literal["pdf", "png"], ppi: float | None = None) -> bytes:
    """Return a page of a drawing's own size, typeset from the drawing's SVG.

    Args:
        drawing: the drawing.
        kind: the format of the page.
        ppi: pixels per inch of a PNG.
    """
    svg = standalone(drawing)
    fonts = choose_fonts(set(svg))
    # A CSS pixel is 0.75 pt. The date is left out, so that the file is always the same.
    source = (
        f"#set page(width: {drawing.width * 0.75}pt, height: {drawing.height * 0.75}pt, "
        "margin: 0pt)\n#set document(date: none)\n"
        '#image(bytes(sys.inputs.svg), format: "svg", width: 100%, alt: sys.inputs.alt)'
    )
    result = typst.compile(
        source.encode(),
        font_paths=_loaded(fonts.folders),
        sys_inputs={"svg": str(fonts.shown(svg)), "alt": str(fonts.shown(drawing.alt))},
        format=kind,
        ppi=ppi,
    )
    return _one(result)


@cache
def _loaded(folders: tuple[Path, ...]) -> typst.Fonts:
    """Return the fonts in these folders and typst's own, read once per process.

    typst searches no other folders of the system, so that all machines give the same result.
    """
    return typst.Fonts(include_system_fonts=False, font_paths=[str(folder) for folder in folders])


def _one(result: Any) -> bytes:
    """Return the bytes of a single document.

    Raises:
        TypeError: typst gave something else.
    """
    if not isinstance(result, bytes):
        raise TypeError(f"typst gave {type(result).__name__} instead of one document")
    return result


class Pictures:
    """Writes each picture once into the folder that typst reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[bytes, str] = {}

    def file(self, picture: Picture) -> str:
        """Return the name of the picture's file; write the file at the first call."""
        if picture.data not in self.files:
            name = f"picture{len(self.files)}.{picture.media.removeprefix('image/')}"
            (self.folder / name).write_bytes(picture.data)
            self.files[picture.data] = name
        return self.files[picture.data]


def _spans(text: Rich) -> list[dict[str, str]]:
    """Return a text as the template reads it."""
    return [{"text": _breakable(s.text), "style": s.style, "href": s.href} for s in text]


def _breakable(text: str) -> str:
    """Return the text with places where very long words can break."""
    return " ".join(
        "\u200b".join(word[i : i + 16] for i in range(0, len(word), 16)) if len(word) > 40 else word
        for word in text.split(" ")
    )


def _drawing(drawing: Drawing | None) -> dict[str, Any] | None:
    """Return a drawing as the template reads it."""
    return (
        None
        if drawing is None
        else {"svg": standalone(drawing), "alt": drawing.alt, "width": drawing.width}
    )


def _cell(cell: Cell) -> dict[str, Any]:
    """Return a cell as the template reads it; a long `factor=level` can break in it."""
    spans = [
        {
            **span,
            "text": span["text"].replace("=", "=\u200b")
            if len(span["text"]) > 16
            else span["text"],
        }
        for span in _spans(cell.spans)
    ]
    return {
        "spans": spans,
        "sub": _spans(cell.sub),
        "badge": cell.badge,
        "drawing": _drawing(cell.drawing),
    }


def _card(card: Card) -> dict[str, Any]:
    """Return a card as the template reads it."""
    return {
        "code": card.code,
        "name": _spans(card.name),
        "levels": _spans(card.levels),
        "badge": card.badge,
        "size": card.size,
        "interval": card.interval,
        "bars": [[_spans(label), _drawing(drawing)] for label, drawing in card.bars],
        "words": _spans(card.words),
        "robust": card.robust,
        "why": _spans(card.why),
    }


def _block(block: Block, pictures: Pictures) -> Iterable[dict[str, Any]]:
    """Yield a block as the template reads it; nothing for what paper leaves out."""
    match block:
        case Text():
            yield {"kind": "Text", "role": block.role, "spans": _spans(block.spans)}
        case Title():
            yield {
                "kind": "Title",
                "question": block.question,
                "headline": _spans(block.headline),
                "interval": block.interval,
            }
        case Box():
            inside = [b for inner in block.blocks for b in _block(inner, pictures)]
            yield {"kind": "Box", "title": block.title, "blocks": inside}
        case Cards():
            yield {
                "kind": "Cards",
                "cards": [_card(card) for card in block.cards],
                "axis": _drawing(block.axis),
                "note": _spans(block.note),
            }
        case Bullets():
            items = [_spans(item) for item in block.items]
            yield {"kind": "Bullets", "items": items, "marks": list(block.marks)}
        case Facts():
            yield {
                "kind": "Facts",
                "items": [[_spans(term), _spans(fact)] for term, fact in block.items],
            }
        case Code():
            yield {"kind": "Code", "text": _breakable(block.text)}
        case Table():
            yield {
                "kind": "Table",
                "caption": block.caption,
                "look": block.look,
                "size": _size(block),
                "columns": [
                    {
                        "label": column.label,
                        "kind": column.kind,
                        "width": column.width,
                        "mm": _needed(block, index),
                    }
                    for index, column in enumerate(block.columns)
                ],
                "rows": [[_cell(cell) for cell in row] for row in block.rows],
                "axis": _drawing(block.axis),
                "note": _spans(block.note),
            }
        case Figure():
            if block.shown:
                panels = [
                    {"title": _spans(p.title), "drawing": _drawing(p.drawing)} for p in block.panels
                ]
                yield {
                    "kind": "Figure",
                    "columns": block.columns,
                    "caption": _spans(block.caption),
                    "panels": panels,
                }
        case ImageGrid():
            yield _images(block, pictures)
        case Beside():
            left = [b for inner in block.left for b in _block(inner, pictures)]
            right = [b for inner in block.right for b in _block(inner, pictures)]
            yield {"kind": "Beside", "left": left, "right": right, "share": block.share}
        case Fold():
            if block.only_phone:
                yield from (b for inner in block.blocks for b in _block(inner, pictures))
            elif block.paper:
                inside = [b for inner in block.blocks for b in _block(inner, pictures)]
                yield {"kind": "Fold", "summary": block.summary, "blocks": inside}


def _size(table: Table) -> float:
    """Return the size of a table's text in points: smaller where many columns share the page."""
    return 7.5 if table.look == "plain" else 8.0 if len(table.columns) > 7 else 9.0


LONGEST_BADGE = 15
"""Characters of a verdict on one line."""


def _needed(table: Table, index: int) -> float | None:
    """Return the width in millimeters that keeps a column's content on one line.

    Returns:
        The width for numbers, names, and words of verdicts. None for text, whose columns share the
            remaining width.
    """
    column = table.columns[index]
    if column.kind == "drawing":
        return 34.0 if len(table.columns) > 7 else 46.0
    if column.kind == "text":
        return None

    cells = [row[index] for row in table.rows]
    # Millimeters per character; the numbers are for text of 9 pt.
    per_char = {"number": 1.55, "code": 1.62, "badge": 1.95}[column.kind] * _size(table) / 9
    longest = max((len(plain(cell.spans)) for cell in cells), default=0)
    # A long verdict breaks into two lines, or it would leave nothing for the names of factors.
    lines = [line for cell in cells for line in wrap(cell.badge, LONGEST_BADGE)]
    badge = max((len(line) + 2 for line in lines), default=0)
    below = max((len(plain(cell.sub)) for cell in cells), default=0)
    # A heading can break between words, but not inside one.
    head = max(len(word) for word in column.label.split(" ")) * 1.55
    extra = 2.6 if column.kind != "badge" or table.look == "plain" else 6.2
    return max(longest * per_char, badge * per_char, min(below, 16) * 1.28, head) + extra


def _images(grid: ImageGrid, pictures: Pictures) -> dict[str, Any]:
    """Return a grid of images at its last step as the template reads it."""

    def cell(one: Tiles | Rich | None) -> dict[str, Any]:
        if not isinstance(one, Tiles):
            return {"picture": None, "under": "", "words": _spans(one or ())}
        shown = {
            "file": pictures.file(one.last),
            "alt": one.last.alt,
            "pixelated": grid.pixelated,
        }
        return {"picture": shown, "under": one.under[-1] if one.under else "", "words": []}

    return {
        "kind": "ImageGrid",
        "caption": _spans(grid.caption),
        "columns": [_spans(head) for head in grid.columns],
        "small": grid.small,
        "rows": [
            {"label": row, "cells": [cell(one) for one in cells]}
            for row, cells in zip(grid.rows, grid.cells, strict=True)
        ],
    }


def _without_dead_links(value: Any, known: set[str]) -> Any:
    """Return the same data; links to sections that don't exist become plain text."""
    if isinstance(value, dict):
        href = value.get("href")
        if isinstance(href, str) and href.startswith("#") and href[1:] not in known:
            return value | {"href": ""}
        return {key: _without_dead_links(item, known) for key, item in value.items()}
    return (
        [_without_dead_links(item, known) for item in value] if isinstance(value, list) else value
    )
