"""A document as one HTML file, readable without a network, without script, and on paper.

The file refers to no fonts and libraries outside it.
"""

import base64
import json
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from reports.charts.svg import n
from reports.page.blocks import Cell, Document, Figure, ImageGrid, Picture, Table, plain
from reports.page.theme import DARK, DOTS, LIGHT, SIGNS, TONES, css_variables, page_style

GENERATOR = "g2g-ablate"
"""Name of the program in the head of every report page."""


def is_page(path: Path) -> bool:
    """Check whether a file is a report page that `to_html` made."""
    return f'name="generator" content="{GENERATOR}"'.encode() in path.read_bytes()[:4096]


def to_html(document: Document) -> str:
    """Return the page; identical documents give identical pages.

    A page therefore holds neither a time stamp nor a random id.
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            generator=GENERATOR,
            style=_style(),
            script=template("report.js"),
            series=_script_json(_series(document)),
            signs=SIGNS,
            tones=TONES,
            dots=DOTS,
        )
    )


def template(name: str) -> str:
    """Return the text of a file in `templates/`."""
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")


def environment() -> Environment:
    """Return the template engine with the filters of the page's template."""
    environment = Environment(
        loader=FunctionLoader(template), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(
        kind=lambda block: type(block).__name__,
        coordinate=n,
        data_uri=_data_uri,
        distinct=_distinct,
        shown=_shown,
        panel_steps=_panel_steps,
    )
    return environment


def _style() -> str:
    """Return the style sheet: variables of both themes, drawing classes, and the page's rules.

    Paper always gets the light theme.
    """
    light, dark = css_variables(LIGHT), css_variables(DARK)
    return (
        f":root{{{light}}}"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}{page_style()}{template('report.css')}"
        f"@media print{{:root,:root[data-theme],:root:not([data-theme=light]){{{light}}}}}"
    )


def _data_uri(picture: Picture) -> str:
    """Return a picture as a data address, which keeps the page a single file."""
    return f"data:{picture.media};base64,{base64.b64encode(picture.data).decode('ascii')}"


def _shown(cell: Cell) -> str:
    """Return what a filter compares: the word or the text of a cell."""
    return cell.badge or plain(cell.spans)


def _distinct(table: Table, key: str) -> list[str]:
    """Return the different values of a column, sorted."""
    index = next(i for i, column in enumerate(table.columns) if column.key == key)
    return sorted({_shown(row[index]) for row in table.rows})


def _panel_steps(figure: Figure) -> list[int]:
    """Return every step at which a panel of the figure has a value."""
    return sorted(
        {step for panel in figure.panels for series in panel.series for step in series.steps}
    ) or [0]


def _series(document: Document) -> dict[str, Any]:
    """Return the values behind the panels, by name of the drawing, as the script reads them."""
    panels: dict[str, Any] = {}
    last: int | None = None

    for figure in _stepped(document.blocks()):
        steps = _panel_steps(figure)
        last = max(last or 0, steps[-1])
        # The script reads a value out at steps up to half the widest gap away.
        gap = max((b - a for a, b in pairwise(steps)), default=1)
        for panel in figure.panels:
            if panel.series and panel.reads:
                panels[panel.drawing.name] = {
                    "reads": panel.reads,
                    "width": panel.drawing.width,
                    "reach": gap / 2,
                    "list": panel.series[0].label != "mean",
                    "series": [
                        {
                            "label": s.label,
                            "steps": s.steps,
                            "values": [v if v is None else _short(v) for v in s.values],
                        }
                        for s in panel.series
                    ],
                }

    # A report without curves can still have images to step through.
    if last is None:
        grids = [
            step
            for block in document.blocks()
            if isinstance(block, ImageGrid)
            for step in block.steps
        ]
        last = max(grids, default=None)

    return {"panels": panels, "last": last}


def _stepped(blocks: Any) -> list[Figure]:
    """Return the figures that are shown and have values to read out."""
    return [
        block
        for block in blocks
        if isinstance(block, Figure) and block.shown and any(p.series for p in block.panels)
    ]


def _short(value: float) -> float:
    """Round to five significant digits: enough for readers, at a third of the size."""
    return float(f"{value:.5g}")


def _script_json(value: dict[str, Any]) -> str:
    """Return JSON that can't end the script element around it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace(
        "<", "\\u003c"
    )
