"""Runs of studies that train first what they start from."""

import json
import shutil
from pathlib import Path

import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.running.study import StudyResult, run_study
from ablate.study.nouns import StudyError
from ablate.trial import trial_file
from tests.ablate.planning.test_pretraining import FIRST, written
from tests.tiny import TWO_STEPS

SMALL = [value for value in TWO_STEPS if "checkpoint" not in value]
FEW = "base: {steps: 2, eval_every: 1, eval_pairs: 2, batch_size: 2}\n"


def run(file: Path, *settings: str, seeds: tuple[int, ...] = (0,)) -> StudyResult:
    planned = plan(load_study(file, [*SMALL, *settings]), seeds)
    out = file.parent / "out"
    return run_study(planned, out, workers=0, tracking_uri="none", report=False, quiet=True)


def document(result: StudyResult, index: int = 0) -> dict[str, object]:
    return dict(trial_file.read(result.results[index].folder))


def test_it_runs_first_and_its_last_checkpoint_is_where_trials_start(tmp_path: Path) -> None:
    result = run(written(tmp_path, first=FIRST + FEW))
    assert [one.status for one in result.results] == ["finished", "finished"]
    (first,) = (tmp_path / "out" / "first" / "trials").iterdir()
    assert document(result)["starts_from"] == first.name
    (last,) = (first / "checkpoints").glob("step_*2.pt")
    assert document(result)["restored"]["checkpoint"] == str(last)  # type: ignore[index]
    digests = document(result)["digests"]
    assert isinstance(digests, dict)
    assert len(str(digests["checkpoint"])) == 64
    table = (tmp_path / "out" / "later" / "trials.csv").read_text(encoding="utf-8")
    assert first.name not in table


def test_it_is_used_again_by_a_further_seed_and_by_another_study(tmp_path: Path) -> None:
    file = written(tmp_path, first=FIRST + FEW)
    run(file)
    (first,) = (tmp_path / "out" / "first" / "trials").iterdir()
    before = trial_file.read(first)["attempts"]
    run(file, seeds=(0, 1))
    other = tmp_path / "other.yaml"
    other.write_text("extends: later.yaml\nname: other\n", encoding="utf-8")
    assert run(other).exit_code == 0
    assert trial_file.read(first)["attempts"] == before


def test_a_finished_study_does_not_train_it_again(tmp_path: Path) -> None:
    file = written(tmp_path, first=FIRST + FEW)
    run(file)
    shutil.rmtree(tmp_path / "out" / "first")
    assert run(file).exit_code == 0
    assert not (tmp_path / "out" / "first").exists()


def test_one_that_diverges_fails_what_starts_from_it_in_one_line(tmp_path: Path) -> None:
    wild = FIRST + FEW.replace("}", ", lr_generator: 1.0e+30}")
    result = run(written(tmp_path, first=wild), seeds=(0, 1))
    assert result.exit_code == 1
    (line,) = (text for text in result.messages if "can't start" in text)
    (first,) = (tmp_path / "out" / "first" / "trials").iterdir()
    assert line.startswith(f"4 trials can't start: its pre-training first/{first.name} diverged: ")
    assert {(one.status, one.fault) for one in result.results} == {("failed", "pretraining")}


def test_a_network_that_does_not_fit_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    other = FIRST + FEW.replace("}", ", optimizer: adam}")
    with pytest.raises(StudyError, match=r"the reference: .*optimizers do not fit RMSprop"):
        run(written(tmp_path, first=other))
    assert not (tmp_path / "out").exists()


def test_arms_that_need_no_pretraining_run_all_the_same(tmp_path: Path) -> None:
    wild = FIRST + FEW.replace("}", ", lr_generator: 1.0e+30}")
    file = written(tmp_path, first=wild)
    levels = (
        "  start:\n    levels:\n      fresh: {checkpoint: null}\n"
        "      trained: {checkpoint: {train: first.yaml}}\n"
    )
    text = file.read_text(encoding="utf-8").replace("design:", levels + "design:")
    file.write_text(text, encoding="utf-8")
    result = run(file, "base.checkpoint=null")
    ends = {one.trial.levels["start"]: one.status for one in result.results}
    assert ends == {"fresh": "finished", "trained": "failed"}


def test_a_plan_of_that_study_is_left_alone(tmp_path: Path) -> None:
    file = written(tmp_path, first=FIRST + FEW)
    first = plan(load_study(tmp_path / "first.yaml", SMALL), (7,))
    run_study(first, tmp_path / "out", workers=0, tracking_uri="none", report=False, quiet=True)
    before = (tmp_path / "out" / "first" / "plan.json").read_bytes()
    run(file, "base.checkpoint.per=seed")
    assert (tmp_path / "out" / "first" / "plan.json").read_bytes() == before
    assert len(list((tmp_path / "out" / "first" / "trials").iterdir())) == 2


def test_numbers_are_those_of_a_study_that_names_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, first=FIRST + FEW)
    trained = run(file)
    (first,) = (tmp_path / "out" / "first" / "trials").iterdir()
    (checkpoint,) = (first / "checkpoints").glob("step_*2.pt")

    named = tmp_path / "named.yaml"
    named.write_text("extends: later.yaml\nname: named\n", encoding="utf-8")
    again = run(named, f"base.checkpoint={checkpoint}")
    for one, other in zip(trained.results, again.results, strict=True):
        assert _values(one.folder) == _values(other.folder)


def _values(folder: Path) -> list[object]:
    """The recorded numbers of a trial, without times."""
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {name: value for name, value in json.loads(line)["values"].items() if "time/" not in name}
        for line in lines
        if json.loads(line)["kind"] != "note"
    ]
