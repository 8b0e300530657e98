"""Runs of studies whose arms choose a value among tries first."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.plan_file import resolved_yaml
from ablate.planning.pretraining import waiting
from ablate.results.status import tuning_status
from ablate.running.study import StudyResult, run_study
from ablate.trial import trial_file
from ablate.trial.run import run_trial
from ablate.trial.verify import verify_trial
from tests.ablate.planning.test_tuning import STUDY, written
from tests.tiny import TWO_STEPS

PROGRAM = """
import json, math, pathlib, sys
arm, rate, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
folder = pathlib.Path(sys.argv[4])
best = {"small": 0.1, "large": 0.4, "wild": 0}[arm]
loss = math.nan if arm == "wild" else abs(rate - best) + seed / 1000
with (folder / "metrics.jsonl").open("w") as file:
    for step in (0, 1):
        print(json.dumps({"step": step, "loss": loss, "rate": rate}), file=file, flush=True)
"""
COMMAND = """
name: program
trainer: {{command: "'{python}' -I -S train.py {{arm}} {{rate}} {{seed}} {{folder}}"}}
base: {{arm: small, rate: 5.0}}
factors:
  arm: {{path: arm, levels: [small, large]}}
seeds: [0, 1]
outcome: {{metric: loss}}
tune: {{path: rate, values: [1e-1, 0.2, 4e-1, 0.80]}}
"""


def program(folder: Path, *settings: str, seeds: tuple[int, ...] | None = None) -> StudyResult:
    (folder / "train.py").write_text(PROGRAM, encoding="utf-8")
    file = folder / "program.yaml"
    file.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    return run(plan(load_study(file, settings), seeds), folder)


def run(made: Any, folder: Path) -> StudyResult:
    out = folder / "out"
    return run_study(
        made, out, workers=0, tracking_uri="none", report=False, quiet=True, check=False
    )


def document(folder: Path) -> Mapping[str, Any]:
    return dict(trial_file.read(folder))


def starts(folder: Path) -> int:
    """How often the tries have been started."""
    return sum(len(document(one)["attempts"]) for one in folder.glob("out/program-tuning/trials/*"))


def values(folder: Path) -> list[object]:
    """The recorded numbers of a trial, without times."""
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {name: value for name, value in json.loads(line)["values"].items() if "time/" not in name}
        for line in lines
        if json.loads(line)["kind"] != "note"
    ]


def test_every_arm_of_a_program_gets_the_value_that_suits_it(tmp_path: Path) -> None:
    result = program(tmp_path)
    assert result.exit_code == 0
    for one in result.results:
        found = document(one.folder)
        best = 0.1 if one.trial.levels["arm"] == "small" else 0.4
        assert found["tuned"]["value"] == found["config"]["rate"] == best
        assert "1e-1" in found["trainer"]["arguments"] or "4e-1" in found["trainer"]["arguments"]
        assert len(found["tuned"]["tries"]) == 4
        assert found["tuned"]["tries"][1]["outcomes"] == [pytest.approx(abs(0.2 - best) + 0.1)]
        assert verify_trial(result.folder, one.folder, lambda _: None).equal
    assert starts(tmp_path) == 8
    assert tuning_status(result.folder) == "program-tuning: 8 tries of rate: 8 finished"


def test_the_resolved_study_of_a_program_is_the_same_study(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM, encoding="utf-8")
    file = tmp_path / "program.yaml"
    file.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    made = plan(load_study(file))
    resolved = tmp_path / "study.resolved.yaml"
    resolved.write_text(resolved_yaml(made.spec), encoding="utf-8")
    assert plan(load_study(resolved)).hash == made.hash
    assert len(waiting(made.trials, tmp_path)) == 8


def test_tries_are_used_again_by_further_seeds_and_arms(tmp_path: Path) -> None:
    program(tmp_path, "factors={}")
    assert starts(tmp_path) == 4
    assert program(tmp_path, seeds=(0, 1, 2)).exit_code == 0
    assert starts(tmp_path) == 8
    shutil.rmtree(tmp_path / "out" / "program" / "trials")
    assert program(tmp_path, seeds=(0, 1, 2)).exit_code == 0
    assert starts(tmp_path) == 8


def test_an_arm_of_which_all_tries_diverge_fails_and_the_others_run(tmp_path: Path) -> None:
    result = program(tmp_path, "factors.arm.levels=[small, wild]")
    ends = {(one.trial.levels["arm"], one.status, one.fault) for one in result.results}
    assert ends == {("small", "finished", None), ("wild", "failed", "tuning")}
    assert result.exit_code == 1
    (line,) = (text for text in result.messages if "can't start" in text)
    assert line == "2 trials can't start: every try of rate in program-tuning diverged"
    before = starts(tmp_path)
    assert program(tmp_path, "factors.arm.levels=[small, wild]").exit_code == 1
    assert starts(tmp_path) == before


def test_a_try_that_fails_is_run_again_before_anything_is_chosen(tmp_path: Path) -> None:
    broken = PROGRAM.replace("best =", "assert rate < 0.5\nbest =")
    (tmp_path / "train.py").write_text(broken, encoding="utf-8")
    file = tmp_path / "program.yaml"
    file.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    result = run(plan(load_study(file)), tmp_path)
    assert {one.fault for one in result.results} == {"tuning"}
    assert all("its try program-tuning/" in str(one.error) for one in result.results)
    again = run(plan(load_study(file, ["tune.values=[1e-1, 0.2, 4e-1]"])), tmp_path)
    assert again.exit_code == 0


def test_networks_choose_too_and_train_as_with_the_value_given(tmp_path: Path) -> None:
    file = written(tmp_path, STUDY.replace("factors:", "factors:\n  long_recon: null"))
    small = [*TWO_STEPS, "base.metrics=[mixed_l1]", "seeds=[0]"]
    tuned = run(plan(load_study(file, [*small, "tune.values=[1.0e-2, 1.0e-4]"])), tmp_path)
    (one,) = tuned.results
    value = document(one.folder)["config"]["lr_generator"]
    assert value == document(one.folder)["tuned"]["value"]
    (given,) = plan(load_study(file, [*small, "tune=null", f"base.lr_generator={value}"])).trials
    assert run_trial(given, tmp_path / "given" / given.id).status == "finished"
    assert values(one.folder) == values(tmp_path / "given" / given.id)
