"""The ledger as the commands write it: plans, looks, registrations, and what the facts say after
changes."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.registration import register
from ablate.results.report import write_reports
from ablate.running.study import StudyResult, run_study
from ablate.study.nouns import Plan, StudyError
from ablate.trial import trial_file
from benchmarks.toy_study import BARE, toy_plan
from g2g_base import atomic
from reports import load_results
from reports.documents.chain import Damage
from reports.documents.ledger import NAME, REGISTRATION, load_ledger
from reports.documents.rule import Changed, LedgerFacts

STUDY = """
name: toy
base:
  network:
    {filters: 8, d_filters: 8, d_blocks: 2, mlp_filters: 16, class_dim: 8, content_downs: 1,
     class_downs: 2}
  losses: {adversarial: 1.0, short_recon: 1.0, d_hinge: 1.0}
  image_size: 16
  steps: 2
  eval_every: 1
  eval_pairs: 4
  metrics: [mixed_l1]
factors:
  weight: {path: losses.long_recon, levels: {off: 0.0, on: 0.1}}
seeds: [0, 1]
outcome: {metric: mixed_l1, smallest_effect: 0.01}
"""


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Plan]:
    """Plans a real study file, so with real hashes; the trivial trainer runs it."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return lambda *overrides, seeds=None: plan(load_study(path, overrides), seeds)


def run(made: Plan, out: Path, **options: object) -> StudyResult:
    return run_study(made, out, **BARE | {"workers": 0} | options)


def look(folder: Path) -> None:
    """Build a report, the quickest of its formats."""
    write_reports([folder], None, ["text"], ())


def kinds(folder: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in (folder / NAME).read_text().splitlines()]


def facts(folder: Path) -> LedgerFacts:
    """What a report knows, and the same from the folder alone."""
    found = load_results(folder).ledger
    assert found is not None
    assert found == load_ledger(folder)
    return found


def test_a_study_that_follows_its_plan(study: Callable[..., Plan], tmp_path: Path) -> None:
    made = study()
    folder = run(made, tmp_path).folder
    look(folder)
    assert kinds(folder) == ["plan", "look"]
    before = {
        path: path.stat().st_mtime_ns
        for path in (folder / NAME, folder / "plan.json", folder / "trials.csv")
    }
    run(made, tmp_path)
    look(folder)
    assert {path: path.stat().st_mtime_ns for path in before} == before

    found = facts(folder)
    assert (found.state, found.damage, found.fixed_before_trials, found.peeked) == (
        "present",
        None,
        True,
        False,
    )
    assert found.first is not None
    assert (found.first.plan_hash, found.first.seeds, found.first.trials) == (
        made.hash,
        (0, 1),
        len(made.trials),
    )
    assert [(it.ended, it.trials, it.planned) for it in found.looks] == [
        (len(made.trials),) * 2 + (True,)
    ]
    assert set(load_results(folder).trials["plan_hash"]) == {made.hash}


def test_the_rule_changed_after_the_results(study: Callable[..., Plan], tmp_path: Path) -> None:
    first, other = study(), study("outcome.smallest_effect=0.05", "outcome.metric=average_mixed_l1")
    number = len(first.trials)
    folder = run(first, tmp_path).folder
    look(folder)
    run(other, tmp_path)
    found = facts(folder)
    (change,) = found.rule_changes
    assert change.changed == (
        Changed("metric", "mixed_l1", "average_mixed_l1"),
        Changed("smallest_effect", 0.01, 0.05),
    )
    assert (change.ended, change.trials, change.looks, change.plan_hash) == (
        number,
        number,
        1,
        other.hash,
    )
    assert (change.before.smallest_effect, change.started, change.late) == (0.01, number, True)
    assert found.trials_before_rule == tuple(trial.id for trial in other.trials)
    assert not found.fixed_before_trials
    assert not found.peeked
    assert set(load_results(folder).trials["plan_hash"]) == {first.hash}


