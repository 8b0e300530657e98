"""What a study's page in MLflow says once there is an answer."""

from pathlib import Path

from ablate.running.study import run_study
from benchmarks.toy_study import TRAINER, toy_plan


def test_the_notes_hold_the_answer_of_the_report(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    study = toy_plan(seeds=4, steps=4, data={"noise": 0.0005, "images": False})
    assert run_study(study, tmp_path, trainer=TRAINER, workers=0, quiet=True).exit_code == 0
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("toy")
    (run,) = client.search_runs([experiment.experiment_id], "tags.role = 'study'")
    notes = {experiment.tags["mlflow.note.content"], run.data.tags["mlflow.note.content"]}
    assert len(notes) == 1
    assert "weight makes mixed_l1 worse: +0.0" in notes.pop()
    assert 0.005 < run.data.metrics["effect/weight"] < 0.015


def test_a_factor_without_a_single_effect_has_no_metric_of_one() -> None:
    from ablate.tracking.forwarder import _effects

    rows = [
        {"factor": name, "verdict": name, "effect": 0.1}
        for name in ("harms", "depends", "diverges")
    ]
    assert _effects({"verdicts": rows}) == {"effect/harms": 0.1}
