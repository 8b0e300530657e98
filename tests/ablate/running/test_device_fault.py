"""A GPU that fails takes neither the study nor the other trials of its worker with it."""

from pathlib import Path

import pandas as pd
import pytest

from ablate.running.study import run_study
from ablate.trial import trial_file
from benchmarks import trivial_trainer
from benchmarks.toy_study import BARE, table, toy_plan

STUDY = {"seeds": 2, "steps": 8}
SICK = {"fault": "sick_gpu", "at": 3}


@pytest.mark.slow
def test_the_worker_ends_and_the_trial_resumes_in_a_new_one(tmp_path: Path) -> None:
    """The first trial loses its GPU once, the third always; the others share their worker."""
    run_study(toy_plan(**STUDY), tmp_path / "quiet", workers=0, **BARE)
    planted = {"off/0": {**SICK, "flag": str(tmp_path / "sick")}, "off/1": SICK}
    plan = toy_plan(**STUDY, planted=planted)
    result = run_study(plan, tmp_path / "out", workers=1, max_retries=1, **BARE)
    assert result.exit_code == 1

    attempts = [trial_file.read(one.folder)["attempts"] for one in result.results]
    ends = [[attempt["status"] for attempt in each] for each in attempts]
    assert ends == [["failed", "finished"], ["finished"], ["failed", "failed"], ["finished"]]
    assert attempts[0][0]["pid"] != attempts[0][1]["pid"]
    lost = result.results[2]
    assert lost.fault == "device"
    assert "uncorrectable ECC error encountered (for the last time after 1 ret" in str(lost.error)

    whole, left = (frame[frame["trial_id"] != lost.trial.id] for frame in map(table, [
        tmp_path / "quiet", tmp_path / "out"
    ]))  # fmt: skip
    pd.testing.assert_frame_equal(left.reset_index(drop=True), whole.reset_index(drop=True))


def test_without_workers_the_study_stops_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trivial_trainer, "SICK", [])  # this process trains in other tests
    plan = toy_plan(**STUDY, planted={"off/0": SICK})
    result = run_study(plan, tmp_path / "out", workers=0, **BARE)
    assert result.exit_code == 1
    assert [one.status for one in result.results] == ["failed", "planned", "planned", "planned"]
    assert "the GPU failed in trial" in result.messages[-1]
