"""What a study has cost in training steps."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reports.table import StudyTable
from reports.view.cost import cost

STEPS = {"fixed": 0, "trials": 0, "shared": 0, "pretrainings": 40}


def spent(table: StudyTable, fixed: float = 1.0, **columns: Any) -> Any:
    trials = table.trials.assign(**{"steps_done": 100, "status": "finished", **columns})
    every = 100 * len(trials)
    steps = STEPS | {"fixed": round(fixed * every), "trials": every}
    return cost(replace(table, trials=trials, study={**table.study, "steps": steps}))


def test_looks_and_common_steps_are_told_apart(make_study: Callable[..., StudyTable]) -> None:
    one = spent(make_study(seeds=2), fixed=2.0, shared_steps=25)
    assert one.by_looks == pytest.approx(0.5)
    assert one.by_forks == pytest.approx(0.125)
    assert (one.trained, one.pretraining, one.tuning) == (0.75 * one.run, 40, 0)


def test_nothing_is_said_while_trials_are_to_run(make_study: Callable[..., StudyTable]) -> None:
    assert spent(make_study(seeds=2), status="running") is None
    assert cost(make_study(seeds=2)) is None  # an older plan, which has no steps
