import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from PIL import ImageFont

from reports.charts import (
    curve_panel,
    forest,
    interval_axis,
    interval_bar,
    scatter,
    standalone,
    survival_chart,
)
from reports.charts import waterfall as draw_waterfall
from reports.charts.curves import Line, Marks
from reports.charts.intervals import Estimate, effect_axis
from reports.charts.scatter import Spot
from reports.charts.survival import Survivors
from reports.charts.svg import (
    LEADING,
    Axis,
    end_labels,
    shortened,
    text_width,
    thinned,
    tick_labels,
    wrapped,
)
from reports.charts.waterfall import Share
from reports.page.theme import DRAWING_CLASSES
from reports.render.glyphs import choose_fonts

SVG = "{http://www.w3.org/2000/svg}"


def drawings():
    """One of each kind of drawing, with labels that need escaping."""
    estimates = [
        Estimate("a <b> & c", 0.03, 0.01, 0.05, "on", (0.02, 0.04)),
        Estimate("λ é 日本", None, None, None),
        Estimate("no interval", -0.01, None, None),
    ]
    axis = effect_axis(estimates, 0.01)
    points = ((0, 0.1), (10, 0.2), (20, 0.15))
    marks = Marks(((10, 0.2),), ((20, 0.15),))
    shares = [Share("<a>", 0.1, "+0.1", "fon"), Share("b", -0.2, "−0.2", "foff")]
    return [
        interval_bar("bar", estimates[0], axis, 0.01, "alt <1>"),
        interval_bar("bar-none", estimates[1], axis, None, "nothing"),
        interval_axis("axis", axis, "change of kid"),
        forest("forest", estimates, 0.01, "change", "effects"),
        curve_panel("curve", [Line(points, "on mean")], (0, 20), (0, 1), "alt", marks, 0.5),
        curve_panel(
            "wide",
            [Line((), "off")],
            (0, 0),
            (0, 1),
            "alt",
            x_label="step",
            width=500,
            labels=[(0.5, "<a>")],
        ),
        survival_chart(
            "survival", [Survivors("with", (5,), (0.5,), (20,), (2, 1, 0, 0, 0), "on")], 20, "alt"
        ),
        survival_chart(
            "survival-none", [Survivors("all", (), (), (20,), (2, 2, 2, 2, 2), "off")], 20, "alt"
        ),
        draw_waterfall("shapley", shares, "all", "−0.1", "alt"),
        scatter(
            "scatter",
            [Spot(1, 2, "on", True, "<t>"), Spot(3, 1, "off", False, "&")],
            [(1, 1)],
            ("x", "y"),
            "alt",
        ),
    ]


@pytest.mark.parametrize("drawing", drawings(), ids=lambda drawing: drawing.name)
def test_each_drawing_is_a_complete_svg_with_its_text(drawing):
    root = ElementTree.fromstring(standalone(drawing))
    assert root.find(f"{SVG}title").text == drawing.alt
    size = [float(number) for number in root.get("viewBox").split()[2:]]
    assert size == pytest.approx([drawing.width, drawing.height], abs=0.1)


@pytest.mark.parametrize("drawing", drawings(), ids=lambda drawing: drawing.name)
def test_drawings_use_classes_of_the_theme_and_no_colours(drawing):
    used = {
        name for names in re.findall(r'class="([^"]+)"', drawing.body) for name in names.split()
    }
    known = set(re.findall(r"\.([a-z]+)", DRAWING_CLASSES))
    assert {name for name in used if not name.startswith("l-")} <= known
    assert not re.search(r"#[0-9a-f]{3}|rgb|nan|inf", drawing.body)


def test_an_axis_holds_its_ticks_and_maps_its_ends():
    axis = Axis(0.0, 2000.0, 40.0, 240.0)
    assert (axis(0), axis(2000), axis(1000), axis(9999)) == (40, 240, 140, 240)
    assert axis.ticks(4) == [0, 500, 1000, 1500, 2000]
    assert Axis.around([], 0, 1)(0.5) == pytest.approx(0.5)
    assert Axis.around([0.3, 0.3], 0, 1).low < 0.3 < Axis.around([0.3, 0.3], 0, 1).high


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([-0.02, 0.0, 0.02], ["−0.02", "0.00", "+0.02"]),
        ([0, 0.025, 0.05], ["0.000", "+0.025", "+0.050"]),
        ([], []),
    ],
)
def test_tick_labels_share_their_digits(ticks, labels):
    assert tick_labels(ticks, sign=True) == labels


