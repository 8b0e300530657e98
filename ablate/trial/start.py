"""Where a trial starts that continues the work of another one."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite, nan
from pathlib import Path
from typing import Any

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.study.outcome import summarise
from ablate.study.starts import is_trained
from ablate.study.tuning import best
from ablate.trainers.resolve import config_of
from ablate.trial import journal, trial_file
from ablate.trial.checkpoints import last_checkpoint
from g2g_base import atomic
from reports.documents.trial import TrialDocument


class NotTrained(Exception):
    """The trial that another one starts from has left no checkpoint; the message says why."""


def trained_checkpoint(folder: Path) -> Path:
    """Return the last checkpoint of a trial that others start from.

    Args:
        folder: the folder of that trial.

    Raises:
        NotTrained: it hasn't finished, or its checkpoint is gone.
    """
    document = trial_file.standing(folder)
    status = trial_file.status_of(document)
    if status == "finished":
        if path := last_checkpoint(TrialFolder(folder).checkpoints):
            return path
        raise NotTrained(f"the checkpoint of its pre-training {_name(folder)} is gone")
    error = document.get("error")
    told = "has not run" if status == "planned" else status
    raise NotTrained(f"its pre-training {_name(folder)} {told}" + (f": {error}" if error else ""))


def _name(folder: Path) -> str:
    """Return a trial as messages name it, `study/id`."""
    return f"{TrialFolder(folder).study.path.name}/{folder.name}"


class NotTuned(Exception):
    """A trial can't choose a value among its tries; the message says why."""


def tuned(config: Any, folder: Path, document: TrialDocument) -> Any:
    """Return a trial's config with the value that it chooses, and note the choice in its document.

    Args:
        config: the config, which has the first value.
        folder: the trial's folder.
        document: its document, which may name the tries.

    Raises:
        NotTuned: a try has no outcome, or all have diverged.
    """
    tuned = document.get("tuned")
    if tuned is None:
        return config
    study = StudyFolder(TrialFolder(folder).study.path.parent / tuned["study"])
    rule = tuned["outcome"]
    for tried in tuned["tries"]:
        tried["outcomes"] = [_outcome(study.trial(id_), rule) for id_ in tried["trials"]]

    outcomes = [[nan if v is None else v for v in one["outcomes"]] for one in tuned["tries"]]
    number = best(outcomes, rule["better"])
    if number is None:
        raise NotTuned(f"every try of {tuned['path']} in {tuned['study']} diverged")
    chosen = tuned["tries"][number]
    tuned["value"] = chosen["value"]
    document["config"] = {**document["config"], **chosen["config"]}
    if "trainer" in chosen:
        document["trainer"] = chosen["trainer"]
    return config_of(document)


def _outcome(folder: Path, rule: Mapping[str, str]) -> float | None:
    """Return the outcome of a try; None if it diverged.

    Args:
        folder: its folder.
        rule: `metric`, `summary`, and `better`.

    Raises:
        NotTuned: it has none.
    """
    document = trial_file.standing(folder)
    status = trial_file.status_of(document)
    if status == "diverged":
        return None
    if status == "finished":
        lines = journal.effective(journal.read(folder))
        name = f"metric/{rule['metric']}"
        curve = [(line.step, line.values[name]) for line in lines if name in line.values]
        if not curve:
            raise NotTuned(f"its try {_name(folder)} has recorded no {rule['metric']}")
        value = summarise(curve, rule["summary"], rule["better"])
        return value if isfinite(value) else None
    error = document.get("error")
    state = "has not run" if status == "planned" else status
    raise NotTuned(f"its try {_name(folder)} {state}" + (f": {error}" if error else ""))


def located(config: Any, folder: Path, document: TrialDocument) -> Any:
    """Return a trial's config with the path of the checkpoint that it starts from.

    Args:
        config: the config, in which the checkpoint may be a description of its training.
        folder: the trial's folder.
        document: its document, which names the trial that is trained.

    Raises:
        NotTrained: that trial has left no checkpoint.
    """
    if not is_trained(getattr(config, "checkpoint", None)):
        return config
    out = TrialFolder(folder).study.path.parent
    start = StudyFolder(out / document["starts_in"]).trial(document["starts_from"])
    return replace(config, checkpoint=str(trained_checkpoint(start)))


def forked(folder: Path, document: TrialDocument) -> Path | None:
    """Return the checkpoint from which a trial continues that has none of its own, or None.

    If nothing is recorded of the trial yet, the records and figures of the common steps are copied
    into its folder.

    Args:
        folder: the trial's folder.
        document: its document, which may name the other trial and the step.
    """
    fork = document.get("fork")
    if fork is None:
        return None
    leader = TrialFolder(TrialFolder(folder).study.trial(fork["trial_id"]))
    checkpoint = leader.fork(fork["step"])
    if not checkpoint.is_file():
        return None

    own = TrialFolder(folder)
    if journal.size(folder) == 0:
        _copy_figures(leader, own, fork["step"])
        lines = [
            line
            for line in journal.effective(journal.read(leader.path))
            if line.kind != "note" and line.step <= fork["step"]
        ]
        atomic.write_text(own.journal, "".join(journal.written(line, 0) for line in lines))
    return checkpoint


def _copy_figures(leader: TrialFolder, own: TrialFolder, last: int) -> None:
    """Copy the figures up to a step, as links where the file system has them."""
    for figure in sorted(leader.images.glob("figure_*.png")):
        copy = own.images / figure.name
        if int(figure.stem.removeprefix("figure_")) > last or copy.exists():
            continue
        own.images.mkdir(exist_ok=True)
        try:
            os.link(figure, copy)
        except OSError:
            shutil.copyfile(figure, copy)
