"""`trial.json`: what a trial is and how it stands; rewritten atomically, never half of it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ablate.disk import atomic
from ablate.study.nouns import Config, Status, Trial, TrialResult
from ablate.trainers.command.config import CommandConfig
from ablate.trial import journal
from g2g_core.config import TrialConfig

NAME = "trial.json"
ENDED = ("finished", "diverged")
"""Statuses that are outcomes: such a trial is never run again."""


def read(folder: Path) -> dict[str, Any]:
    """The trial's document as it is written; empty when there is none yet, or it is damaged."""
    return atomic.read_json(folder / NAME)


def standing(folder: Path) -> dict[str, Any]:
    """The document of how the trial stands, never to be written: without its document or history it
    has no outcome."""
    document = read(folder)
    error = (
        f"{NAME} is damaged"
        if not document and (folder / NAME).exists()
        else lost(folder, document)
    )
    return {**document, "status": "interrupted", "error": error} if error else document


def lost(folder: Path, document: Mapping[str, Any]) -> str | None:
    """What the journal of a trial with an outcome has lost since; None: nothing."""
    left, whole = journal.size(folder), document.get("history_bytes") or 0
    if document.get("status") not in ENDED or left >= whole:
        return None
    return f"{journal.NAME} has lost lines: {left} of {whole} bytes are left"


def to_run(
    trial: Trial, folder: Path, document: Mapping[str, Any], plan_hash: str | None = None
) -> dict[str, Any]:
    """The document of a trial to run or to go on with, made of what `read` gave; lost lines begin
    the trial anew.

    Args:
        trial: what to run.
        folder: the trial's folder.
        document: what `read` gave.
        plan_hash: hash of the plan that it runs under; None: that of the document stays.
    """
    if lost(folder, document):
        begin_anew(folder)
        document = {**document, "status": "planned", "history_bytes": 0}
    return planned_again(trial, document, plan_hash)


def begin_anew(folder: Path) -> None:
    """Leave nothing to go on from: what was recorded up to the checkpoints is gone."""
    journal.set_aside(folder)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Write the trial's document atomically."""
    atomic.write_json(folder / NAME, document)


def planned(trial: Trial, plan_hash: str | None = None) -> dict[str, Any]:
    """The document of a trial that has not started; `plan_hash` is that of the plan that it will
    run under."""
    return {
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
        **_trainer(trial),
        **({} if plan_hash is None else {"plan_hash": plan_hash}),
    }


def _trainer(trial: Trial) -> dict[str, Any]:
    """`{"trainer": how its program is run}` of a trial that the core does not train; else
    nothing."""
    return (
        {"trainer": trial.config.trainer_record()}
        if isinstance(trial.config, CommandConfig)
        else {}
    )


def planned_again(
    trial: Trial, document: Mapping[str, Any], plan_hash: str | None = None
) -> dict[str, Any]:
    """The document of a trial to run or to go on with: what the plan says today, what it did kept,
    a failure forgotten.

    What is no part of a trial's identity may have changed since: where its data lie, what its
    levels are called.
    """
    fresh = planned(trial, plan_hash)
    names = ("label", "levels", "steps", "config", "identity", "trainer", "plan_hash")
    told = {name: value for name, value in fresh.items() if name in names}
    failed = (
        {"status": "planned", "error": None, "fault": None}
        if document.get("status") == "failed"
        else {}
    )
    return {**fresh, **document, **told, **failed}


def trial_of(document: Mapping[str, Any]) -> Trial:
    """The trial that `planned` wrote."""
    return Trial(
        id=document["trial_id"],
        cell_id=document["cell_id"],
        levels=document["levels"],
        seed=document["seed"],
        config=_config(document),
        identity=document.get("identity", {}),
    )


def _config(document: Mapping[str, Any]) -> Config:
    """The config that `planned` wrote: of a program, or of the core."""
    if "trainer" in document:
        return CommandConfig.from_records(document["config"], document["trainer"])
    return TrialConfig.from_dict(document["config"])


def status_of(document: Mapping[str, Any]) -> Status:
    """The status as written; a missing or damaged document is `planned`."""
    return cast(Status, document.get("status", "planned"))


def result_of(trial: Trial, folder: Path, document: Mapping[str, Any]) -> TrialResult:
    """The document as a result."""
    return TrialResult(
        trial=trial,
        status=status_of(document),
        folder=folder,
        error=document.get("error"),
        fault=document.get("fault"),
        seconds=float(document.get("seconds", 0.0)),
        steps_done=int(document.get("steps_done", 0)),
    )
