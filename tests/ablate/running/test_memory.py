"""Trials that need more memory than there is: again with fewer at once, never smaller, and said."""

import re
from pathlib import Path

import pandas as pd
import pytest

from ablate.running.study import run_study
from ablate.trial import trial_file
from benchmarks.toy_study import TRAINER, table, toy_plan

QUIET = {"trainer": TRAINER, "report": False, "tracking_uri": "none", "quiet": True}


@pytest.mark.slow
def test_a_full_gpu_is_shared_by_fewer_trials(tmp_path: Path) -> None:
    """The card holds one trial; two at once get torch's error for a full one from each other."""
    run_study(toy_plan(), tmp_path / "quiet", workers=0, **QUIET)
    data = {"fault": "crowded_gpu", "at": 4, "card": str(tmp_path / "card")}
    result = run_study(toy_plan(data=data), tmp_path / "out", workers=2, **QUIET)
    assert result.exit_code == 0
    assert any("ran out of memory; again with 1 at once" in line for line in result.messages)
    documents = [trial_file.read(one.folder) for one in result.results]
    ends = [[attempt["status"] for attempt in document["attempts"]] for document in documents]
    assert ["failed", "finished"] in ends
    assert {end[-1] for end in ends} == {"finished"}
    assert {document["config"]["batch_size"] for document in documents} == {4}
    pd.testing.assert_frame_equal(
        table(tmp_path / "out"), table(tmp_path / "quiet"), check_exact=True
    )


@pytest.mark.slow
def test_memory_that_no_trial_alone_finds_ends_the_study_and_is_said_once(tmp_path: Path) -> None:
    """A real limit of the system, in real workers: two at once, then one, then the third equal
    error ends it."""
    plan = toy_plan(seeds=4, data={"fault": "limited_memory", "at": 2})
    result = run_study(plan, tmp_path, workers=2, **QUIET)
    assert result.exit_code == 1
    assert (
        sum("8 trials ran out of memory; again with 1 at once" in line for line in result.messages)
        == 1
    )
    assert (
        sum("the first 3 trials failed with the same error" in line for line in result.messages)
        == 1
    )
    assert {one.fault for one in result.results} == {"host_memory"}


@pytest.mark.slow
def test_what_ray_kills_for_memory_is_named_and_tried_with_fewer_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray's own memory monitor, at a limit that this machine is always above."""
    monkeypatch.setenv("RAY_memory_usage_threshold", "0.001")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    result = run_study(toy_plan(seeds=1), tmp_path, workers=2, max_retries=0, **QUIET)
    assert result.exit_code == 1
    assert "2 trials ran out of memory; again with 1 at once" in result.messages
    assert {one.fault for one in result.results} == {"host_memory"}
    for one in result.results:
        assert re.match(
            r"Ray killed it because memory ran low: [\d.]+GB used / [\d.]+GB limit", str(one.error)
        )
