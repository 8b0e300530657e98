"""What is sent of a trial's journal to its run."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ablate.trial import journal

if TYPE_CHECKING:
    from mlflow import MlflowClient

PLAN: dict[str, Any] = {
    "name": "toy",
    "seeds": [0],
    "hash": "0",
    "outcome": {"metric": "mixed_l1", "summary": "last", "better": "lower"},
    "factors": {},
    "cells": [],
}
PLANNED = {"trial_id": "a", "cell_id": "c", "levels": {}, "seed": 0}


@pytest.fixture(scope="module")
def new_run(tmp_path_factory: pytest.TempPathFactory) -> "tuple[MlflowClient, Callable[[], str]]":
    """A store, and what makes a run in it."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
    experiment = client.create_experiment("toy")
    return client, lambda: client.create_run(experiment).info.run_id


def write(folder: Path, steps: range, more: dict[str, float]) -> None:
    lines = journal.Journal(folder, 1)
    for step in steps:
        lines.write(step, "train", {"loss/a": float(step), **more}, {})
    lines.close()


def test_a_journal_that_was_begun_anew_is_read_from_its_start(
    tmp_path: Path, new_run: "tuple[MlflowClient, Callable[[], str]]"
) -> None:
    from ablate.tracking.trial import TrialForwarder

    client, run = new_run[0], new_run[1]()
    sent = TrialForwarder(client, run, tmp_path, PLAN, PLANNED)
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


@pytest.mark.parametrize(
    ("end", "other_process"), [("finished", True), ("finished", False), ("interrupted", True)]
)
def test_a_trial_that_failed_after_its_last_record_and_was_run_again_has_its_answer(
    tmp_path: Path,
    new_run: "tuple[MlflowClient, Callable[[], str]]",
    end: str,
    other_process: bool,
) -> None:
    """Its last record is at step 12, its last evaluation at step 10; it fails, and adds nothing."""
    from ablate.tracking.trial import TrialForwarder

    client, run = new_run[0], new_run[1]()
    lines = journal.Journal(tmp_path, 1)
    lines.write(10, "eval", {"metric/mixed_l1": 0.25}, {})
    lines.write(12, "train", {"loss/a": 1.0}, {})
    lines.close()

    def latest() -> float:
        return client.get_run(run).data.metrics["answer/mixed_l1"]

    sent = TrialForwarder(client, run, tmp_path, PLAN, PLANNED)
    attempts = [{"attempt": 1, "started": 1.0, "ended": 2.0}]
    sent.forward({"status": "failed", "attempts": attempts}, last=True)
    assert math.isnan(latest())

    if other_process:
        sent = TrialForwarder(client, run, tmp_path, PLAN, PLANNED)
    again = {"status": end, "attempts": [*attempts, {"attempt": 2, "started": 3.0, "ended": 4.0}]}
    sent.forward(again, last=True)
    assert latest() == 0.25
    number = len(client.get_metric_history(run, "answer/mixed_l1"))
    TrialForwarder(client, run, tmp_path, PLAN, PLANNED).forward(again, last=True)
    assert len(client.get_metric_history(run, "answer/mixed_l1")) == number
