"""How often Ray may die: as long as trials get further, as often as it wants."""

from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.running.driver import Deaths
from ablate.trial import journal, trial_file
from benchmarks.toy_study import toy_plan

TRIALS = toy_plan().trials


def folders(folder: Path) -> list[Path]:
    """The folders of the trials."""
    return [StudyFolder(folder).trial(trial.id) for trial in TRIALS]


def records(folder: Path, number: int, attempt: int, *steps: int) -> None:
    """Append records of these steps to the journal of a trial."""
    where = StudyFolder(folder).trial(TRIALS[number].id)
    where.mkdir(parents=True, exist_ok=True)
    writer = journal.Journal(where, attempt)
    for step in steps:
        writer.write(step, "train", {"loss/total_generator": 1.0}, {})
    writer.close()


def test_new_records_reset_the_count_of_deaths(tmp_path: Path) -> None:
    deaths = Deaths(folders(tmp_path))
    counted = []
    for attempt in range(1, 6):
        records(tmp_path, 0, attempt, attempt)
        deaths.add()
        counted.append(deaths.in_a_row)
    assert counted == [1] * 5


def test_records_that_only_repeat_steps_do_not(tmp_path: Path) -> None:
    records(tmp_path, 0, 1, 1, 2, 3)
    deaths = Deaths(folders(tmp_path))
    counted = []
    for attempt in range(2, 5):
        records(tmp_path, 0, attempt, 2, 3)
        deaths.add()
        counted.append(deaths.in_a_row)
    assert counted == [1, 2, 3]

    records(tmp_path, 0, 5, 2, 3, 4)
    deaths.add()
    assert deaths.in_a_row == 1
    # A resumed trial that has not come far again doesn't count as one that got further later
    records(tmp_path, 0, 6, 2)
    deaths.add()
    records(tmp_path, 0, 7, 2, 3, 4)
    deaths.add()
    assert deaths.in_a_row == 3


def test_any_trial_counts_and_so_does_its_end(tmp_path: Path) -> None:
    deaths = Deaths(folders(tmp_path))
    deaths.add()
    deaths.add()
    assert deaths.in_a_row == 2
    records(tmp_path, 3, 1, 0)
    deaths.add()
    assert deaths.in_a_row == 1

    where = StudyFolder(tmp_path).trial(TRIALS[1].id)
    where.mkdir(parents=True)
    trial_file.write(where, {"status": "failed", "fault": "bug", "error": "x"})
    deaths.add()
    assert deaths.in_a_row == 1
    deaths.add()
    assert deaths.in_a_row == 2
