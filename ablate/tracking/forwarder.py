"""MLflow as a window on the trials' folders: a process of its own forwards what the journals say.

One experiment a study, one flat run a trial for its whole life, one run for the study. Sending
again changes nothing: what a run already has is asked from the store, and the folder's own times
are sent. Training never waits for it.
"""

import fcntl
import json
import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException

from ablate.disk import atomic
from ablate.study.naming import cell_name, trial_name
from ablate.tracking.pages import (
    LOOPBACK,
    addresses,
    colour,
    redacted,
    report_page,
    safe_name,
    study_note,
    views,
    without_secrets,
)
from ablate.tracking.process import sqlite_path
from ablate.tracking.trial import TrialForwarder
from ablate.trial import journal, trial_file

STUDY_FILES = (
    *(
        "study.yaml",
        "study.resolved.yaml",
        "plan.json",
        "plan.csv",
        "trials.csv",
        "history.parquet",
    ),
    *("ledger.jsonl", "registration.json"),
)
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Waits after failed tries, seconds."""


def main() -> None:
    """Forward until stdin ends or says `finish`; then send the rest, and report on stdout as
    JSON."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    os.nice(10)
    logging.disable(logging.ERROR)
    order = json.loads(sys.stdin.readline())
    finish = threading.Event()
    until: list[float] = []

    def listen() -> None:
        word = sys.stdin.readline()
        until.append(time.monotonic() + (order["patience_s"] if word else 5.0))
        finish.set()

    threading.Thread(target=listen, daemon=True).start()
    forwarder = Forwarder(Path(order["folder"]), order["uri"])
    failures = 0
    error: str | None = None
    while True:
        last = finish.is_set()
        try:
            complete = forwarder.forward(last)
            failures, error = 0, None
        except Exception as away:
            complete, failures = False, failures + 1
            error = without_secrets(" ".join(str(away).split())[:300], order["uri"])
        if last and (complete or time.monotonic() > until[0]):
            break
        pause = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else order["every_s"]
        if last:
            time.sleep(min(pause, 1.0))
        else:
            finish.wait(pause)
    out.write(json.dumps({"complete": complete, "error": error}) + "\n")
    os._exit(0)  # never wait for threads of the client


