"""Figures are the report's charts with everything that a reader needs around them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageFont
from pypdf import PdfReader

from reports import figures, make_report, open_study
from reports.page.blocks import Figure
from reports.render.glyphs import choose_fonts
from reports.table import StudyTable
from reports.view.study import StudyView

SVG = "{http://www.w3.org/2000/svg}"
LONG = {
    "long_recon": "reconstruction of the images after a second translation",
    "long_fm": "WWW MMM @@@ %%% mmm www",
    "reassembly_fm": "x" * 200,
}
Make = Callable[..., StudyTable]


@pytest.fixture(scope="module")
def view(study: StudyTable) -> StudyView:
    return open_study(study)


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def all_words(svg: str) -> str:
    """All words of a figure; lines that were wrapped are joined."""
    return " ".join(texts(svg))


# -- the same charts -------------------------------------------------------------------------------


def test_every_file_of_the_report_holds_the_very_chart_of_the_page(
    study: StudyTable, view: StudyView, tmp_path: Path
) -> None:
    document = make_report(study).document
    panels = [
        panel for block in document.blocks() if isinstance(block, Figure) for panel in block.panels
    ]
    paths = figures.write_figures(document, view, tmp_path / "figures")
    assert [path.name for path in paths] == [
        f"{panel.drawing.name}.{ending}" for panel in panels for ending in ("svg", "pdf")
    ]
    for panel in panels:
        text = (tmp_path / "figures" / f"{panel.drawing.name}.svg").read_text(encoding="utf-8")
        assert panel.drawing.body in text


def test_files_written_twice_are_identical(
    study: StudyTable, view: StudyView, tmp_path: Path
) -> None:
    document = make_report(study).document
    first, second = (
        figures.write_figures(document, view, tmp_path / name) for name in ("first", "second")
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


# -- what a figure says ----------------------------------------------------------------------------


def test_curves_without_arms_are_the_means_of_the_first_page(view: StudyView) -> None:
    words = all_words(figures.curves(view).svg)
    assert view.reference is not None
    assert view.reference.code in words
    assert "kid (lower is better)" in words
    assert "Dashed: reference" in words


def test_curves_of_chosen_arms_name_arms_and_axes_and_explain_their_lines(view: StudyView) -> None:
    svg = figures.curves(view, arms=["long_fm", "long_recon + long_fm"]).svg
    words = texts(svg)
    assert "long_fm" in words
    assert "long_recon + long_fm" in words
    assert words.count("step") == words.count("kid (lower is better)") == 2
    assert "dashed: reference" in all_words(svg)


def test_curves_of_unknown_arms_are_refused(view: StudyView) -> None:
    with pytest.raises(ValueError, match="none of these arms"):
        figures.curves(view, arms=["nothing"])


def test_forest_and_arms_have_a_row_each(view: StudyView) -> None:
    effects, differences = figures.forest(view).svg, figures.arms(view).svg
    assert set(view.analysis.effects["term"]) <= set(texts(effects))
    assert {"long_fm", "long_recon", "long_recon + long_fm"} <= set(texts(differences))
    for svg in (effects, differences):
        assert "change of kid" in all_words(svg)
        assert "95% intervals" in all_words(svg)
        assert "Gray band: within the margin" in all_words(svg)
    assert 'class="dot"' in differences


def test_shares_have_a_title_and_a_unit(view: StudyView) -> None:
    words = texts(figures.shapley(view).svg)
    assert "Shapley shares of the factors" in words
    assert "share of the change of kid at step 400" in words
    assert set(view.analysis.shapley["factor"]) <= set(words)


def test_survival_names_its_groups_and_its_axis(view: StudyView) -> None:
    words = texts(figures.survival(view).svg)
    assert "share of trials not yet degraded or diverged" in words
    assert any(word.startswith("Trials by level of ") for word in words)
    assert {"without", "with", "step"} <= set(words)


def test_disentanglement_draws_each_finished_trial(view: StudyView) -> None:
    svg = figures.disentanglement(view, "swap_score").svg
    marks = re.findall(r'<circle class="fn|<rect class="\w+ hollow thin"', svg)
    assert len(marks) == 14
    assert "swap_score (higher is better)" in texts(svg)
    with pytest.raises(KeyError):
        figures.disentanglement(view, "nothing")


def test_a_figure_that_the_report_does_not_have_is_refused(make_study: Make) -> None:
    view = open_study(make_study(factors=1, cells=1))
    with pytest.raises(ValueError, match="effects-forest"):
        figures.forest(view)
    with pytest.raises(ValueError, match="compared with the reference"):
        figures.arms(view)


# -- text that fits --------------------------------------------------------------------------------


Placed = tuple[ElementTree.Element, float, float]
"""A text, and the origin of its coordinates."""


def placed(element: ElementTree.Element, left: float = 0.0, top: float = 0.0) -> Iterator[Placed]:
    """Every text of a figure; charts are moved inside of it."""
    if found := re.match(r"translate\(([\d.]+) ([\d.]+)\)", element.get("transform", "")):
        left, top = left + float(found[1]), top + float(found[2])
    if element.tag == f"{SVG}text":
        yield element, left, top
    for child in element:
        yield from placed(child, left, top)


@pytest.mark.parametrize("names", [None, LONG], ids=["usual", "long"])
def test_no_text_of_a_figure_is_clipped(
    names: dict[str, str] | None, make_study: Make, tmp_path: Path
) -> None:
    table = make_study(factors=3, seeds=3, names=names)
    view = open_study(table)
    paths = figures.write_figures(make_report(table).document, view, tmp_path)
    svgs = [path.read_text(encoding="utf-8") for path in paths if path.suffix == ".svg"]
    charts = (figures.arms(view), figures.curves(view, [arm.label for arm in view.arms]))
    for svg in (*svgs, *(chart.svg for chart in charts)):
        assert_inside(svg)


def assert_inside(svg: str) -> None:
    """Check that every text lies inside the figure, by the widths of the font's characters."""
    (folder,) = choose_fonts(set("a")).folders
    fonts = {
        bold: ImageFont.truetype(str(folder / name), 1000)
        for bold, name in ((False, "DejaVuSans.ttf"), (True, "DejaVuSans-Bold.ttf"))
    }
    root = ElementTree.fromstring(svg)
    width, height = (float(size) for size in root.get("viewBox", "").split()[2:])
    for element, left, top in placed(root):
        css = element.get("class", "").split()
        size = 10 if "tick" in css else 11
        length = fonts["bold" in css].getlength(element.text or "") * size / 1000
        x = left + float(element.get("x", "0"))
        start = x - length * (1.0 if "end" in css else 0.5 if "mid" in css else 0.0)
        assert start >= 0, element.text
        assert start + length <= width, element.text
        assert size <= top + float(element.get("y", "0")) <= height - 2, element.text


# -- files -----------------------------------------------------------------------------------------


def test_a_figure_is_saved_in_the_format_of_its_name(view: StudyView, tmp_path: Path) -> None:
    chart = figures.forest(view)
    paths = [chart.save(tmp_path / f"forest.{ending}") for ending in ("svg", "pdf", "png")]
    assert paths[0].read_text(encoding="utf-8") == chart.svg == chart._repr_svg_()
    (page,) = PdfReader(paths[1]).pages
    assert float(page.mediabox.width) == pytest.approx(0.75 * chart.drawing.width, abs=1)
    with Image.open(paths[2]) as image:
        assert image.width == pytest.approx(2 * chart.drawing.width, abs=2)
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    again = [chart.save(tmp_path / f"again.{ending}") for ending in ("svg", "pdf", "png")]
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


def test_another_format_is_refused(view: StudyView, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"forest\.jpg: can't write '\.jpg'"):
        figures.forest(view).save(tmp_path / "forest.jpg")
    assert not list(tmp_path.iterdir())
