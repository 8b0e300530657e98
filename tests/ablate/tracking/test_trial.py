"""What is sent of a trial's journal to its run."""

from pathlib import Path

from ablate.trial import journal


def write(folder: Path, steps: range, more: dict[str, float]) -> None:
    lines = journal.Journal(folder, 1)
    for step in steps:
        lines.write(step, "train", {"loss/a": float(step), **more}, {})
    lines.close()


def test_a_journal_that_was_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    from ablate.tracking.trial import TrialForwarder

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    run = client.create_run(client.create_experiment("toy")).info.run_id
    plan = {
        "name": "toy",
        "seeds": [0],
        "hash": "0",
        "outcome": {"metric": "mixed_l1", "summary": "last", "better": "lower"},
        "factors": {},
        "cells": [],
    }
    planned = {"trial_id": "a", "cell_id": "c", "levels": {}, "seed": 0}
    sent = TrialForwarder(client, run, tmp_path, plan, planned)
    document = {"status": "running", "attempts": [{"attempt": 1}]}
    write(tmp_path, range(1, 4), {f"loss/{number}": 1.0 for number in range(50)})
    sent.forward(document, last=False)
    journal.set_aside(tmp_path)
    write(tmp_path, range(1, 9), {})
    sent.forward(document, last=False)
    history = client.get_metric_history(run, "loss/a")
    assert sorted(metric.step for metric in history) == list(range(1, 9))

    # The run was there before the trials had codes, so it is named again.
    named = client.get_run(run)
    assert named.info.run_name == "ref · seed 0"
    assert (named.data.tags["arm_code"], named.data.tags["arm"]) == ("ref", "reference")
