"""Arms that stand for a study are named by what they are, never by what the design lacks."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports import open_study
from reports.page.blocks import plain
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.chosen import Choice, chosen

Make = Callable[..., StudyTable]
MOST = 6


def choice(view: StudyView) -> Choice:
    return chosen(view, view.arms, MOST)


def fraction(make_study: Make) -> StudyTable:
    """2^(4-1) of the made study: every arm but the first changes two or four factors."""
    study = make_study(factors=4, seeds=3)

    def kept(levels: Mapping[str, str]) -> bool:
        return math.prod(1 if level == "with" else -1 for level in levels.values()) == 1

    cells = [cell for cell in study.study["cells"] if kept(cell["levels"])]
    there = [cell["cell_id"] for cell in cells]
    plan = {**study.study, "cells": cells, "design": {"kind": "fractional_factorial"}}
    trials = study.trials[study.trials["cell_id"].isin(there)]
    return replace(study, study=plan, trials=trials)


def test_all_arms_need_no_words(make_study: Make) -> None:
    found = choice(open_study(make_study(factors=2)))
    assert (len(found.arms), found.words) == (4, ())


def test_a_fraction_shows_the_extremes_and_says_so(make_study: Make) -> None:
    view = open_study(fraction(make_study))
    assert view.analysis.cells.design.fraction
    found = choice(view)
    means = {str(r["cell_id"]): r["mean"] for r in view.analysis.arms.to_dict("records")}
    ranked = sorted(view.arms, key=lambda arm: means[arm.cell_id])
    wanted = {ranked[0].label, ranked[3].label, ranked[-1].label, "none of the four"}
    assert {arm.label for arm in found.arms} == wanted
    text = plain(found.words)
    assert text.startswith(f"Shown: {len(wanted)} of 8 arms: none of the four (reference")
    assert f"{ranked[-1].label} (highest mean)" in text
    assert f"{ranked[3].label} (median mean)" in text
    assert "alone" not in text


def test_each_factor_alone_is_said_where_all_such_arms_are_shown(make_study: Make) -> None:
    found = choice(open_study(make_study(factors=3)))
    assert plain(found.words) == (
        "Shown: 6 of 8 arms: the reference, each factor alone, and 2 of the others whose mean "
        "differs most from the reference's."
    )
    singles = [arm.label for arm in found.arms if "+" not in arm.label]
    assert singles == ["none of the three", "reassembly_fm", "long_fm", "long_recon"]


def test_a_part_of_the_single_changes_is_counted(make_study: Make) -> None:
    found = choice(open_study(make_study(factors=6, seeds=2)))
    assert len(found.arms) == MOST
    text = plain(found.words)
    assert "4 arms that differ from the reference in one factor" in text
    assert "each factor" not in text


def with_reference(study: StudyTable, levels: Mapping[str, str]) -> StudyTable:
    """The study with another arm as its reference."""
    cells: Sequence[Mapping[str, Any]] = study.study["cells"]
    id_ = next(cell["cell_id"] for cell in cells if cell["levels"] == levels)
    return replace(study, study={**study.study, "reference_cell": id_})


def test_changes_are_counted_from_the_reference(make_study: Make) -> None:
    study = make_study(factors=3)
    names = list(study.study["factors"])
    found = choice(open_study(with_reference(study, dict.fromkeys(names, "with"))))
    text = plain(found.words)
    assert "each factor changed alone" in text
    pairs = {" + ".join(pair) for pair in itertools.combinations(names, 2)}
    assert pairs <= {arm.label for arm in found.arms}


def test_arms_without_pictures_are_told(make_study: Make) -> None:
    view = open_study(make_study(factors=2))
    found = chosen(view, view.arms[:3], MOST)
    assert plain(found.words) == "Shown: 3 of 4 arms: those with pictures."
