"""`trial.json`: the document of what a trial is and how far it has come, written atomically."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from ablate.disk import locks
from ablate.disk.folder import TrialFolder
from ablate.study.nouns import Fork, Status, Trial, TrialResult, Tuned
from ablate.trainers.resolve import config_of
from ablate.trial import journal
from g2g_base import atomic
from reports.documents.trial import TrialDocument, TriedDocument, TunedDocument

NAME = "trial.json"
"""Name of the document in a trial's folder."""
ENDED = ("finished", "diverged")
"""Statuses of trials with an outcome, which never run again."""


def read(folder: Path) -> TrialDocument:
    """Return the trial's document as written; empty if it is missing or damaged."""
    return cast(TrialDocument, atomic.read_json(TrialFolder(folder).document))


def standing(folder: Path) -> TrialDocument:
    """Return the trial's document, as `interrupted` if the folder has lost part of its results.

    This is for reading only; don't write the result back to the folder.
    """
    document = read(folder)
    error = (
        f"{NAME} is damaged"
        if not document and TrialFolder(folder).document.exists()
        else lost(folder, document)
    )
    return {**document, "status": "interrupted", "error": error} if error else document


def lost(folder: Path, document: TrialDocument) -> str | None:
    """Return what the journal of a trial with an outcome has lost since its end, or None."""
    left, whole = journal.size(folder), document.get("history_bytes") or 0
    if document.get("status") not in ENDED or left >= whole:
        return None
    return f"{journal.NAME} has lost lines: {left} of {whole} bytes are left"


def died(folder: Path, document: TrialDocument) -> bool:
    """Return whether a trial is `running` by its document although no process holds its lock."""
    return document.get("status") == "running" and not locks.is_held(TrialFolder(folder).lock)


def to_run(
    trial: Trial,
    folder: Path,
    document: TrialDocument,
    plan_hash: str | None = None,
    fork: Fork | None = None,
    forks: Sequence[int] = (),
) -> TrialDocument:
    """Return the document with which a trial starts or resumes.

    If the journal has lost lines, this also clears the folder, so that the trial starts from
    nothing.

    Args:
        trial: what to run.
        folder: the trial's folder.
        document: the result of `read`.
        plan_hash: hash of the trial's plan; None keeps that of the document.
        fork: the trial from which it continues, if it has no checkpoint of its own.
        forks: steps after which it keeps a checkpoint for others.
    """
    if lost(folder, document):
        begin_anew(folder)
        document = {**document, "status": "planned", "history_bytes": 0}
    document = planned_again(trial, document, plan_hash)
    if fork is not None:
        document["fork"] = {"trial_id": fork.trial_id, "step": fork.step}
    if forks:
        document["forks"] = sorted({*document.get("forks", ()), *forks})
    return document


def begin_anew(folder: Path) -> None:
    """Remove everything that the trial could resume from, because its record is incomplete."""
    journal.set_aside(folder)
    shutil.rmtree(TrialFolder(folder).checkpoints, ignore_errors=True)


def write(folder: Path, document: TrialDocument) -> None:
    """Write the trial's document atomically."""
    atomic.write_json(TrialFolder(folder).document, document)


def planned(trial: Trial, plan_hash: str | None = None) -> TrialDocument:
    """Return the document of a trial that has not started.

    Args:
        trial: the trial.
        plan_hash: hash of the trial's plan; None leaves it out.
    """
    document: TrialDocument = {
        "trial_id": trial.id,
        "cell_id": trial.cell_id,
        "label": trial.label,
        "levels": dict(trial.levels),
        "seed": trial.seed,
        "status": "planned",
        "error": None,
        "fault": None,
        "seconds": 0.0,
        "steps": trial.config.steps,
        "steps_done": 0,
        "attempts": [],
        "config": trial.config.to_dict(),
        "identity": dict(trial.identity),
    }
    if record := getattr(trial.config, "trainer_record", None):
        document["trainer"] = record()
    if plan_hash is not None:
        document["plan_hash"] = plan_hash
    if trial.start is not None:
        document["starts_from"] = trial.start.trial.id
        document["starts_in"] = trial.start.spec.name
    if trial.network is not None:
        document["network"] = trial.network
    if trial.tuned is not None:
        document["tuned"] = _tuned(trial.tuned, document)
    return document


def _tuned(tuned: Tuned, document: TrialDocument) -> TunedDocument:
    """Return how a trial chooses a value, for its document.

    Args:
        tuned: its tries.
        document: its document, with the config that it has until then.
    """
    given = document["config"]
    configs = [{**one.config.to_dict(), "seed": document["seed"]} for one in tuned.tries]
    moved = [key for key in given if any(config.get(key) != given[key] for config in configs)]
    tries: list[TriedDocument] = []
    for one, config in zip(tuned.tries, configs, strict=True):
        tried: TriedDocument = {
            "value": one.value,
            "config": {key: config[key] for key in moved},
            "trials": [trial.id for trial in one.trials],
        }
        if record := getattr(one.config, "trainer_record", None):
            tried["trainer"] = record()
        tries.append(tried)
    outcome = tuned.spec.outcome
    rule = {"metric": outcome.metric, "better": outcome.better, "summary": outcome.summary}
    return {"path": tuned.path, "study": tuned.spec.name, "outcome": rule, "tries": tries}


def planned_again(
    trial: Trial, document: TrialDocument, plan_hash: str | None = None
) -> TrialDocument:
    """Return the document of a trial that starts or resumes under a plan.

    The results so far stay, but a failed trial is `planned` again. Config, levels, and label come
    from the plan, because they may have changed where they aren't part of the trial's identity:
    for example, in the folder of the data, or in the names of levels.
    """
    fresh = planned(trial, plan_hash)
    names = (
        "label",
        "levels",
        "steps",
        "config",
        "identity",
        "trainer",
        "plan_hash",
        "starts_from",
        "starts_in",
        "network",
        "tuned",
    )
    from_plan = {name: value for name, value in fresh.items() if name in names}
    merged = cast(TrialDocument, {**fresh, **document, **from_plan})
    if document.get("status") == "failed":
        merged.update({"status": "planned", "error": None, "fault": None})
    return merged


def trial_of(document: TrialDocument) -> Trial:
    """Return the trial from a document that `planned` has made."""
    return Trial(
        id=document["trial_id"],
        cell_id=document["cell_id"],
        levels=document["levels"],
        seed=document["seed"],
        config=config_of(document),
        identity=document.get("identity", {}),
        network=document.get("network"),
    )


def status_of(document: TrialDocument) -> Status:
    """Return the status as written; a missing or damaged document counts as `planned`."""
    return cast(Status, document.get("status", "planned"))


def result_of(trial: Trial, folder: Path, document: TrialDocument) -> TrialResult:
    """Return a trial's document as a result."""
    return TrialResult(
        trial=trial,
        status=status_of(document),
        folder=folder,
        error=document.get("error"),
        fault=document.get("fault"),
        seconds=float(document.get("seconds", 0.0)),
        steps_done=int(document.get("steps_done", 0)),
    )