class Forwarder:
    """Brings an MLflow store up to what a study's folder says.

    Args:
        folder: `OUT/<study>`.
        uri: address of the store; may hold a password, which goes nowhere else.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder, self.uri = folder, uri
        self.plan = atomic.read_json(folder / "plan.json")
        self.client: MlflowClient | None = None
        self.experiment: Experiment | None = None
        self.runs: dict[str, Run] = {}
        self.trials: dict[str, TrialForwarder] = {}
        self.seen: dict[str, tuple[int, int]] = {}
        self.study_run: str | None = None

    def forward(self, last: bool) -> bool:
        """Send what is new.

        At the end (`last`) also the study's files, and every run gets its true end.

        Returns:
            True when nothing is left to send.
        """
        client = self._connected()
        for planned in self.plan["trials"]:
            id_ = planned["trial_id"]
            where = self.folder / "trials" / id_
            stamp = _stamp(where)
            if stamp == self.seen.get(id_) and not last:
                continue
            document = trial_file.standing(where)
            if trial_file.status_of(document) == "planned" and id_ not in self.runs:
                continue
            if id_ not in self.trials:
                self.trials[id_] = TrialForwarder(
                    client, self._run_of(planned, document), where, self.plan, planned
                )
            self.trials[id_].forward(document, last)
            self.seen[id_] = stamp
        if last:
            self._study_run_ended()
            self._end_strangers()
        return True

    def _connected(self) -> MlflowClient:
        """The client, once the store answers and holds the study's experiment."""
        if self.client is None:
            with _first_one(self.uri):
                client = MlflowClient(self.uri)
                self.experiment = self._experiment(client)
            self.runs = self._existing(client)
            self.client = client
            self._study_run_begun()
            self._end_strangers()
        return self.client

    def _experiment(self, client: MlflowClient) -> Experiment:
        """The study's experiment, with its notes and prepared views."""
        name = self.plan["name"]
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            store = _artifact_folder(self.uri, name)
            with suppress(MlflowException):  # another forwarder may have been first
                client.create_experiment(name, artifact_location=store)
            experiment = client.get_experiment_by_name(name)
        assert experiment is not None
        if experiment.lifecycle_stage != "active":
            client.restore_experiment(experiment.experiment_id)
        tags = {"mlflow.experimentKind": "custom_model_development"}
        tags |= {f"mlflow.sharedViewState.{key}": state for key, state in views(self.plan).items()}
        for key, value in tags.items():
            if experiment.tags.get(key) != value:
                client.set_experiment_tag(experiment.experiment_id, key, value)
        return experiment

    def _existing(self, client: MlflowClient) -> dict[str, Run]:
        """Trial id -> run, of all trials that ever had one in this experiment; `study` -> the
        study's own."""
        assert self.experiment is not None
        found: dict[str, Run] = {}
        token = None
        while True:
            page = client.search_runs(
                [self.experiment.experiment_id],
                "",
                ViewType.ACTIVE_ONLY,
                1000,
                ["attributes.start_time DESC"],
                token,
            )
            for run in page:
                key = (
                    "study"
                    if run.data.tags.get("role") == "study"
                    else run.data.tags.get("trial_id")
                )
                if key:
                    found[key] = run  # the oldest one wins
            token = page.token
            if not token:
                return found

    def _run_of(self, planned: Mapping[str, Any], document: Mapping[str, Any]) -> str:
        """The run of a trial: the one it has, or a new one."""
        id_ = planned["trial_id"]
        if id_ in self.runs:
            return str(self.runs[id_].info.run_id)
        assert self.experiment is not None
        assert self.client is not None
        cell = cell_name(self.plan, planned["levels"])
        tags = {
            "role": "trial",
            "study": self.plan["name"],
            "trial_id": id_,
            "cell_id": planned["cell_id"],
            "cell": cell,
            "seed": str(planned["seed"]),
            "mlflow.runColor": colour(self.plan, planned["cell_id"]),
            "mlflow.source.name": "g2g-ablate",
        }
        tags |= {
            safe_name(f"factor.{name}"): level[:5000] for name, level in planned["levels"].items()
        }
        attempts = document.get("attempts") or [{"started": time.time()}]
        run = self.client.create_run(
            self.experiment.experiment_id,
            start_time=int(attempts[0]["started"] * 1000),
            tags=tags,
            run_name=trial_name(self.plan, planned["levels"], planned["seed"])[:240],
        )
        self.runs[id_] = run
        return str(run.info.run_id)

    def _study_run_begun(self) -> None:
        """The study's own run, and the addresses of its pages in `tracking.json`."""
        assert self.client is not None
        assert self.experiment is not None
        if "study" in self.runs:
            run = self.runs["study"]
            self.client.update_run(run.info.run_id, status="RUNNING")
        else:
            tags = {"role": "study", "study": self.plan["name"], "mlflow.source.name": "g2g-ablate"}
            run = self.client.create_run(
                self.experiment.experiment_id, tags=tags, run_name=f"study: {self.plan['name']}"
            )
            self.runs["study"] = run
        self.study_run = run.info.run_id
        id_ = self.experiment.experiment_id
        note = study_note(self.plan, report_page("", id_, self.study_run))
        self.client.set_experiment_tag(id_, "mlflow.note.content", note)
        tags_now = {
            "plan_hash": self.plan["hash"],
            "mlflow.note.content": note,
            "mlflow.runColor": "#7f7f7f",
        }
        self.client.log_batch(
            self.study_run, tags=[RunTag(key, value) for key, value in tags_now.items()]
        )
        self._write_addresses()

    def _write_addresses(self) -> None:
        """Put the addresses of the study's pages in the folder, for the terminal and the report."""
        assert self.experiment is not None
        ids = [
            self.runs[trial["trial_id"]].info.run_id
            for trial in self.plan["trials"]
            if trial["trial_id"] in self.runs
        ]
        base = redacted(self.uri).rstrip("/") if self.uri.startswith("http") else LOOPBACK
        facts = {
            "uri": redacted(self.uri),
            "base": base,
            "experiment_id": self.experiment.experiment_id,
            "study_run_id": self.study_run,
            "run_ids": ids,
            "addresses": addresses(base, self.experiment.experiment_id, ids, self.plan),
        }
        path = self.folder / "tracking.json"
        if atomic.read_json(path) != facts:
            atomic.write_json(path, facts)

    def _study_run_ended(self) -> None:
        """The study's files, report and headline; its run gets its end."""
        assert self.client is not None
        assert self.study_run is not None
        self._write_addresses()
        for name in STUDY_FILES:
            if (self.folder / name).exists():
                self.client.log_artifact(self.study_run, str(self.folder / name))
        if (self.folder / "report").is_dir():
            self.client.log_artifacts(self.study_run, str(self.folder / "report"), "report")
        documents = [
            trial_file.standing(self.folder / "trials" / trial["trial_id"])
            for trial in self.plan["trials"]
        ]
        statuses = [trial_file.status_of(document) for document in documents]
        now = int(time.time() * 1000)
        metrics = {
            f"study/{status}": float(statuses.count(status)) for status in sorted(set(statuses))
        }
        told = atomic.read_json(self.folder / "report" / "data" / "report.json")
        metrics |= _effects(told)
        self.client.log_batch(
            self.study_run, metrics=[Metric(safe_name(k), v, now, 0) for k, v in metrics.items()]
        )
        self._write_answer(told)
        ended = (
            "FINISHED"
            if set(statuses) <= set(trial_file.ENDED)
            else "FAILED"
            if "failed" in statuses
            else "KILLED"
        )
        self.client.set_terminated(self.study_run, ended, now)

    def _write_answer(self, told: Mapping[str, Any]) -> None:
        """Put the report's answer into the notes of the study's run and of the experiment."""
        assert self.client is not None
        assert self.experiment is not None
        sentences = [str(text) for text in (told.get("answer"), *told.get("more", ())) if text]
        if not sentences:
            return
        id_ = self.experiment.experiment_id
        note = study_note(self.plan, report_page("", id_, str(self.study_run)), sentences)
        self.client.set_experiment_tag(id_, "mlflow.note.content", note)
        self.client.set_tag(str(self.study_run), "mlflow.note.content", note)

    def _end_strangers(self) -> None:
        """End runs that a dead command left RUNNING: their trial has its folder here, and this plan
        has it no more."""
        assert self.client is not None
        planned = {trial["trial_id"] for trial in self.plan["trials"]}
        for id_, run in self.runs.items():
            ours = id_ not in planned and (self.folder / "trials" / id_).is_dir()
            if ours and run.info.status == "RUNNING":
                self.client.set_terminated(run.info.run_id, "KILLED")


