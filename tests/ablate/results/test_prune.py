"""Checkpoints that nothing needs any more, in a real folder of a finished study."""

import json
import shutil
from pathlib import Path

import pytest

from ablate.disk import locks
from ablate.results.prune import prune
from ablate.study.nouns import StudyError

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "study_0_1_0" / "earlier"
STEPS = ("step_00000002.pt", "step_00000004.pt")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A finished study whose every trial has two checkpoints, and what a killed write left."""
    folder = tmp_path / "earlier"
    shutil.copytree(FIXTURE, folder)
    for trial in (folder / "trials").iterdir():
        (trial / "checkpoints").mkdir()
        for name in (*STEPS, f".{STEPS[1]}.7.part"):
            (trial / "checkpoints" / name).write_bytes(b"x" * 100)
    return folder


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("trials/*/checkpoints/*")}


def change(trial: Path, **facts: object) -> None:
    document = trial / "trial.json"
    document.write_text(json.dumps({**json.loads(document.read_text()), **facts}))


def trials_of(folder: Path) -> list[Path]:
    return sorted((folder / "trials").iterdir())


def test_older_checkpoints_and_leftovers_go_and_results_stay(study: Path) -> None:
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    count = len(trials_of(study))
    shown = prune(study, dry_run=True)
    assert {path: path.read_bytes() for path in before} == before
    pruned = prune(study)
    assert pruned == shown
    assert (len(pruned.files), pruned.freed, pruned.left) == (2 * count, 200 * count, 100 * count)
    assert left(study) == {STEPS[1]}
    after = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    assert set(before) - set(after) == set(pruned.files)
    assert prune(study).files == ()


def test_all_keeps_what_a_trial_resumes_from(study: Path) -> None:
    interrupted, failed, *_ = trials_of(study)
    change(interrupted, status="interrupted")
    change(failed, status="failed")
    prune(study, everything=True)
    holders = {path.parents[1] for path in study.glob("trials/*/checkpoints/step_*")}
    assert holders == {interrupted, failed}


def test_a_diverged_trial_keeps_nothing(study: Path) -> None:
    diverged, *_ = trials_of(study)
    change(diverged, status="diverged")
    prune(study)
    assert not list((diverged / "checkpoints").iterdir())


def test_a_checkpoint_that_another_study_starts_from_is_kept(study: Path) -> None:
    first, second, *_ = trials_of(study)
    file = first / "checkpoints" / STEPS[0]
    other = study.parent / "other"
    other.mkdir()
    base = {"checkpoint": str(file)}
    levels = {"pretrained": {"checkpoint": str(second / "checkpoints")}}
    plan = {"name": "other", "base": base, "factors": {"start": {"levels": levels}}}
    (other / "plan.json").write_text(json.dumps(plan))
    pruned = prune(study, everything=True)
    assert file in pruned.named
    holders = {path.parents[1] for path in study.glob("trials/*/checkpoints/step_*")}
    assert holders == {first, second}


def test_what_another_trainer_saved_is_its_users(study: Path) -> None:
    own, *_ = trials_of(study)
    change(own, trainer={"object": "digits:trainer"})
    prune(study)
    assert {path.name for path in (own / "checkpoints").iterdir()} == set(STEPS)
    prune(study, everything=True)
    assert not list((own / "checkpoints").iterdir())


@pytest.mark.parametrize("place", ["trials", "checkpoints", "checkpoints/more"])
def test_links_are_not_followed(study: Path, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "step_00000001.pt").write_bytes(b"mine")
    link = study / "trials" if place == "trials" else trials_of(study)[0] / place
    if link.exists():
        shutil.move(link, tmp_path / "moved")
    link.symlink_to(outside if place != "trials" else tmp_path / "moved")
    if place == "checkpoints/more":
        prune(study, everything=True)
    else:
        with pytest.raises(StudyError, match="is a symbolic link"):
            prune(study, everything=True)
    assert (outside / "step_00000001.pt").read_bytes() == b"mine"


def test_a_study_that_is_running_is_refused(study: Path) -> None:
    with locks.held(study / ".lock", "study"), pytest.raises(StudyError, match="in use by"):
        prune(study)
    assert set(STEPS) <= left(study)


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError):
        prune(tmp_path)
