"""The study of many trials: its size, its trainer, and what counts as a good end."""

from pathlib import Path

from ablate import load_study, plan
from benchmarks.scale.__main__ import good
from benchmarks.scale.study import study_file
from benchmarks.scale.trainer import Config, train
from benchmarks.scale.watch import Moment, Watch


def test_the_study_has_the_trials_that_were_asked_for(tmp_path: Path) -> None:
    file = study_file(tmp_path, trials=60, steps=5, sleep_s=0.0)
    trials = plan(load_study(file)).trials
    assert len(trials) == len({trial.id for trial in trials}) == 60


def test_a_trial_that_was_killed_ends_with_the_same_numbers(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    config = Config(steps=6, seed=3, rate=0.1)
    expected = list(train(config, whole))
    first = train(config, parts)
    # The fourth record was yielded, but its checkpoint was not written
    recorded = [next(first) for _ in range(4)][:3]
    assert recorded + list(train(config, parts)) == expected


def test_only_a_whole_study_is_good() -> None:
    outcome = {
        "exit_code": 0,
        "tables_equal": True,
        "statuses": {"finished": 40},
        "runs": {"trial FINISHED": 40, "study FINISHED": 1},
        "trials_with_a_run": 40,
        "other_values": 0,
    }
    assert good(outcome, 40)
    for wrong in (
        {"exit_code": 3},
        {"tables_equal": False},
        {"statuses": {"finished": 39, "failed": 1}},
        {"runs": {"trial FINISHED": 40, "study RUNNING": 1}},
        {"runs": {"trial FINISHED": 41, "study FINISHED": 1}},
        {"other_values": 1},
    ):
        assert not good(outcome | wrong, 40), wrong


def test_how_far_tracking_is_behind(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    for seconds, finished, sent in ((1.0, 5, 0), (2.0, 10, 4), (3.0, 10, 10), (4.0, 10, 10)):
        watch.moments.append(Moment(seconds, finished, sent, {"driver": 200.0}, {"driver": 1.0}))
    assert watch.behind_s == 1.0
    assert watch.rows((5, 10)) == [
        "1 s: 5 finished, 0 sent; driver 200 MB 1.0 s",
        "2 s: 10 finished, 4 sent; driver 200 MB 1.0 s",
    ]
