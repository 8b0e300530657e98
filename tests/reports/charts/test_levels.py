"""Levels are joined by lines only where they are said to be ordered."""

import re

from reports.charts import standalone
from reports.charts.levels import LEFT, RIGHT, level_panel

VALUES = {"whole": {0: 1.0, 1: 1.2}, "fresh <optimizers>": {0: 2.0, 1: 2.2}, "none": {0: 3.0}}


def curves(body: str) -> list[str]:
    return re.findall(r'<path class="(off [a-z]+)"', body)


def test_lines_join_ordered_levels_alone() -> None:
    lined = level_panel("levels", VALUES, (0.5, 3.5), "alt", lined=True).body
    assert curves(lined) == ["off seed", "off seed", "off mean"]
    dots = level_panel("levels", VALUES, (0.5, 3.5), "alt", lined=False).body
    assert curves(dots) == []
    assert dots.count('class="dot"') == 5
    assert dots.count('class="foff"') == 3


def test_levels_stand_from_left_to_right_inside_the_frame_with_their_names() -> None:
    drawing = level_panel("levels", VALUES, (0.5, 3.5), "alt", lined=False)
    places = [float(x) for x in re.findall(r'class="foff" cx="([\d.]+)"', drawing.body)]
    assert places == sorted(places)
    assert places[0] > LEFT
    assert places[-1] < RIGHT
    assert "fresh &lt;optimizers&gt;" in standalone(drawing)


def test_one_level_and_one_seed_are_drawn() -> None:
    drawing = level_panel("levels", {"only": {3: 1.0}}, (0.5, 1.5), "alt", lined=True)
    assert 'class="foff"' in drawing.body
