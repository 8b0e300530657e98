"""Forwards the trials' folders to MLflow, from a process of its own, so that training never waits.

Each study has one experiment, with one run per trial for the trial's whole life and one run for the
study itself. Sending twice changes nothing, because the forwarder asks the store what a run already
has, and takes all times from the folder.
"""

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

from ablate.disk.folder import StudyFolder
from ablate.planning.plan_file import plan_document
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
from ablate.tracking.trial import TrialForwarder, run_name
from ablate.trial import journal, trial_file
from g2g_base import atomic
from g2g_base.locks import alone
from reports.documents.names import ArmNames

STUDY_FILES = (
    "study.yaml",
    "study.resolved.yaml",
    "plan.json",
    "plan.csv",
    "trials.csv",
    "history.parquet",
    "ledger.jsonl",
    "registration.json",
)
"""Files of the study's folder that become artifacts of the study's run."""
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Pauses after the first, second, ... failed attempt in a row, in seconds."""


def main() -> None:
    """Forward until stdin ends or says `finish`, then send the rest and report on stdout.

    The first line of stdin is a JSON object with `folder`, `uri`, `patience_s`, and `every_s`. The
    report is a JSON object with `complete` and `error`.
    """
    # Only the report may reach stdout: whatever else prints goes to stderr, which is the log.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    os.nice(10)
    logging.disable(logging.ERROR)

    order = json.loads(sys.stdin.readline())
    finish = threading.Event()
    until: list[float] = []

    def listen() -> None:
        """Wait for the end, and note until when the rest may be sent."""
        line = sys.stdin.readline()
        # No line means that the command has died, so the rest gets only a short time.
        until.append(time.monotonic() + (order["patience_s"] if line else 5.0))
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
        except Exception as problem:
            complete, failures = False, failures + 1
            error = without_secrets(" ".join(str(problem).split())[:300], order["uri"])
        if last and (complete or time.monotonic() > until[0]):
            break

        pause = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else order["every_s"]
        if last:
            time.sleep(min(pause, 1.0))
        else:
            finish.wait(pause)

    out.write(json.dumps({"complete": complete, "error": error}) + "\n")
    os._exit(0)  # Does not wait for threads of the client.


class Forwarder:
    """Brings an MLflow store up to date with a study's folder.

    Args:
        folder: `OUT/<study>`.
        uri: address of the store. A password in it is passed to nobody but the store.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder, self.uri = folder, uri
        self.plan = plan_document(folder)
        self.names = ArmNames(self.plan)
        self.client: MlflowClient | None = None
        self.experiment: Experiment | None = None
        self.runs: dict[str, Run] = {}
        self.trials: dict[str, TrialForwarder] = {}
        self.seen: dict[str, tuple[int, int]] = {}
        self.study_run: str | None = None

    def forward(self, last: bool) -> bool:
        """Send what is new.

        Args:
            last: whether the command ends: also send the study's files, and end all runs.

        Returns:
            True, because whatever could not be sent raises an error.
        """
        client = self._connected()
        for planned in self.plan["trials"]:
            id_ = planned["trial_id"]
            where = StudyFolder(self.folder).trial(id_)
            stamp = _stamp(where)
            if stamp == self.seen.get(id_) and not last:
                continue

            document = trial_file.standing(where)
            if trial_file.status_of(document) == "planned" and id_ not in self.runs:
                continue
            if id_ not in self.trials:
                self.trials[id_] = TrialForwarder(
                    client, self._run_of(planned, document), where, self.plan, planned, self.names
                )
            self.trials[id_].forward(document, last)
            # The stamp from before reading: what was written since then is sent next time.
            self.seen[id_] = stamp

        if last:
            self._end_study_run()
            self._end_abandoned_runs()
        return True

    def _connected(self) -> MlflowClient:
        """Return the client; on the first call, connect and set up the study's experiment."""
        if self.client is None:
            with _one_process_at_a_time(self.uri):
                client = MlflowClient(self.uri)
                self.experiment = self._experiment(client)
            self.runs = self._existing(client)
            self.client = client
            self._begin_study_run()
            self._end_abandoned_runs()
        return self.client

    def _experiment(self, client: MlflowClient) -> Experiment:
        """Return the study's experiment with its prepared views; create it if it is missing."""
        name = self.plan["name"]
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            store = _artifact_folder(self.uri, name)
            with suppress(MlflowException):  # Another forwarder may have been first.
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
        """Return trial id -> run for all trials with a run in this experiment.

        The study's own run has the key `study`.
        """
        assert self.experiment is not None
        runs: dict[str, Run] = {}
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
                    runs[key] = run  # The oldest run of a trial comes last and wins.
            token = page.token
            if not token:
                return runs

    def _run_of(self, planned: Mapping[str, Any], document: Mapping[str, Any]) -> str:
        """Return the id of a trial's run; create the run if the trial has none."""
        id_ = planned["trial_id"]
        if id_ in self.runs:
            return str(self.runs[id_].info.run_id)
        assert self.experiment is not None
        assert self.client is not None

        tags = {
            "role": "trial",
            "study": self.plan["name"],
            "trial_id": id_,
            "cell_id": planned["cell_id"],
            "arm_code": self.names.code(planned["levels"]),
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
            run_name=run_name(self.names, planned),
        )
        self.runs[id_] = run
        return str(run.info.run_id)

    def _begin_study_run(self) -> None:
        """Start or reopen the study's own run, and write the addresses to `tracking.json`."""
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
        """Write the addresses of the study's pages to `tracking.json`, if they have changed."""
        assert self.experiment is not None
        ids = [
            self.runs[trial["trial_id"]].info.run_id
            for trial in self.plan["trials"]
            if trial["trial_id"] in self.runs
        ]
        base = redacted(self.uri).rstrip("/") if self.uri.startswith("http") else LOOPBACK

        # The terminal and the report read this file, so it must not contain a password.
        facts = {
            "uri": redacted(self.uri),
            "base": base,
            "experiment_id": self.experiment.experiment_id,
            "study_run_id": self.study_run,
            "run_ids": ids,
            "addresses": addresses(base, self.experiment.experiment_id, ids, self.plan),
        }
        path = StudyFolder(self.folder).tracking
        if atomic.read_json(path) != facts:
            atomic.write_json(path, facts)

    def _end_study_run(self) -> None:
        """Send the study's files, report, and headline numbers, and end its run."""
        assert self.client is not None
        assert self.study_run is not None

        self._write_addresses()
        for name in STUDY_FILES:
            if (self.folder / name).exists():
                self.client.log_artifact(self.study_run, str(self.folder / name))
        if (StudyFolder(self.folder).report).is_dir():
            self.client.log_artifacts(
                self.study_run, str(StudyFolder(self.folder).report), "report"
            )

        documents = [
            trial_file.standing(StudyFolder(self.folder).trial(trial["trial_id"]))
            for trial in self.plan["trials"]
        ]
        statuses = [trial_file.status_of(document) for document in documents]
        now = int(time.time() * 1000)
        metrics = {
            f"study/{status}": float(statuses.count(status)) for status in sorted(set(statuses))
        }
        report = atomic.read_json(StudyFolder(self.folder).report_data)
        metrics |= _effects(report)
        self.client.log_batch(
            self.study_run, metrics=[Metric(safe_name(k), v, now, 0) for k, v in metrics.items()]
        )
        self._write_answer(report)

        ended = (
            "FINISHED"
            if set(statuses) <= set(trial_file.ENDED)
            else "FAILED"
            if "failed" in statuses
            else "KILLED"
        )
        self.client.set_terminated(self.study_run, ended, now)

    def _write_answer(self, report: Mapping[str, Any]) -> None:
        """Write the report's answer to the notes of the study's run and of the experiment."""
        assert self.client is not None
        assert self.experiment is not None
        sentences = [str(text) for text in (report.get("answer"), *report.get("more", ())) if text]
        if not sentences:
            return

        id_ = self.experiment.experiment_id
        note = study_note(self.plan, report_page("", id_, str(self.study_run)), sentences)
        self.client.set_experiment_tag(id_, "mlflow.note.content", note)
        self.client.set_tag(str(self.study_run), "mlflow.note.content", note)

    def _end_abandoned_runs(self) -> None:
        """End runs that a dead command left RUNNING and whose trials are not in the plan any more.

        A trial of this study has its folder here; other runs belong to somebody else.
        """
        assert self.client is not None
        planned = {trial["trial_id"] for trial in self.plan["trials"]}
        for id_, run in self.runs.items():
            abandoned = id_ not in planned and (StudyFolder(self.folder).trial(id_)).is_dir()
            if abandoned and run.info.status == "RUNNING":
                self.client.set_terminated(run.info.run_id, "KILLED")


