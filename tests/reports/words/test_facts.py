"""Facts beside the effects: progress, the rule and its changes, missing trials."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reports.build import open_study
from reports.documents.chain import Damage
from reports.documents.rule import LedgerFacts
from reports.page.blocks import plain
from reports.render.csv_files import report_json
from reports.table import StudyTable
from reports.words.facts import (
    blocked,
    interim,
    missing,
    plan_narrowed,
    progress,
    rule_changed,
    rule_fixed,
    seeds_added,
    seeds_with_results,
)
from tests.reports.truths import ledger_of, on, truth

Make = Callable[..., StudyTable]
RULE = {
    "metric": "kid",
    "better": "lower",
    "summary": "last",
    "smallest_effect": 0.01,
    "degradation": {"relative": 0.1, "after_step": 0, "patience": 1},
}


def plan(day: int, seeds: int = 5, ended: int = 0, **rule: Any) -> dict[str, Any]:
    shape = {
        "seeds": list(range(seeds)),
        "cells": 4,
        "trials": 4 * seeds,
        "ended": ended,
        "ended_of": 20,
    }
    return {
        "kind": "plan",
        "time": f"2026-11-{day:02d}T00:00:00+00:00",
        "rule": RULE | rule,
        **shape,
    }


def look(day: int, ended: int) -> dict[str, Any]:
    shape = {"ended": ended, "trials": 20, "seeds": list(range(5))}
    return {"kind": "look", "time": f"2026-11-{day:02d}T00:00:00+00:00", **shape}


def study(ledger: LedgerFacts | None = None, seeds: int = 5) -> StudyTable:
    return truth(("a", "b"), lambda s: 0.03 * on(s, "a"), ledger=ledger, seeds=seeds)


def test_a_study_without_a_ledger_claims_no_date() -> None:
    view = open_study(study())
    assert rule_fixed(view).startswith("It is not recorded when outcome and rule were fixed")
    assert rule_changed(view) == seeds_added(view) == ()


def test_a_rule_that_stood_is_told_with_its_date() -> None:
    view = open_study(study(ledger_of(plan(1), look(2, 20))))
    assert rule_fixed(view).startswith(
        "Outcome and rule were fixed before the first trial (2026-11-01,"
    )
    registered = json.loads(report_json(view, {}))["registered"]
    assert (registered["before_trials"], registered["changes"]) == (True, 0)


def test_a_changed_rule_is_told_with_what_it_was() -> None:
    ledger = ledger_of(
        plan(1), look(2, 20), plan(3, ended=20, better="higher", smallest_effect=0.02)
    )
    view = open_study(study(ledger))
    told = plain(rule_changed(view))
    assert told.startswith("Rule changed: ")
    assert "the better direction from lower to higher" in told
    assert (
        "the smallest effect that matters from 0.01 to 0.02 on 2026-11-03, when 20 of 20 trials"
        in told
    )
    assert (
        "What follows is exploratory. By the rule fixed before the runs: a: harms; b: equivalent."
        in told
    )
    assert rule_fixed(view).startswith("The rule was changed after results were known")


def test_a_change_before_any_result_is_no_change_of_the_rule() -> None:
    view = open_study(study(ledger_of(plan(1), plan(2, smallest_effect=0.02), look(3, 20))))
    assert rule_changed(view) == ()


@pytest.mark.parametrize("kind", ["edited", "removed", "truncated", "deleted", "rewritten"])
def test_a_damaged_ledger_claims_nothing(kind: str) -> None:
    damage = Damage(kind, 2)  # type: ignore[arg-type]
    view = open_study(study(replace(ledger_of(plan(1)), damage=damage)))
    assert plain(rule_changed(view)).startswith("Ledger changed: ")
    assert "so it is not known when" in rule_fixed(view)
    assert "fixed before" not in plain(rule_changed(view)) + rule_fixed(view)


def test_a_plan_that_lost_a_factor_is_done_when_the_rest_is() -> None:
    """Its earlier plan had 8 arms; the newest one decides what is planned."""
    wide = plan(1) | {"cells": 8, "trials": 40}
    view = open_study(study(ledger_of(wide, plan(3, ended=12))))
    assert not progress(view).interim
    assert plain(plan_narrowed(view)) == (
        "Plan narrowed: The plan had 8 arms and 5 seeds (40 trials) until 2026-11-03, when 12 "
        "trials had ended; now it has 4 arms and 5 seeds (20 trials). If results decided what was "
        "dropped, the verdicts may be too favorable or too harsh."
    )
    report = json.loads(report_json(view, {}))
    assert report["answer"].startswith("Plan narrowed: ")
    assert report["interim"] is False
    assert all("plan_narrowed" in claim["caveats"] for claim in report["claims"])


def test_seeds_that_were_dropped_are_told_only_after_results() -> None:
    early, late = (
        open_study(study(ledger_of(plan(1, seeds=9), plan(3, ended=ended)))) for ended in (0, 4)
    )
    assert plan_narrowed(early) == ()
    assert "had 4 arms and 9 seeds (36 trials)" in plain(plan_narrowed(late))
    assert not progress(early).interim
    assert not progress(late).interim


def test_seeds_that_were_added_after_a_look_are_named() -> None:
    view = open_study(study(ledger_of(plan(1), look(2, 20), plan(3, seeds=7, ended=20)), seeds=7))
    assert plain(seeds_added(view)).startswith(
        "Seeds added: Seeds 5, 6 were added after results had been"
    )
    assert view.analysis.cells.rule.peeked


def test_progress_counts_seeds_that_are_done(make_study: Make) -> None:
    waiting = {(0, 2): "running", (1, 3): "planned", (2, 3): "failed"}
    view = open_study(make_study(status=waiting))
    found = progress(view)
    assert (found.seeds_done, found.seeds, found.ended, found.trials, found.interim) == (
        2,
        4,
        13,
        16,
        True,
    )
    assert plain(interim(view)).startswith("Interim: 2 of 4 seeds are done (13 of 16 trials).")
    assert seeds_with_results(view) == 4
    assert interim(open_study(make_study())) == ()


def test_failed_trials_are_counted_with_what_effects_use(make_study: Make) -> None:
    assert missing(open_study(make_study())) == ()
    one = plain(missing(open_study(make_study(status={(0, 0): "failed"}))))
    assert one.startswith("15 of 16 trials finished; effects use all of them (two-way model, ")
    alone = {(cell, 0): "failed" for cell in (0, 1, 2)}
    assert "effects use the 12 that share a seed" in plain(
        missing(open_study(make_study(status=alone)))
    )
    nothing = {(cell, seed): "failed" for cell in range(4) for seed in range(4) if cell != seed}
    told = "4 of 16 trials finished; no two of them can be compared."
    assert plain(missing(open_study(make_study(status=nothing)))) == told


def test_factors_of_an_interaction_are_blocked() -> None:
    crossover = truth(("a", "b", "c"), lambda s: 0.03 * (on(s, "a") != on(s, "b")))
    assert blocked(open_study(crossover)) == {"a", "b"}
    assert blocked(open_study(study())) == set()
