"""Trials that are started once more than they need."""

from pathlib import Path

import pytest

from ablate import load_study, plan
from ablate.disk.folder import TrialFolder
from ablate.study.nouns import Trial
from ablate.trainers.resolve import load_entry
from ablate.trial import journal, trial_file
from ablate.trial.run import run_trial
from benchmarks.scale.study import study_file
from benchmarks.toy_study import TRAINER, toy_plan

STEPS = 5


def of_an_object(folder: Path) -> tuple[Trial, str]:
    """A trial that a generator trains, and that trainer."""
    trial = plan(load_study(study_file(folder, trials=20, steps=STEPS, sleep_s=0.0))).trials[0]
    return trial, str(trial.config.entry)


def of_the_core(folder: Path, **data: object) -> tuple[Trial, str]:
    """A trial with the records and checkpoints of the core, and its trainer."""
    data = {"images": False, **data}
    return toy_plan(seeds=1, steps=STEPS, data=data, checkpoint_every=1).trials[0], TRAINER


def of_the_core_that_diverges(folder: Path) -> tuple[Trial, str]:
    return of_the_core(folder, fault="infinity", at=3)


@pytest.mark.parametrize("kind", [of_an_object, of_the_core, of_the_core_that_diverges])
def test_a_trial_with_an_outcome_does_not_run_again(tmp_path: Path, kind) -> None:
    trial, entry = kind(tmp_path)
    folder = tmp_path / "trials" / trial.id
    first = run_trial(trial, folder, train=load_entry(entry))
    written = [TrialFolder(folder).document.read_bytes(), TrialFolder(folder).journal.read_bytes()]
    again = run_trial(trial, folder, train=load_entry(entry))
    assert again.status == first.status in trial_file.ENDED
    assert written == [
        TrialFolder(folder).document.read_bytes(),
        TrialFolder(folder).journal.read_bytes(),
    ]


@pytest.mark.parametrize("kind", [of_an_object, of_the_core])
def test_a_trial_that_was_killed_after_its_last_step_keeps_it(tmp_path: Path, kind) -> None:
    trial, entry = kind(tmp_path)
    folder = tmp_path / "trials" / trial.id
    run_trial(trial, folder, train=load_entry(entry))
    before = [line.values for line in journal.effective(journal.read(folder)) if line.values]

    document = trial_file.read(folder)
    del document["attempts"][0]["ended"]
    trial_file.write(folder, {**document, "status": "running", "steps_done": 0})
    result = run_trial(trial, folder, train=load_entry(entry))
    assert (result.status, result.steps_done) == ("finished", STEPS)
    after = [line.values for line in journal.effective(journal.read(folder)) if line.values]
    assert after == before
