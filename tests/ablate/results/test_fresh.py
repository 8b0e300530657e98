"""Tables and report are made again when their content has changed, whatever the clock says."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.results import fresh
from ablate.trial import journal, trial_file
from g2g_base import atomic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of one trial, whose tables and report have just been made."""
    atomic.write_json(StudyFolder(tmp_path).plan, {"name": "toy", "trials": [{"trial_id": "a"}]})
    where = StudyFolder(tmp_path).trial("a")
    where.mkdir(parents=True)
    trial_file.write(where, {"trial_id": "a", "status": "finished", "attempts": [{"attempt": 1}]})
    record(where)
    for what in ("tables", "report"):
        fresh.note(tmp_path, what, fresh.content(tmp_path, what))
    return tmp_path


def record(where: Path) -> None:
    lines = journal.Journal(where, 1)
    lines.write(1, "train", {"loss/a": 1.0}, {})
    lines.close()


def question(folder: Path) -> None:
    plan = atomic.read_json(StudyFolder(folder).plan)
    atomic.write_json(StudyFolder(folder).plan, {**plan, "question": "Another one?"})


def outcome(folder: Path) -> None:
    where = StudyFolder(folder).trial("a")
    trial_file.write(where, {**trial_file.read(where), "status": "diverged"})


def more(folder: Path) -> None:
    record(StudyFolder(folder).trial("a"))


def lost(folder: Path) -> None:
    TrialFolder(StudyFolder(folder).trial("a")).journal.unlink()


@pytest.mark.parametrize("clock", [0, 4e9], ids=["clock in 1970", "clock in 2096"])
@pytest.mark.parametrize("change", [question, outcome, more, lost])
def test_a_change_counts_whatever_the_clock_says(
    folder: Path, change: Callable[[Path], None], clock: float
) -> None:
    change(folder)
    for path in folder.rglob("*"):
        os.utime(path, (clock, clock))
    assert not fresh.is_current(folder, "report")
    assert not fresh.is_current(folder, "tables")


@pytest.mark.parametrize("clock", [0, 4e9])
def test_other_times_of_the_same_content_change_nothing(folder: Path, clock: float) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (clock, clock))
    assert fresh.is_current(folder, "report")
    assert fresh.is_current(folder, "tables")


def test_the_run_of_mlflow_is_in_the_tables_alone(folder: Path) -> None:
    atomic.write_json(TrialFolder(StudyFolder(folder).trial("a")).tracked, {"run_id": "7"})
    assert fresh.is_current(folder, "report")
    assert not fresh.is_current(folder, "tables")
