"""The ledger: its chain, what an edit or a deletion leaves, and the facts that follow from its
entries."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.documents.chain import START, Damage, line_of, read_chain, sealed
from reports.documents.ledger import NAME, REGISTRATION, ledger_facts, load_ledger
from reports.documents.rule import Changed, LedgerFacts, Rule

RULE: dict[str, Any] = {
    "metric": "kid",
    "better": "lower",
    "summary": "last",
    "smallest_effect": 0.01,
    "degradation": {"relative": 0.1, "after_step": 0, "patience": 1},
}
DAY = datetime(2026, 11, 1, tzinfo=UTC)


def time(day: int) -> str:
    return (DAY + timedelta(days=day)).isoformat()


def plan(
    day: int, seeds: int = 5, rule: Mapping[str, Any] = RULE, kind: str = "plan", **more: Any
) -> dict[str, Any]:
    shape = {
        "plan": "aa",
        "rule": dict(rule),
        "seeds": list(range(seeds)),
        "cells": 8,
        "trials": 8 * seeds,
    }
    return {"kind": kind, "time": time(day), **shape, **more}


def look(day: int, ended: int, trials: int = 40, seeds: int = 5) -> dict[str, Any]:
    return {
        "kind": "look",
        "time": time(day),
        "plan": "aa",
        "ended": ended,
        "trials": trials,
        "seeds": list(range(seeds)),
    }


def ledger(*entries: Mapping[str, Any]) -> bytes:
    """The entries as `run` and `report` append them."""
    lines, last = b"", START
    for entry in entries:
        whole = sealed({**entry, "previous": last})
        lines, last = lines + line_of(whole), whole["sha256"]
    return lines


def facts(
    data: bytes | None, head: bytes | None = None, **documents: Mapping[str, Any]
) -> LedgerFacts:
    """What a ledger shows where plan.json keeps the head of `head`, by default of the ledger
    itself."""
    newest = read_chain(data or b"" if head is None else head).last
    kept = {} if newest == START else {"ledger": {"sha256": newest}}
    return ledger_facts(data, {"hash": "aa", **kept}, documents, {})


WHOLE = ledger(plan(0), look(1, 16), look(2, 40))


def test_a_whole_ledger_is_present_and_its_rule_fixed_before() -> None:
    found = facts(WHOLE, t1={"attempts": [{"started": DAY.timestamp() + 60}], "plan_hash": "aa"})
    assert (found.state, found.damage, found.torn) == ("present", None, ())
    assert found.first is not None
    assert (found.first.rule, found.first.date, found.first.plan_hash) == (Rule.of(RULE), DAY, "aa")
    assert found.fixed_before_trials
    assert not found.peeked
    assert [it.planned for it in found.looks] == [False, True]
    assert [it.ended for it in found.unplanned_looks] == [16]


def test_no_ledger_is_absent_and_nothing_is_known() -> None:
    assert facts(b"").state == "absent"
    found = facts(None)
    assert (found.state, found.damage, found.first, found.narrowed) == ("absent", None, None, None)
    assert not found.fixed_before_trials


@pytest.mark.parametrize("line", [1, 2, 3])
def test_an_edited_line_is_found(line: int) -> None:
    lines = WHOLE.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b"aa", b"bb")
    found = facts(b"".join(lines), head=WHOLE)
    assert (found.state, found.damage) == ("broken", Damage("edited", line))
    assert not found.fixed_before_trials


@pytest.mark.parametrize("line", [1, 2])
def test_an_edit_that_seals_its_line_again_breaks_the_next_one(line: int) -> None:
    lines = WHOLE.splitlines()
    entry = json.loads(lines[line - 1]) | {"plan": "bb"}
    lines[line - 1] = line_of(sealed(entry)).strip()
    assert facts(b"\n".join(lines) + b"\n", head=WHOLE).damage == Damage("removed", line + 1)


def test_a_line_made_unreadable_is_an_edit_and_not_torn() -> None:
    lines = WHOLE.splitlines()
    lines[1] = b"{"
    found = facts(b"\n".join(lines) + b"\n", head=WHOLE)
    assert (found.damage, found.torn) == (Damage("edited", 2), ())


@pytest.mark.parametrize(("line", "seen_at"), [(1, 1), (2, 2)])
def test_a_removed_line_is_found(line: int, seen_at: int) -> None:
    lines = WHOLE.splitlines(keepends=True)
    del lines[line - 1]
    assert facts(b"".join(lines), head=WHOLE).damage == Damage("removed", seen_at)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_ledger_cut_at_its_end_is_found(left: int) -> None:
    cut = b"".join(WHOLE.splitlines(keepends=True)[:left])
    found = facts(cut, head=WHOLE)
    assert (found.state, found.damage) == ("broken", Damage("truncated", left + 1))


def test_a_deleted_ledger_is_found_by_the_plan_or_by_the_trials() -> None:
    by_plan, by_trial = facts(None, head=WHOLE), facts(None, t1={"plan_hash": "aa"})
    assert (by_plan.state, by_plan.damage) == ("absent", Damage("deleted"))
    assert (by_trial.state, by_trial.damage) == ("absent", Damage("deleted"))


def test_a_ledger_begun_again_tells_of_the_one_before() -> None:
    again = ledger({"kind": "gap", "time": time(9), "expected": "ff"}, plan(9, kind="found"))
    assert facts(again).damage == Damage("deleted", 1)
    assert facts(ledger(plan(0), {"kind": "gap", "time": time(9)}, plan(9))).damage == Damage(
        "truncated", 2
    )


def test_a_ledger_of_other_plans_than_the_trials_is_rewritten() -> None:
    found = facts(WHOLE, t1={"plan_hash": "aa"}, t2={"plan_hash": "other"}, t3={})
    assert (found.state, found.damage, found.unknown_plans) == (
        "broken",
        Damage("rewritten"),
        ("t2",),
    )


@pytest.mark.parametrize("kept", range(1, 40, 7))
def test_a_torn_last_line_is_told_and_is_no_damage(kept: int) -> None:
    newest = ledger(plan(0), look(1, 16), look(2, 40)).splitlines(keepends=True)[-1]
    torn = WHOLE[: -len(newest)] + newest[:kept]
    found = facts(torn)
    assert (found.state, found.damage, found.torn) == ("present", None, (3,))
    assert len(found.looks) == 1


def test_the_chain_continues_after_a_torn_line() -> None:
    first, second = WHOLE.splitlines(keepends=True)[:2]
    assert facts(first + b'{"kind": "lo\n' + second).torn == (2,)
    assert facts(first + b'{"kind": "lo\n' + second).damage is None


@pytest.mark.parametrize(
    "junk", [b"\xff\xfe\x00", b"[" * 100_000, b"null\n3\n", b'{"a": NaN}\n', b"\n\n\n"]
)
def test_junk_never_raises(junk: bytes) -> None:
    assert facts(junk).plans == ()
    assert len(facts(WHOLE + junk, head=WHOLE).plans) == 1


def test_a_sealed_entry_that_lacks_keys_is_passed_over() -> None:
    found = facts(
        ledger(plan(0), {"kind": "plan"}, {"kind": "look", "time": 3}, {"kind": "of tomorrow"})
    )
    assert (len(found.plans), found.looks, found.damage) == (1, (), None)


def test_a_changed_rule_tells_what_when_and_after_how_many() -> None:
    other = RULE | {"smallest_effect": 0.05, "metric": "l1"}
    data = ledger(plan(0), look(3, 40), plan(4, rule=other, ended=40, plan="bb"))
    trial = {"attempts": [{"started": (DAY + timedelta(days=1)).timestamp()}], "plan_hash": "aa"}
    found = facts(data, t1=trial, t2={"attempts": []})
    (change,) = found.rule_changes
    assert change.changed == (
        Changed("metric", "kid", "l1"),
        Changed("smallest_effect", 0.01, 0.05),
    )
    assert (change.before, change.after) == (Rule.of(RULE), Rule.of(other))
    assert (change.date, change.plan_hash) == (DAY + timedelta(days=4), "bb")
    assert (change.ended, change.trials, change.looks) == (40, 40, 1)
    assert found.trials_before_rule == ("t1",)
    assert not found.fixed_before_trials
    assert not found.peeked


def test_a_rule_changed_before_any_trial_was_still_fixed_before() -> None:
    data = ledger(plan(0, kind="register"), plan(1, rule=RULE | {"smallest_effect": 0.02}))
    found = facts(data, t1={"attempts": [{"started": (DAY + timedelta(days=2)).timestamp()}]})
    assert [change.late for change in found.rule_changes] == [False]
    assert found.fixed_before_trials
    interrupted = facts(ledger(plan(0), plan(1, rule=RULE | {"smallest_effect": 0.02}, started=1)))
    assert [change.late for change in interrupted.rule_changes] == [True]
    assert not interrupted.fixed_before_trials


def test_the_level_of_looks_and_written_defaults_are_no_change() -> None:
    written = RULE | {"scale": "linear", "also": [], "alpha": 0.03}
    assert facts(ledger(plan(0), plan(1, rule=written))).rule_changes == ()


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("scale", "log", "scale"),
        ("better", "higher", "better"),
        ("summary", "best", "summary"),
        ("looks", [3, 5], "looks"),
        ("spend", "late", "spend"),
        ("degradation", {"relative": 0.2}, "degradation"),
        ("also", [{"metric": "l1", "better": "lower", "smallest_effect": None}], "also"),
    ],
)
def test_each_part_of_the_rule_counts(key: str, value: Any, name: str) -> None:
    (change,) = facts(ledger(plan(0), plan(1, rule=RULE | {key: value}))).rule_changes
    assert [it.name for it in change.changed] == [name]


def test_seeds_added_after_a_look_are_peeking() -> None:
    found = facts(ledger(plan(0, seeds=3), look(1, 24, 24, 3), plan(2, seeds=5, ended=24)))
    (added,) = found.seeds_added
    assert (added.seeds, added.looks, added.seen, added.ended) == ((3, 4), 1, 24, 24)
    assert found.peeked
    assert found.rule_changes == ()


def test_seeds_added_before_a_look_or_run_in_parts_are_not() -> None:
    assert not facts(ledger(plan(0, seeds=3), plan(1, seeds=5), look(2, 40))).peeked
    parts = ledger(plan(0), look(1, 8, seeds=1), plan(2, seeds=2), look(3, 16, 16, 2), plan(4))
    assert facts(parts).seeds_added == ()
    assert not facts(parts).peeked


def test_planned_looks_are_planned_only_where_their_seeds_are_complete() -> None:
    rule = RULE | {"looks": [2, 5]}
    entries = [
        look(1, 8, seeds=1),
        look(2, 15, seeds=2),
        look(3, 16, seeds=2),
        look(4, 24, seeds=3),
        look(5, 40),
    ]
    found = facts(ledger(plan(0, rule=rule), *entries))
    assert [it.planned for it in found.looks] == [False, False, True, False, True]


def test_a_plan_that_lost_seeds_or_arms_after_results_is_narrowed() -> None:
    seeds = facts(ledger(plan(0, seeds=10), plan(1, seeds=4, ended=16))).narrowed
    assert seeds is not None
    assert (seeds.before.trials, seeds.after.trials, seeds.ended) == (80, 32, 16)
    arms = facts(ledger(plan(0), plan(1, cells=4, trials=20, started=1))).narrowed
    assert arms is not None
    assert (arms.before.cells, arms.after.cells, arms.ended) == (8, 4, 0)
    # As many trials as before, with other seeds
    assert facts(ledger(plan(0, seeds=5), plan(1, ended=8) | {"seeds": [5, 6, 7, 8, 9]})).narrowed


def test_the_largest_plan_that_lost_something_counts() -> None:
    steps = ledger(plan(0, seeds=10), plan(1, seeds=6, ended=8), plan(2, seeds=4, ended=16))
    narrowed = facts(steps).narrowed
    assert narrowed is not None
    assert (narrowed.before.trials, narrowed.after.trials, narrowed.ended) == (80, 32, 8)
    assert narrowed.date == DAY + timedelta(days=1)


@pytest.mark.parametrize(
    "entries",
    [
        (plan(0, seeds=10), plan(1, seeds=4)),
        (plan(0), plan(1, seeds=2, ended=8), plan(2, ended=16)),
        (plan(0, seeds=2), plan(1, seeds=5, ended=8)),
        (plan(0), plan(1, rule=RULE | {"better": "higher"}, ended=8)),
    ],
    ids=["before any result", "back again", "wider", "another rule"],
)
def test_a_plan_that_lost_nothing_or_in_time_is_not_narrowed(
    entries: tuple[dict[str, Any], ...],
) -> None:
    assert facts(ledger(*entries)).narrowed is None


def test_a_plan_that_was_found_is_no_rule_fixed_before() -> None:
    assert not facts(ledger(plan(0, kind="found"))).fixed_before_trials


REGISTERED = sealed(
    {"time": time(0), "plan": "aa", "rule": RULE, "seeds": [0, 1], "expected": {"a": "harms"}}
)
LOGGED = ledger(
    plan(0, seeds=2, kind="register", registration=REGISTERED["sha256"], expected={"a": "harms"})
)


def registered(
    data: bytes | None, content: Mapping[str, Any], hash_: str = "aa"
) -> tuple[bool, bool, bool]:
    found = ledger_facts(data, {"hash": hash_}, {}, content).registered
    assert found is not None
    assert (found.date, found.expected, found.seeds) == (DAY, {"a": "harms"}, (0, 1))
    return found.intact, found.in_ledger, found.same_plan


def test_a_registration_is_compared_with_itself_the_ledger_and_the_plan() -> None:
    assert registered(LOGGED, REGISTERED) == (True, True, True)
    assert registered(LOGGED, REGISTERED, "bb") == (True, True, False)
    assert registered(LOGGED, {}) == (False, True, True)
    assert registered(LOGGED, REGISTERED | {"expected": {"a": "helps"}}) == (False, True, True)
    assert registered(None, REGISTERED) == (True, False, True)
    assert registered(LOGGED, sealed(REGISTERED | {"also": "this"})) == (True, False, True)
    assert facts(WHOLE).registered is None


def test_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "trials" / "t1").mkdir(parents=True)
    (tmp_path / "trials" / "t1" / "trial.json").write_text(json.dumps({"plan_hash": "cc"}))
    head = {"sha256": read_chain(LOGGED).last}
    record = {"hash": "aa", "trials": [{"trial_id": "t1"}, {"trial_id": "t2"}], "ledger": head}
    (tmp_path / "plan.json").write_text(json.dumps(record))
    (tmp_path / NAME).write_bytes(LOGGED)
    (tmp_path / REGISTRATION).write_text(json.dumps(REGISTERED))
    found = load_ledger(tmp_path)
    assert found.registered is not None
    assert (found.state, found.unknown_plans) == ("broken", ("t1",))
    assert load_ledger(tmp_path / "trials").state == "absent"


def test_planned_looks_count_networks_where_a_plan_has_several() -> None:
    rule = RULE | {"looks": [2, 3]}
    entries = [look(1, 24, seeds=3), look(2, 32, 48, seeds=4), look(3, 48, 48, seeds=6)]
    whole = plan(0, rule=rule, seeds=6, networks=3)
    found = facts(ledger(whole, *entries))
    assert [it.planned for it in found.looks] == [False, True, True]
    assert found.current is not None
    assert found.current.seeds_per_look == 2
