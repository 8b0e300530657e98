"""Levels have an order where the study file says so, or where they are numbers of one option."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reports import open_study
from reports.table import StudyTable
from reports.view.ordered import ordered_levels, size_of_weight
from reports.view.study import StudyView

Make = Callable[..., StudyTable]


def view_of(study: StudyTable, levels: Mapping[str, Mapping[str, Any]], **told: bool) -> StudyView:
    """One factor `amount` with these levels."""
    factors = {"amount": {"levels": levels, "reference": next(iter(levels)), **told}}
    cells = [{"cell_id": f"{at:012x}", "levels": {"amount": x}} for at, x in enumerate(levels)]
    trials = study.trials[study.trials["cell_id"].isin([cell["cell_id"] for cell in cells])]
    names = {cell["cell_id"]: cell["levels"]["amount"] for cell in cells}
    trials = trials.assign(**{"level.amount": trials["cell_id"].map(names)})
    plan = {**study.study, "factors": factors, "cells": cells, "base": {"losses": {}}}
    return open_study(replace(study, study=plan, trials=trials))


WEIGHTS = {"none": {}, "much": {"losses.fm": 1}, "some": {"losses.fm": 0.1}}
RESTORED = {
    "whole": {"restore": ["generator", "discriminator"]},
    "fresh optimizers": {"restore": ["generator"]},
    "fresh discriminator": {"restore": []},
}
BOTH = {"none": {}, "some": {"losses.fm": 0.1}, "more": {"losses.fm": 1.0, "lr_g": 0.1}}
TWICE = {"none": {"losses.fm": 0.1}, "same": {"losses.fm": 0.1}, "more": {"losses.fm": 1.0}}


@pytest.mark.parametrize(
    ("levels", "order"),
    [
        (WEIGHTS, ("none", "some", "much")),
        (RESTORED, None),
        (BOTH, None),
        (TWICE, None),
        ({"0.1": {"a": "x"}, "10": {"a": "y"}, "2": {"a": "z"}}, ("0.1", "2", "10")),
        ({"off": {"a": False}, "on": {"a": True}, "2": {"a": 2}}, None),
        ({"b": {}, "a": {"lr_g": 0.1}, "c": {"lr_g": 0.2}}, None),
    ],
    ids=["weights", "restored", "two options", "a tie", "labels", "switch", "untold"],
)
def test_order_is_read_from_the_levels(
    make_study: Make,
    levels: Mapping[str, Mapping[str, Any]],
    order: tuple[str, ...] | None,
) -> None:
    assert ordered_levels(view_of(make_study(seeds=2), levels), "amount") == order


def test_the_study_file_has_the_last_word(make_study: Make) -> None:
    study = make_study(seeds=2)
    assert ordered_levels(view_of(study, RESTORED, ordered=True), "amount") == tuple(RESTORED)
    assert ordered_levels(view_of(study, WEIGHTS, ordered=False), "amount") is None


def test_only_sizes_of_one_loss_are_sizes_of_a_weight(make_study: Make) -> None:
    study = make_study(seeds=2)
    assert size_of_weight(view_of(study, WEIGHTS), "amount")
    assert not size_of_weight(view_of(study, BOTH), "amount")
    steps = {"short": {"steps": 1}, "usual": {"steps": 2}, "long": {"steps": 3}}
    assert not size_of_weight(view_of(study, steps), "amount")