def _effects(told: Mapping[str, Any]) -> dict[str, float]:
    """Effects by factor from report.json, as metrics of the study's run.

    A factor that depends on another one, or makes trials diverge, has no single effect.
    """
    return {
        f"effect/{row['factor']}": float(row["effect"])
        for row in told.get("verdicts", [])
        if isinstance(row, dict)
        and row.get("effect") is not None
        and "factor" in row
        and row.get("verdict") not in ("depends", "diverges")
    }


@contextmanager
def _first_one(uri: str) -> Iterator[None]:
    """Let one process at a time open an sqlite store: making its tables is a race that most would
    lose."""
    path = sqlite_path(uri)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with sqlite3.connect(path, timeout=20) as connection:
            connection.execute(
                "PRAGMA journal_mode=WAL"
            )  # stays in the file; several writers do not wait for each other
        connection.close()
        yield


def _artifact_folder(uri: str, study: str) -> str | None:
    """Where a new experiment keeps its artifacts: beside an sqlite store; a server decides
    itself."""
    path = sqlite_path(uri)
    return None if path is None else (path.parent / "mlartifacts" / study).as_uri()


def _stamp(folder: Path) -> tuple[int, int]:
    """Changes when a trial's journal or document does."""
    times = []
    for name in (journal.NAME, trial_file.NAME):
        try:
            times.append((folder / name).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return times[0], times[1]
