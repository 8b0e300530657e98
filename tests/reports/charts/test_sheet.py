"""A sheet keeps its charts as they are and puts their words around them."""

import re
from xml.etree import ElementTree

import pytest

from reports.charts import Part, sheet, standalone
from reports.charts.sheet import GAP, LEAST_WIDTH, MARGIN
from reports.charts.svg import rect, text_width
from reports.page.blocks import Drawing

SVG = "{http://www.w3.org/2000/svg}"
CAPTION = "Thin: seeds; thick: mean of the finished trials. " * 8


def drawn(name: str, width: float = 260, height: float = 160) -> Drawing:
    return Drawing(name, rect(0, 0, width, height, "fon"), width, height, name)


def made(count: int, columns: int, title: str = "", caption: str = "") -> Drawing:
    parts = [Part(drawn(f"chart {at}"), title, "step", "error") for at in range(count)]
    return sheet("whole", parts, columns, caption, "what is seen")


def places(drawing: Drawing) -> list[tuple[float, float]]:
    """Left and upper edge of each chart."""
    found = re.findall(r"translate\(([\d.]+) ([\d.]+)\)", drawing.body)
    return [(float(x), float(y)) for x, y in found]


def test_charts_stand_in_rows_without_overlap() -> None:
    drawing = made(5, 3)
    first, second = places(drawing)[:3], places(drawing)[3:]
    assert [x for x, _ in first] == [MARGIN + at * (260 + GAP) for at in range(3)]
    assert len({y for _, y in first}) == len({y for _, y in second}) == 1
    assert second[0][1] >= first[0][1] + 160
    assert drawing.height >= second[0][1] + 160
    assert drawing.width == 3 * 260 + 2 * GAP + 2 * MARGIN


@pytest.mark.parametrize("columns", [1, 3])
def test_plots_of_a_row_start_at_one_height_whatever_their_titles(columns: int) -> None:
    parts = [Part(drawn("a"), "a long title " * 12), Part(drawn("b"))]
    heights = [y for _, y in places(sheet("whole", parts, columns, "", ""))]
    assert (heights[0] == heights[1]) == (columns == 3)


def test_a_caption_is_whole_and_fits_under_a_narrow_chart() -> None:
    drawing = made(1, 1, caption=CAPTION)
    root = ElementTree.fromstring(standalone(drawing))
    lines = [text.text or "" for text in root.iter(f"{SVG}text") if text.get("class") == "tick"]
    assert drawing.width == LEAST_WIDTH
    assert " ".join(lines) == CAPTION.strip()
    assert max(text_width(line, 10) for line in lines) <= LEAST_WIDTH - 2 * MARGIN


def test_a_chart_without_words_gets_none() -> None:
    drawing = sheet("whole", [Part(drawn("a"))], 1, "", "alt")
    assert "<text" not in drawing.body
    assert drawn("a").body in drawing.body