def test_long_labels_are_cut_to_their_room():
    assert shortened("short", 100) == "short"
    assert text_width(shortened("x" * 200, 100)) <= 100
    assert shortened("日本語" * 20, 60).endswith("…")


@pytest.mark.parametrize("bold", [False, True], ids=["normal", "bold"])
@pytest.mark.parametrize(
    "text",
    [
        "long_recon × long_fm",
        "decay=strong + width=narrow",
        "WWW MMM mmm www @@@",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "abcdefghijklmnopqrstuvwxyz 0123456789",
        "illicit: (fi/ff), [it's] {0.010}; −3.5%, ±2 ≤ λ",
    ],
)
def test_the_estimated_width_is_just_above_the_true_one(text, bold):
    (folder,) = choose_fonts(set("a")).folders
    font = ImageFont.truetype(str(folder / f"DejaVuSans{'-Bold' * bold}.ttf"), 1000)
    true = font.getlength(text) / 1000
    assert true <= text_width(text, 1, bold) <= 1.3 * true


def test_wrapped_lines_fit_and_keep_every_character():
    text = f"decay=strong + width=narrow {'x' * 60} end"
    lines = wrapped(text, 100)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line) <= 100 for line in lines)
    assert wrapped("short", 100) == ["short"]

    cut = wrapped(text, 100, most=2)
    assert len(cut) == 2
    assert cut[1].endswith("…")


def test_labels_at_the_ends_of_lines_keep_apart_and_keep_their_order():
    text = "decay=strong + width=narrow"
    labels = [(90.0, "c"), (50.0, text), (51.0, "b"), (200.0, "d"), (201.0, "e")]
    drawn = end_labels(300, labels, 100, 0, 150)
    found = [(float(y), word) for y, word in re.findall(r'y="([\d.]+)">([^<]+)<', drawn)]
    assert [word for _, word in found] == [*wrapped(text, 100, bold=True), "b", "c", "d", "e"]
    assert all(b - a >= LEADING for (a, _), (b, _) in pairwise(found))
    assert found[0][0] > 0
    assert found[-1][0] <= 150


def test_thinning_keeps_the_ends():
    points = [(float(i), 0.0) for i in range(1001)]
    kept = thinned(points, 200)
    assert len(kept) <= 201
    assert (kept[0], kept[-1]) == (points[0], points[-1])


def test_a_waterfall_ends_at_the_total():
    """The bar of the total ends where the last share ends."""
    body = draw_waterfall(
        "w", [Share("a", 0.1, "", "fon"), Share("b", 0.2, "", "fon")], "all", "", "alt"
    ).body
    rects = [
        (float(x), float(w))
        for x, w in re.findall(r'<rect[^>]* x="([\d.]+)"[^>]* width="([\d.]+)"', body)
    ]
    total = re.search(r'neutral bar" d="M([\d.]+) [\d.]+L([\d.]+)', body)
    assert sum(rects[1]) == pytest.approx(float(total.group(2)), abs=0.2)
    assert rects[0][0] == pytest.approx(float(total.group(1)), abs=0.2)


def test_survival_of_equal_groups_shows_every_line_and_label():
    groups = [
        Survivors(name, (), (), (20,), (2, 2, 2, 2, 2), css)
        for name, css in (("off", "off"), ("with", "on"))
    ]
    body = survival_chart("survival", groups, 20, "alt").body
    heights = {
        name: float(y)
        for y, name in re.findall(r'class="bold" x="[\d.]+" y="([-\d.]+)">(\w+)<', body)
    }
    assert abs(heights["off"] - heights["with"]) >= 13
    assert all(10 <= height <= 174 for height in heights.values())
    assert 'class="on mean dash"' in body