def _effects(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the effects of factors in report.json, as metrics of the study's run.

    A factor whose effect depends on another factor, or that makes trials diverge, has no single
    effect, and so no metric.
    """
    return {
        f"effect/{row['factor']}": float(row["effect"])
        for row in report.get("verdicts", [])
        if isinstance(row, dict)
        and row.get("effect") is not None
        and "factor" in row
        and row.get("verdict") not in ("depends", "diverges")
    }


@contextmanager
def _one_process_at_a_time(uri: str) -> Iterator[None]:
    """Let only one process at a time open an sqlite store.

    The first one creates the tables, which fails if several processes try it at once.
    """
    path = sqlite_path(uri)
    if path is None:
        yield
        return
    with alone(path.with_name(f".{path.name}.lock")):
        with sqlite3.connect(path, timeout=20) as connection:
            # The file keeps this mode, in which readers and writers do not block each other.
            connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        yield


def _artifact_folder(uri: str, study: str) -> str | None:
    """Return the address of a new experiment's artifacts, or None to let a server decide.

    With an sqlite store, they are in a folder next to the store.
    """
    path = sqlite_path(uri)
    return None if path is None else (path.parent / "mlartifacts" / study).as_uri()


def _stamp(folder: Path) -> tuple[int, int]:
    """Return the times of the last changes of a trial's journal and document; 0 if missing."""
    times = []
    for name in (journal.NAME, trial_file.NAME):
        try:
            times.append((folder / name).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return times[0], times[1]
