"""Contrasts beyond Lenth's margin stand out and are named; the others lie near the line."""

import re
from itertools import pairwise

import numpy as np
import pytest

from reports.charts.half_normal import BOTTOM, LEFT, RIGHT, TOP, Contrast, half_normal
from reports.charts.svg import LEADING
from reports.page.blocks import Drawing
from reports.stats.lenth import half_normal_scores, lenth

NOISE = (0.1, -0.2, 0.15, 0.05, -0.12, 0.22)


def drawn(*values: float) -> Drawing:
    contrasts = [Contrast(f"t{at} = <alias>", value) for at, value in enumerate(values)]
    return half_normal("half-normal", contrasts, lenth(np.array(values)), "contrast", "alt")


def marks(drawing: Drawing) -> list[tuple[str, float, float]]:
    """Tone and place of each mark."""
    found = re.findall(r'<circle class="(\w+)" cx="([\d.]+)" cy="([\d.]+)"', drawing.body)
    return [(tone, float(x), float(y)) for tone, x, y in found]


def names(drawing: Drawing) -> dict[str, float]:
    """Label -> its height."""
    found = re.findall(r'<text x="[\d.]+" y="([\d.]+)">(t\d+)', drawing.body)
    return {name: float(y) for y, name in found}


def test_a_large_contrast_stands_out_by_its_size_whatever_its_sign() -> None:
    drawing = drawn(*NOISE, -2.0)
    assert [tone for tone, _, _ in marks(drawing)] == ["fgray"] * 6 + ["fneutral"]
    assert set(names(drawing)) == {"t6"}


def test_of_noise_the_largest_is_named_and_none_stands_out() -> None:
    drawing = drawn(*NOISE)
    assert {tone for tone, _, _ in marks(drawing)} == {"fgray"}
    assert set(names(drawing)) == {"t5"}


def test_marks_rise_from_left_to_right_inside_the_frame() -> None:
    places = [(x, y) for _, x, y in marks(drawn(*NOISE, -2.0))]
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in places)


def test_the_line_of_noise_has_the_pseudo_standard_error_as_its_slope() -> None:
    """Scores and sizes share the ends of the frame, so pixels tell the slope."""
    values = (*NOISE, -2.0)
    drawing = drawn(*values)
    ends = re.findall(r'<path class="zero" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"', drawing.body)
    x1, y1, x2, y2 = map(float, ends[0])
    (_, x0, y0), *_, (_, x, y) = marks(drawing)
    scale = (y0 - y) / (2.0 - 0.05)
    scores = half_normal_scores(len(values))
    stretch = (x - x0) / (scores[-1] - scores[0])
    slope = ((y1 - y2) / scale) / ((x2 - x1) / stretch)
    assert slope == pytest.approx(lenth(np.array(values)).pse, rel=0.02)


def test_labels_do_not_lie_over_each_other() -> None:
    noise = np.linspace(0.01, 0.05, 20)
    heights = sorted(names(drawn(*noise, 2.0, 2.01, 2.02)).values())
    assert len(heights) == 3
    assert all(b - a >= LEADING - 0.1 for a, b in pairwise(heights))


def test_contrasts_of_zero_are_drawn() -> None:
    drawing = drawn(0.0, 0.0, 0.0)
    assert len(marks(drawing)) == 3
    assert "nan" not in drawing.body
