"""Writes matched runs as a study's folder, from which the same report is built as from trials."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.disk.room import writable
from ablate.judging.matching import Matched
from ablate.judging.question import question_text
from ablate.judging.trainer import FoundConfig, FoundTrainer
from ablate.planning import ledger
from ablate.planning.plan import outcome_record
from ablate.planning.plan_file import plan_csv, plan_document, plan_record
from ablate.study.found import FoundRun
from ablate.study.identity import digest, dumps
from ablate.study.nouns import (
    Degradation,
    Factor,
    FurtherOutcome,
    Outcome,
    Plan,
    StudyError,
    StudySpec,
    Trial,
)
from ablate.trial import journal, trial_file
from g2g_base import atomic


def write_folder(matched: Matched, folder: Path) -> Plan:
    """Write a study's folder: plan, ledger, a folder per trial, and `judge.yaml`.

    A folder that holds earlier judgements is brought up to date. Its ledger shows every rule by
    which the runs were judged.

    Args:
        matched: the runs.
        folder: the study's folder.

    Returns:
        The plan that was made of the runs.

    Raises:
        StudyError: the folder holds a study whose trials were run here, or can't be written.
    """
    own, before = StudyFolder(folder), plan_document(folder)
    if own.plan.exists() and "judged" not in before:
        raise StudyError(f"--to: {folder}: holds a study that was run here; choose another folder")
    writable(folder)

    plan = planned(matched)
    record = plan_record(plan)
    record["judged"] = matched.judged
    # Those of the other program aren't known.
    record["versions"] = {"g2g-ablate": record["versions"]["g2g-ablate"]}
    for trial in plan.trials:
        cell = next(n for n, levels in enumerate(matched.cells) if levels == trial.levels)
        _write_trial(trial, matched.runs[cell, trial.seed], own.trial(trial.id), plan.hash)

    record["ledger"] = _enter(folder, plan, record["outcome"])
    atomic.write_json(own.plan, record)
    atomic.write_text(own.plan_table, plan_csv(plan))
    atomic.write_text(own.judge, question_text(matched.question))

    # Runs that this judgement doesn't use; the source still has them.
    used = {trial.id for trial in plan.trials}
    for stale in own.trials.iterdir():
        if stale.name not in used:
            shutil.rmtree(stale, ignore_errors=True)
    return plan


def planned(matched: Matched) -> Plan:
    """Return the plan of matched runs, whose trials are the runs that exist."""
    question = matched.question
    outcome = dict(question.outcome)
    degradation = outcome.pop("degradation", {})
    looks = tuple(outcome.pop("looks", ()))
    also = tuple(FurtherOutcome(**one) for one in outcome.pop("also", None) or ())
    cells = matched.cells
    factors = tuple(
        Factor(name, {level: {factor.column: level} for level in factor.levels})
        for name, factor in question.factors.items()
    )
    complete = not matched.judged["absent_arms"]
    spec = StudySpec(
        name=question.name,
        question=question.question,
        base=FoundConfig({}),
        factors=factors,
        design={"kind": "full_factorial" if complete else "custom"},
        seeds=tuple(sorted(matched.seeds.values())),
        outcome=Outcome(**outcome, degradation=Degradation(**degradation), looks=looks, also=also),
        trainer=FoundTrainer(matched.judged["source"]),
    )
    ids = [digest(dumps(["judged", sorted(cell.items())]))[:12] for cell in cells]
    trials = tuple(
        _trial(matched.runs[place, seed], ids[place], cells[place], seed, question.metric)
        for seed in spec.seeds
        for place in range(len(cells))
        if (place, seed) in matched.runs
    )
    return Plan(
        spec=spec,
        trials=trials,
        hash=digest(dumps([sorted(trial.id for trial in trials), outcome_record(spec)])),
        reference=_reference(cells, factors),
        cells=tuple(zip(ids, cells, strict=True)),
    )


def _reference(cells: tuple[dict[str, str], ...], factors: tuple[Factor, ...]) -> dict[str, str]:
    """Return the arm that others are compared with: the one with most first levels.

    Among equals, it is the one that most others differ from in one factor alone.
    """

    def rank(place: int) -> tuple[int, int]:
        cell = cells[place]
        first = sum(cell[factor.name] == factor.reference for factor in factors)
        near = sum(sum(cell[f] != other[f] for f in cell) == 1 for other in cells)
        return (first, near)

    return dict(cells[max(range(len(cells)), key=rank)])


def _trial(run: FoundRun, cell_id: str, levels: Mapping[str, str], seed: int, metric: str) -> Trial:
    """Return a run as a trial, whose id depends on everything that the source says about it."""
    curve = run.curves.get(metric, ())
    steps = curve[-1][0] if len(curve) > 1 else 1
    content = dumps(
        [run.name, dict(run.values), [[s, repr(v)] for s, v in curve], run.status, dict(levels)]
    )
    identity = {"run": digest(content)[:12]}
    return Trial(
        id=digest(dumps([cell_id, seed, identity]))[:12],
        cell_id=cell_id,
        levels=dict(levels),
        seed=seed,
        config=FoundConfig(dict(run.values), seed, steps),
        identity=identity,
    )


def _write_trial(trial: Trial, run: FoundRun, folder: Path, plan_hash: str) -> None:
    """Write the folder of a trial: its document, and its numbers as a journal."""
    where = TrialFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    where.journal.unlink(missing_ok=True)

    steps: dict[int, dict[str, float]] = {}
    for name, curve in run.curves.items():
        # One value without a curve is that of the end, whatever step it was logged with.
        points = ((trial.config.steps, curve[-1][1]),) if len(curve) == 1 else curve
        for step, value in points:
            steps.setdefault(step, {})[f"metric/{name}"] = value
    lines = journal.Journal(folder, attempt=1)
    for step in sorted(steps):
        lines.write(step, "eval", steps[step], {})
    lines.close()

    document = trial_file.planned(trial, plan_hash)
    ended = run.status in ("finished", "diverged")
    document |= {
        "status": run.status,
        "error": run.error,
        "seconds": run.seconds,
        "steps_done": max(steps, default=0),
        "history_bytes": journal.size(folder) if ended else 0,
        "run": run.name,
    }
    if run.started is not None:
        document["attempts"] = [{"attempt": 1, "started": run.started, "seconds": run.seconds}]
    trial_file.write(folder, document)


def _enter(folder: Path, plan: Plan, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Enter the rule in the ledger, as one that was found with results, and return its head."""
    content = ledger.plan_content(plan, outcome)
    with ledger.opened(folder) as book:
        before = book.newest(("found",))
        if before is None or not ledger.same_plan(before, content):
            ended = len(plan.trials)
            book.append("found", **content, ended=ended, started=ended, **ledger.code())
        return book.head
