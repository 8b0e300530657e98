"""Levels without an order are dots side by side, and nothing calls them a dose."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from reports import open_study
from reports.page.blocks import Document, Figure, Section, Text, plain
from reports.render.plain_text import to_text
from reports.sections.sensitivity import _by_level, sensitivity
from reports.table import StudyTable

Make = Callable[..., StudyTable]
WEIGHTS = {"none": {}, "some": {"losses.fm": 0.1}, "much": {"losses.fm": 1.0}}
RESTORED = {
    "whole": {"restore": ["generator", "discriminator"]},
    "fresh optimizers": {"restore": ["generator"]},
    "fresh discriminator": {"restore": []},
}
STEPS = {"short": {"steps": 100}, "usual": {"steps": 200}, "long": {"steps": 400}}


def section(study: StudyTable, **factors: Mapping[str, Mapping[str, Any]]) -> Section:
    """The section for these factors; the made study has a cell for every combination."""
    plans = {name: {"levels": of, "reference": next(iter(of))} for name, of in factors.items()}
    combinations = list(itertools.product(*factors.values()))
    cells, parts = [], []
    for at, labels in enumerate(combinations):
        levels = dict(zip(factors, labels, strict=True))
        cells.append({"cell_id": f"{at:012x}", "levels": levels})
        part = study.trials[study.trials["cell_id"] == f"{at:012x}"]
        parts.append(part.assign(**{f"level.{name}": level for name, level in levels.items()}))
    trials = study.trials.iloc[:0]
    for part in parts:
        trials = part if trials.empty else trials.merge(part, how="outer")
    plan = {**study.study, "factors": plans, "cells": cells, "base": {"losses": {}, "steps": 400}}
    found = sensitivity(open_study(replace(study, study=plan, trials=trials)))
    assert found is not None
    return found


def told(found: Section) -> str:
    return to_text(Document("made", "made", "", (found,)))


def figure(found: Section) -> Figure:
    return next(block for block in found.blocks if isinstance(block, Figure))


def test_levels_without_an_order_are_dots(make_study: Make) -> None:
    found = section(make_study(factors=2), restored=RESTORED)
    assert found.title == "How do the levels compare?"
    (panel,) = figure(found).panels
    assert plain(panel.title) == "restored (levels without an order)"
    assert "off mean" not in panel.drawing.body
    assert 'class="dot"' in panel.drawing.body
    assert plain(figure(found).caption) == (
        "Dots: levels without an order, side by side in plan order; small: seeds; large: mean."
    )
    for word in ("dose", "weight", "more of"):
        assert word not in told(found)


def test_sizes_of_a_weight_are_lines_from_low_to_high(make_study: Make) -> None:
    found = section(make_study(factors=2), fm=WEIGHTS)
    assert found.title == "Does the size of the weight matter?"
    (panel,) = figure(found).panels
    assert plain(panel.title) == "fm"
    assert "off mean" in panel.drawing.body
    assert "side by side" not in told(found)
    assert "dose" not in told(found)


def test_another_amount_is_not_called_a_weight(make_study: Make) -> None:
    found = section(make_study(factors=2), length=STEPS)
    assert found.title == "Does the amount matter?"
    assert "weight" not in told(found)


def test_both_kinds_are_told_apart(make_study: Make) -> None:
    study = make_study(factors=4)
    noise = 0.001 * np.sin(7.0 * study.trials["seed"] + 3.0 * np.arange(len(study.trials)))
    level = study.trials.assign(**{"metric.kid": 0.03 + noise})
    found = section(replace(study, trials=level), fm=WEIGHTS, restored=RESTORED)
    assert found.title == "How do the levels compare?"
    lines, dots = figure(found).panels
    assert "off mean" in lines.drawing.body
    assert "off mean" not in dots.drawing.body
    caption = plain(figure(found).caption)
    assert caption.startswith("Lines: ordered levels from low to high; thin: seeds; thick: mean. ")
    assert caption.endswith("small: seeds; large: mean.")
    intro = next(block for block in found.blocks if isinstance(block, Text))
    assert "Levels without an order are compared side by side" in plain(intro.spans)


def test_factors_with_two_levels_have_no_such_section(make_study: Make) -> None:
    assert sensitivity(open_study(make_study(factors=2))) is None


def test_levels_are_read_at_equal_settings_of_the_others(make_study: Make) -> None:
    """One at a time: the first level's trials at other settings of the other factor are not its
    own."""
    study = make_study(factors=2, seeds=2, cells=3)
    levels = {**study.study["factors"]["long_recon"]["levels"], "more": {}}
    plan = {
        **study.study,
        "design": "one_at_a_time",
        "factors": {
            **study.study["factors"],
            "long_recon": {**study.study["factors"]["long_recon"], "levels": levels},
        },
        "cells": [
            *study.study["cells"],
            {"cell_id": "more", "levels": {"long_recon": "more", "long_fm": "without"}},
        ],
    }
    more = study.trials.iloc[:2].assign(
        cell_id="more", trial_id=["m0", "m1"], **{"level.long_recon": "more"}
    )
    trials = pd.concat([study.trials, more], ignore_index=True)
    trials.loc[trials["level.long_fm"] == "with", "metric.kid"] = 9.0
    seeds, means = _by_level(open_study(replace(study, study=plan, trials=trials)), "long_recon")
    assert {level: len(values) for level, values in means.items()} == {
        "without": 2,
        "with": 2,
        "more": 2,
    }
    assert max(value for values in means.values() for value in values) < 9
    assert [len(points) for points in seeds.values()] == [3, 3]
