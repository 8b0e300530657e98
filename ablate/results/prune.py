"""Frees checkpoints that nothing in the output folder needs any more."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.disk import locks
from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.disk.room import no_links
from ablate.planning.plan_file import read_plan
from ablate.trial import trial_file
from g2g_base import atomic


@dataclass(frozen=True)
class Pruned:
    """What `prune` freed, and what it left.

    Attributes:
        files: checkpoints that were deleted, or would be.
        freed: their size in bytes.
        left: size of the checkpoints of trials with an outcome that are left, in bytes.
        named: checkpoints that were left because a study in the output folder starts from them.
    """

    files: tuple[Path, ...]
    freed: int
    left: int
    named: tuple[Path, ...]


def prune(folder: Path, everything: bool = False, dry_run: bool = False) -> Pruned:
    """Delete checkpoints of trials that never run again.

    Trials that were interrupted, failed, or not started keep all that they resume from. No result
    is deleted: records, tables, images, and the report stay as they are.

    Args:
        folder: `OUT/<study>`.
        everything: delete the newest checkpoint of finished trials too, from which `translate` and
            `export` work, and whatever a trainer of another package saved.
        dry_run: delete nothing, and only return what would be deleted.

    Raises:
        StudyError: the folder holds no study, has links in it, or a command works on it.
    """
    read_plan(folder)
    no_links(folder)
    study = StudyFolder(folder)
    with locks.held(study.lock, f"study {folder.name}"):
        named = _named_checkpoints(folder.resolve().parent)
        useless: list[Path] = []
        rest: list[Path] = []
        trials = sorted(study.trials.iterdir()) if study.trials.is_dir() else []
        waiting = _forks(trials)
        for trial in trials:
            if trial_file.read(trial).get("status") not in trial_file.ENDED:
                continue
            awaited = {TrialFolder(trial).fork(step) for step in waiting.get(trial.name, ())}
            for file, needed in _checkpoints(TrialFolder(trial)):
                needed = needed or file in awaited
                delete = (everything or not needed) and not _is_named(file, named)
                (useless if delete else rest).append(file)

        freed = sum(file.lstat().st_size for file in useless)
        left = sum(file.lstat().st_size for file in rest)
        if not dry_run:
            for file in useless:
                file.unlink(missing_ok=True)
        asked = tuple(file for file in rest if _is_named(file, named))
    return Pruned(tuple(useless), freed, left, asked)


def _forks(trials: Iterable[Path]) -> dict[str, set[int]]:
    """Return trial id -> steps after which a trial that hasn't ended continues from it."""
    steps: dict[str, set[int]] = {}
    for trial in trials:
        document = trial_file.read(trial)
        fork = document.get("fork")
        if fork is not None and document.get("status") not in trial_file.ENDED:
            steps.setdefault(fork["trial_id"], set()).add(fork["step"])
    return steps


def _checkpoints(trial: TrialFolder) -> Iterator[tuple[Path, bool]]:
    """Yield every file in a trial's folder of checkpoints, and whether it may still be of use."""
    files = [
        Path(parent) / name
        for parent, _, names in os.walk(trial.checkpoints)  # which follows no links below
        for name in sorted(names)
    ]
    document = trial_file.read(trial.path)
    own = [file for file in files if file.match("step_*.pt")]
    for file in sorted(files):
        # A diverged trial never runs again, and its last networks are about to be useless. What a
        # trainer of another package saves may be the very thing that its user wants.
        leftover = file.name.startswith(".") and file.name.endswith(".part")
        core = file in own and not document.get("trainer")
        superseded = core and (document.get("status") == "diverged" or file != own[-1])
        yield file, not (leftover or superseded)


def _is_named(file: Path, named: set[Path]) -> bool:
    """Return whether a plan names the file, or a folder that it is in."""
    path = file.resolve()
    return not named.isdisjoint((path, *path.parents))


def _named_checkpoints(out: Path) -> set[Path]:
    """Return every path below the output folder that the plan of a study in it names."""
    plans = [atomic.read_json(plan) for plan in sorted(out.glob("*/plan.json"))]
    trained = [start for plan in plans for start in plan.get("pretrainings", ())]
    return {path for plan in plans for path in _paths(plan, out)} | {
        StudyFolder(out / str(start.get("study"))).trial(str(start.get("trial_id")))
        for start in trained
    }


def _paths(value: Any, out: Path) -> Iterator[Path]:
    """Yield the texts in a JSON value that are paths into the output folder."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _paths(item, out)
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, out)
    elif isinstance(value, str) and os.sep in value and len(value) < 4096:
        path = Path(os.path.realpath(value))
        if path != out and path.is_relative_to(out):
            yield path
