"""Where a trial starts that continues the work of another one."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.study.starts import is_trained
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
