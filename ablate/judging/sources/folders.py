"""Runs in folders, as Hydra, Lightning, Ray Tune, TensorBoard, and others leave them.

A folder is one of a run if it holds a file with numbers. The run's options are from files in it and
in the folders above, up to the source, and from names of folders such as `lr=0.1,seed=3`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml

from ablate.judging.question import Question
from ablate.judging.run_file import Content, Curves, all_files
from ablate.judging.source import Source
from ablate.study.found import Found, FoundRun
from ablate.study.nouns import Status, StudyError

PART = re.compile(r"(?:^|[,;_ ])([A-Za-z+][\w.+]*?)=(.*?)(?=[,;_ ][A-Za-z+][\w.+]*=|$)")
"""A `name=value` in the name of a folder."""
CHECKPOINT = re.compile(r"checkpoint-(\d+)")
"""Folders of checkpoints, which hold copies of the log so far."""


def read_folders(question: Question) -> Found:
    """Return the runs below a folder, in the order of their paths.

    Raises:
        StudyError: no folder holds numbers, or a file is damaged.
    """
    root = Path(question.source)
    folders = run_folders(root)
    if not folders:
        raise StudyError(
            f"{root}: no folder in it holds numbers of a run: "
            f"{', '.join(file.pattern for file in all_files().values() if file.numbers)}"
        )
    return Found("folder of runs", str(root), tuple(_run(root, folder) for folder in folders))


def run_folders(root: Path) -> list[Path]:
    """Return the folders below a folder that hold numbers of a run.

    Of the folders of checkpoints of one run, the newest counts. A folder in another one that has
    numbers too, such as the one that TensorBoard's `add_hparams` makes, belongs to that run.
    """
    found: dict[Path, None] = {}
    for file in all_files().values():
        if file.numbers:
            for path in sorted(root.rglob(file.pattern)):
                found[_owner(path, file.pattern)] = None
    folders = _without_old_checkpoints(sorted(found))
    return [one for one in folders if not any(other in one.parents for other in folders)]


def _owner(path: Path, pattern: str) -> Path:
    """Return the folder that a pattern is relative to."""
    return path.parents[pattern.count("/")]


def _without_old_checkpoints(folders: list[Path]) -> list[Path]:
    """Return the folders without those of checkpoints that have a newer neighbor."""
    newest: dict[Path, int] = {}
    for folder in folders:
        if match := CHECKPOINT.fullmatch(folder.name):
            newest[folder.parent] = max(newest.get(folder.parent, -1), int(match[1]))
    return [
        folder
        for folder in folders
        if not (match := CHECKPOINT.fullmatch(folder.name))
        or (int(match[1]) == newest[folder.parent] and folder.parent not in folders)
    ]


def _run(root: Path, folder: Path) -> FoundRun:
    """Return the run of a folder."""
    options: dict[str, str] = {}
    status: Status | Literal[""] = ""
    curves: Curves = {}
    below = folder.relative_to(root)
    for place in (root, *(root / Path(*below.parts[: n + 1]) for n in range(len(below.parts)))):
        options |= dict(PART.findall(place.name)) if place != root else {}
        for content in _contents(place, own=place == folder):
            options |= content.options
            status = content.status or status
            for name, points in content.curves.items():
                curves.setdefault(name, []).extend(points)
    return FoundRun(
        name=str(below),
        values={**options, "folder": str(below)},
        curves={name: tuple(dict(sorted(points)).items()) for name, points in curves.items()},
        status=status or "finished",
    )


def _contents(folder: Path, own: bool) -> Iterator[Content]:
    """Yield what the files of a folder say; numbers count only in the run's own folder.

    Raises:
        StudyError: a file is damaged.
    """
    for file in all_files().values():
        if file.numbers and not own:
            continue
        inside = folder.rglob(file.pattern) if own else folder.glob(file.pattern)
        for path in sorted(inside):
            try:
                yield file.read(path)
            except (OSError, ValueError, KeyError, yaml.YAMLError) as error:
                reason = " ".join(str(error).split())[:200]
                raise StudyError(f"{path}: can't be read: {reason}") from None


SOURCES = {
    "runs": Source(
        "a folder of runs (Hydra, Lightning, Ray Tune, TensorBoard, W&B, Hugging Face)",
        lambda place: "://" not in place and Path(place).is_dir() and not _is_mlflow(Path(place)),
        read_folders,
    )
}


def _is_mlflow(folder: Path) -> bool:
    """Return whether a folder is a store of MLflow."""
    return any(folder.glob("*/meta.yaml"))
