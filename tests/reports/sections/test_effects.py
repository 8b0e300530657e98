"""A fraction has a half-normal plot of its alias groups, told as advice."""

import math
from collections.abc import Callable
from dataclasses import replace

from reports import open_study
from reports.page.blocks import Figure, plain
from reports.sections.effects import effects
from reports.table import StudyTable

Make = Callable[..., StudyTable]


def figures(study: StudyTable) -> dict[str, Figure]:
    section = effects(open_study(study))
    assert section is not None
    return {block.name: block for block in section.blocks if isinstance(block, Figure)}


def half(study: StudyTable) -> StudyTable:
    """The half of a 2^4 study in which an even number of factors is on."""
    cells = [
        cell
        for cell in study.study["cells"]
        if math.prod(1 if level == "with" else -1 for level in cell["levels"].values()) == 1
    ]
    there = [cell["cell_id"] for cell in cells]
    plan = {**study.study, "cells": cells, "design": {"kind": "fractional_factorial"}}
    return replace(study, study=plan, trials=study.trials[study.trials["cell_id"].isin(there)])


def test_a_fraction_has_a_half_normal_plot_of_its_groups(make_study: Make) -> None:
    plot = figures(half(make_study(factors=4, seeds=3)))["half-normal"]
    (panel,) = plot.panels
    assert panel.drawing.body.count("<circle") == 7
    assert "long_recon × long_fm = reassembly_fm × restore" in panel.drawing.body
    assert panel.drawing.alt.startswith("Half-normal plot of 7 contrasts; beyond Lenth's margin:")
    text = plain(plot.caption)
    assert text.startswith("Absolute contrasts of 7 alias groups against half-normal scores.")
    assert "advice, not a test" in text


def test_a_full_factorial_has_none(make_study: Make) -> None:
    assert set(figures(make_study(factors=2))) == {"effects-forest"}