def test_seeds_added_after_a_report_and_a_plan_that_got_narrower(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    cells = len({trial.cell_id for trial in study().trials})
    folder = run(study(), tmp_path).folder
    look(folder)
    run(study(seeds=[0, 1, 2]), tmp_path)
    look(folder)
    (added,) = facts(folder).seeds_added
    assert (added.seeds, added.ended, added.looks, added.seen) == ((2,), 2 * cells, 1, 2 * cells)
    assert facts(folder).peeked
    assert facts(folder).rule_changes == ()

    run(study(seeds=[0]), tmp_path)
    narrowed = facts(folder).narrowed
    assert narrowed is not None
    assert (narrowed.before.seeds, narrowed.after.seeds) == ((0, 1, 2), (0,))
    assert narrowed.ended == 3 * cells


def test_seeds_added_without_a_look_are_not_peeking(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    run(study(), tmp_path)
    found = facts(run(study(seeds=[0, 1, 2]), tmp_path).folder)
    assert [(added.seeds, added.looks) for added in found.seeds_added] == [((2,), 0)]
    assert not found.peeked


def test_words_are_no_change_of_the_rule(study: Callable[..., Plan], tmp_path: Path) -> None:
    run(study(), tmp_path)
    folder = run(
        study("question=Another one?", "notes=none", "outcome.scale=linear"), tmp_path
    ).folder
    assert kinds(folder) == ["plan"]
    assert atomic.read_json(folder / "plan.json")["question"] == "Another one?"


def test_planned_looks_are_one_plan_and_no_peeking(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    """The margin is so small that nothing is decided, so all looks are taken."""
    made = study("seeds=[0, 1, 2, 3]", "outcome.looks=[2, 3, 4]", "outcome.smallest_effect=1e-9")
    folder = run(made, tmp_path).folder
    assert kinds(folder)[0] == "plan"
    assert set(kinds(folder)[1:]) == {"look"}
    found = facts(folder)
    assert found.current is not None
    assert (found.current.seeds, found.current.trials) == ((0, 1, 2, 3), len(made.trials))
    assert found.looks
    assert all(it.planned and it.trials == len(made.trials) for it in found.looks)
    assert (found.seeds_added, found.unplanned_looks) == ((), ())


def test_a_ledger_that_was_deleted_edited_or_cut(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    folder = run(study(), tmp_path).folder
    look(folder)
    path, whole = folder / NAME, (folder / NAME).read_bytes()
    path.write_bytes(whole.replace(b"0.01", b"0.05", 1))
    assert facts(folder).damage == Damage("edited", 1)
    path.write_bytes(whole.splitlines(keepends=True)[0])
    assert facts(folder).damage == Damage("truncated", 2)
    path.unlink()
    look(folder)
    assert (facts(folder).state, facts(folder).damage) == ("absent", Damage("deleted"))

    run(study("outcome.smallest_effect=0.05"), tmp_path)
    assert kinds(folder) == ["gap", "found", "look", "plan"]
    found = facts(folder)
    assert (found.state, found.damage, found.fixed_before_trials) == (
        "broken",
        Damage("deleted", 1),
        False,
    )
    assert [it.changed for it in found.rule_changes] == [(Changed("smallest_effect", 0.01, 0.05),)]


def test_a_ledger_and_a_plan_that_were_both_deleted(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    made = study()
    folder = run(made, tmp_path).folder
    for name in (NAME, "plan.json"):
        (folder / name).unlink()
    run(made, tmp_path)
    assert facts(folder).trials_before_rule == tuple(trial.id for trial in made.trials)
    for name in (NAME, "plan.json"):
        (folder / name).unlink()
    run(study("outcome.smallest_effect=0.05"), tmp_path)
    assert facts(folder).damage == Damage("rewritten")


def test_a_torn_last_line_is_told_and_the_study_goes_on(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    """The power fails while the look is entered, so plan.json doesn't know it yet."""
    folder = run(study(), tmp_path).folder
    with (folder / NAME).open("ab") as file:
        file.write(b'{"kind": "look", "pl')
    assert (facts(folder).state, facts(folder).torn) == ("present", (2,))
    look(folder)
    found = facts(folder)
    assert (found.state, found.damage, found.torn, len(found.looks)) == ("present", None, (2,), 1)


def test_a_folder_from_before_there_were_ledgers(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    """Reports write nothing new into it; with the next plan its own is entered as found."""
    folder = run(study(), tmp_path).folder
    look(folder)
    (folder / NAME).unlink()
    old = atomic.read_json(folder / "plan.json")
    del old["ledger"]
    atomic.write_json(folder / "plan.json", old)
    for path in (folder / "trials").iterdir():
        document = trial_file.read(path)
        del document["plan_hash"]
        trial_file.write(path, document)

    look(folder)
    assert (facts(folder).state, facts(folder).damage) == ("absent", None)
    assert "plan_hash" not in load_results(folder).trials
    run(study(seeds=[0, 1, 2]), tmp_path)
    found = facts(folder)
    assert kinds(folder) == ["found", "look", "plan"]
    assert (found.state, found.damage, found.fixed_before_trials, found.peeked) == (
        "present",
        None,
        False,
        True,
    )


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """Not as root, who can write everywhere."""
    shared = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        folder = run(toy_plan(), shared).folder
        look(run(toy_plan(), tmp_path).folder)  # imports what the other user may not read
        (to := shared / "to").mkdir()
        for path, mode in ((shared, 0o755), (to, 0o777), (folder, 0o555), (folder / NAME, 0o444)):
            path.chmod(mode)
        run_as_other = os.geteuid() == 0
        if run_as_other:
            os.seteuid(65534)
        try:
            assert write_reports([folder], to, ["text"], ()).files
        finally:
            if run_as_other:
                os.seteuid(0)
        assert kinds(folder) == ["plan"]
    finally:
        (shared / "toy").chmod(0o755)
        shutil.rmtree(shared)


def test_a_registration_is_kept_and_compared(study: Callable[..., Plan], tmp_path: Path) -> None:
    out, path = tmp_path / "runs", str(tmp_path / "study.yaml")
    factor = "weight"
    expected = f"expect.{factor}=equivalent"
    told = CliRunner().invoke(
        app, ["plan", path, "--register", "--out", str(out), "--set", expected]
    )
    assert told.exit_code == 0, told.output
    folder = out / "toy"
    content = json.loads((folder / REGISTRATION).read_text())
    made = study(expected)
    assert (content["plan"], content["expected"]) == (made.hash, {factor: "equivalent"})
    assert f"the plan is registered on {content['time']}" in told.stderr
    assert content["sha256"] in told.stderr

    run(made, out)
    assert kinds(folder) == ["register"]
    found = facts(folder)
    assert found.registered is not None
    assert (found.registered.expected, found.registered.plan_hash) == (
        {factor: "equivalent"},
        made.hash,
    )
    assert (found.registered.intact, found.registered.in_ledger, found.registered.same_plan) == (
        True,
        True,
        True,
    )
    assert found.fixed_before_trials

    again = CliRunner().invoke(
        app, ["plan", path, "--register", "--out", str(out), "--set", expected]
    )
    assert (again.exit_code, json.loads((folder / REGISTRATION).read_text())) == (0, content)
    assert f"the plan was registered on {content['time']}" in again.stderr
    run(study("outcome.smallest_effect=0.05"), out)
    found = facts(folder)
    assert found.registered is not None
    assert not found.registered.same_plan
    atomic.write_json(folder / REGISTRATION, content | {"expected": {factor: "harms"}})
    found = facts(folder)
    assert found.registered is not None
    assert (found.registered.intact, found.registered.expected) == (False, {factor: "equivalent"})


def test_a_plan_is_registered_before_its_first_result(
    study: Callable[..., Plan], tmp_path: Path
) -> None:
    def registered(made: Plan) -> bool:
        from ablate.planning.plan_file import plan_record

        return register(made, plan_record(made), tmp_path / "toy").before

    first, other = study(), study("outcome.smallest_effect=0.05")
    assert [registered(it) for it in (first, first, other, first)] == [False, True, False, False]
    run(first, tmp_path)
    assert registered(first)
    assert registered(other)
    number = len(first.trials)
    with pytest.raises(
        StudyError,
        match=rf"--register: .*toy: {number} trials have recorded results already; register",
    ):
        registered(study("outcome.summary=best"))
    with pytest.raises(
        StudyError, match="this plan is registered with other expected verdicts, and"
    ):
        registered(study("expect.weight=harms"))
    assert kinds(tmp_path / "toy") == ["register"] * 3


@pytest.mark.slow
def test_margin_metric_and_seeds_changed_through_the_real_command(tmp_path: Path) -> None:
    path, out = tmp_path / "study.yaml", tmp_path / "runs"
    path.write_text(STUDY, encoding="utf-8")
    quick = ["--workers", "0", "--out", str(out), "--tracking-uri", "none", "--quiet"]

    def command(*more: str) -> None:
        told = CliRunner().invoke(app, ["run", str(path), *quick, *more])
        assert told.exit_code == 0, told.output

    command()
    command("--set", "outcome.smallest_effect=0.05", "--set", "outcome.metric=average_mixed_l1")
    command(
        "--set",
        "outcome.smallest_effect=0.05",
        "--set",
        "outcome.metric=average_mixed_l1",
        "--seeds",
        "0,1,2",
    )
    found = facts(out / "toy")
    assert kinds(out / "toy") == ["plan", "look", "plan", "look", "plan", "look"]
    (change,) = found.rule_changes
    assert [it.name for it in change.changed] == ["metric", "smallest_effect"]
    assert change.ended == change.trials > 0
    assert found.peeked
    assert not found.fixed_before_trials
    assert isinstance(load_results(out / "toy").trials, pd.DataFrame)
