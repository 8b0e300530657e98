"""What is sent of a trial's journal to its run."""

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ablate.trial import journal

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

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
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a store, whose tables take seconds to make."""
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture(scope="module")
def new_run(store: str) -> "tuple[MlflowClient, Callable[[], Run]]":
    """A store, and what makes a run in it."""
    from mlflow import MlflowClient

    client = MlflowClient(store)
    experiment = client.create_experiment("toy")
    return client, lambda: client.create_run(experiment)


def write(folder: Path, steps: range, more: dict[str, float]) -> None:
    lines = journal.Journal(folder, 1)
    for step in steps:
        lines.write(step, "train", {"loss/a": float(step), **more}, {})
    lines.close()


def test_a_journal_that_was_begun_anew_is_read_from_its_start(
    tmp_path: Path, new_run: "tuple[MlflowClient, Callable[[], Run]]"
) -> None:
    from ablate.tracking.trial import TrialForwarder

    client, made = new_run[0], new_run[1]()
    run = made.info.run_id
    sent = TrialForwarder(client, client.get_run(run), tmp_path, PLAN, PLANNED)
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
    new_run: "tuple[MlflowClient, Callable[[], Run]]",
    end: str,
    other_process: bool,
) -> None:
    """Its last record is at step 12, its last evaluation at step 10; it fails, and adds nothing."""
    from ablate.tracking.trial import TrialForwarder

    client, run = new_run[0], new_run[1]().info.run_id
    lines = journal.Journal(tmp_path, 1)
    lines.write(10, "eval", {"metric/mixed_l1": 0.25}, {})
    lines.write(12, "train", {"loss/a": 1.0}, {})
    lines.close()

    def latest() -> float:
        return client.get_run(run).data.metrics["answer/mixed_l1"]

    sent = TrialForwarder(client, client.get_run(run), tmp_path, PLAN, PLANNED)
    attempts = [{"attempt": 1, "started": 1.0, "ended": 2.0}]
    sent.forward({"status": "failed", "attempts": attempts}, last=True)
    assert math.isnan(latest())

    if other_process:
        sent = TrialForwarder(client, client.get_run(run), tmp_path, PLAN, PLANNED)
    again = {"status": end, "attempts": [*attempts, {"attempt": 2, "started": 3.0, "ended": 4.0}]}
    sent.forward(again, last=True)
    assert latest() == 0.25
    number = len(client.get_metric_history(run, "answer/mixed_l1"))
    TrialForwarder(client, client.get_run(run), tmp_path, PLAN, PLANNED).forward(again, last=True)
    assert len(client.get_metric_history(run, "answer/mixed_l1")) == number


def test_a_short_trial_takes_few_requests(tmp_path: Path, store: str) -> None:
    from mlflow import MlflowClient

    from ablate.tracking.trial import TrialForwarder

    requests: Counter[str] = Counter()

    class Counting(MlflowClient):
        def __getattribute__(self, name: str) -> object:
            if name in ("get_run", "get_metric_history", "log_batch", "set_terminated", "set_tag"):
                requests[name] += 1
            return super().__getattribute__(name)

    client = Counting(store)
    run = client.create_run(client.create_experiment("short"))
    levels = {"weight": "on"}
    planned = {"trial_id": "a", "cell_id": "c", "levels": levels, "seed": 0}
    sent = TrialForwarder(client, run, tmp_path, PLAN, planned, new=True)
    write(tmp_path, range(1, 400), {"loss/b": 1.0, "loss/c": 1.0})
    attempts = [{"attempt": 1, "started": 0.0, "ended": 1.0}]
    sent.forward({"status": "finished", "attempts": attempts}, last=False)
    # 1,197 values in two requests, with the params and tags
    assert requests == {"log_batch": 2, "set_terminated": 1}
    stored = MlflowClient(store).get_run(run.info.run_id)
    assert stored.data.params["weight"] == "on"
    assert stored.data.tags["status"] == "finished"
    assert len(client.get_metric_history(run.info.run_id, "loss/c")) == 399

    # The same run again: nothing is sent twice, although the steps that were sent are forgotten
    write(tmp_path, range(400, 402), {"loss/b": 1.0, "loss/c": 1.0})
    sent.forward({"status": "running", "attempts": attempts}, last=False)
    assert len(client.get_metric_history(run.info.run_id, "loss/c")) == 401
