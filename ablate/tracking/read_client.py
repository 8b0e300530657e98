"""Reads the runs of an MLflow server, a database, or a folder of runs through MLflow's client."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType
from mlflow.exceptions import MlflowException

from ablate.study.found import FoundRun
from ablate.study.nouns import Infrastructure
from ablate.tracking.read_file import found_run


def runs_of_store(
    uri: str, wanted: Callable[[Iterable[str]], list[str]], experiment: str | None = None
) -> tuple[FoundRun, ...]:
    """Return the runs of all experiments that are not deleted, oldest first.

    The last value of each metric comes with the runs. Whole curves take a request each, so only
    the wanted ones are read.

    Args:
        uri: address of the store, or path of a folder of runs.
        wanted: returns the metrics among these names whose whole curves are needed.
        experiment: the only experiment to read; None: all.

    Raises:
        Infrastructure: the store doesn't answer.
    """
    if Path(uri).is_dir():
        # MLflow refuses folders of runs unless this says that they are meant.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    try:
        client = MlflowClient(tracking_uri=uri)
        runs = []
        experiments: list[Experiment] = _pages(
            lambda token: client.search_experiments(page_token=token)
        )
        for one in experiments:
            if experiment in (None, one.name):
                runs += [(one.name, run) for run in _runs(client, one.experiment_id)]
        return tuple(_found(client, name, run, wanted) for name, run in runs)
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise Infrastructure(f"{uri}: the MLflow store can't be read: {reason[:300]}") from None


def _runs(client: MlflowClient, experiment_id: str) -> list[Run]:
    """Return the runs of an experiment, oldest first."""
    runs: list[Run] = _pages(
        lambda token: client.search_runs(
            [experiment_id],
            "",
            ViewType.ACTIVE_ONLY,
            1000,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
    )
    return runs


def _pages(ask: Callable[[str | None], Any]) -> list[Any]:
    """Return the entries of all pages of an answer."""
    entries: list[Any] = []
    token = None
    while True:
        page = ask(token)
        entries += page
        token = page.token
        if not token:
            return entries


def _found(
    client: MlflowClient, experiment: str, run: Run, wanted: Callable[[Iterable[str]], list[str]]
) -> FoundRun:
    """Return a run with the whole curves of the wanted metrics."""
    whole = set(wanted(run.data.metrics))
    curves = {
        name: [
            (metric.step, metric.value)
            for metric in sorted(
                client.get_metric_history(run.info.run_id, name),
                key=lambda metric: (metric.step, metric.timestamp),
            )
        ]
        if name in whole
        else [(0, value)]
        for name, value in run.data.metrics.items()
    }
    info = run.info
    return found_run(
        info.run_id,
        info.run_name,
        info.status,
        info.start_time,
        info.end_time,
        experiment,
        run.data.params,
        run.data.tags,
        curves,
    )
