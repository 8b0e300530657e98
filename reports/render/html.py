"""A document as one HTML file: no network, no fonts, no libraries; readable without script and on
paper."""

import base64
import json
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from reports.charts.svg import n
from reports.page.blocks import Cell, Document, Figure, ImageGrid, Picture, Table, plain
from reports.page.theme import DARK, LIGHT, SIGNS, css_variables, page_style

GENERATOR = "g2g-ablate"
"""What a page of ours names near its top as its maker."""


def is_page(path: Path) -> bool:
    """Whether a file is a page of ours."""
    return f'name="generator" content="{GENERATOR}"'.encode() in path.read_bytes()[:4096]


def to_html(document: Document) -> str:
    """The page; equal documents give equal bytes (no time stamp, no random id)."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            generator=GENERATOR,
            style=_style(),
            script=template("report.js"),
            series=_script_json(_series(document)),
            signs=SIGNS,
        )
    )


def template(name: str) -> str:
    """The text of a file in `templates/`."""
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(template), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(
        kind=lambda block: type(block).__name__,
        coordinate=n,
        data_uri=_data_uri,
        distinct=_distinct,
        shown=_shown,
        key_word=_key_word,
        panel_steps=_panel_steps,
    )
    return environment


def _style() -> str:
    """Variables of both themes, the drawings' classes, the page's own rules; paper is always
    light."""
    light, dark = css_variables(LIGHT), css_variables(DARK)
    return (
        f":root{{{light}}}"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}{page_style()}{template('report.css')}"
        f"@media print{{:root,:root[data-theme],:root:not([data-theme=light]){{{light}}}}}"
    )


def _data_uri(picture: Picture) -> str:
    return f"data:{picture.media};base64,{base64.b64encode(picture.data).decode('ascii')}"


def _shown(cell: Cell) -> str:
    """What a filter compares: the word or the text of a cell."""
    return cell.badge or plain(cell.spans)


def _distinct(table: Table, key: str) -> list[str]:
    """The values of a column, each once, sorted."""
    index = next(i for i, column in enumerate(table.columns) if column.key == key)
    return sorted({_shown(row[index]) for row in table.rows})


def _key_word(grid: ImageGrid, step: int) -> str:
    return dict(grid.key_steps).get(step, "")


def _panel_steps(figure: Figure) -> list[int]:
    """Every step that a panel of the figure has a value for."""
    return sorted(
        {step for panel in figure.panels for series in panel.series for step in series.steps}
    ) or [0]


def _series(document: Document) -> dict[str, Any]:
    """The values behind the panels, by name of the drawing, as the script reads them."""
    panels: dict[str, Any] = {}
    last: int | None = None
    for figure in _stepped(document.blocks()):
        steps = _panel_steps(figure)
        last = max(last or 0, steps[-1])
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
    return [
        block
        for block in blocks
        if isinstance(block, Figure) and block.shown and any(p.series for p in block.panels)
    ]


def _short(value: float) -> float:
    """Five significant digits: what a reader can use, at a third of the size."""
    return float(f"{value:.5g}")


def _script_json(value: dict[str, Any]) -> str:
    """JSON that can't end the script element it stands in."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace(
        "<", "\\u003c"
    )
