"""Forwards the trials' folders to MLflow, from a process of its own, so that training never waits.

Each study has one experiment, with one run per trial for the trial's whole life and one run for the
study itself. Sending twice changes nothing, because the forwarder asks the store what a run already
has, and takes all times from the folder.

Whatever was changed, deleted, or moved, on either side, the next forwarder makes the store agree
with the folder again: `ablate.tracking.runs` says which runs are the folder's own, and
`ablate.tracking.trial` how renamed things and other numbers are handled. A run that the store
refuses to change holds up no other run.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Run, RunTag

from ablate.disk.folder import StudyFolder
from ablate.disk.secrets import masked
from ablate.planning.plan_file import plan_document
from ablate.tracking.pages import (
    LOOPBACK,
    addresses,
    report_page,
    safe_name,
    study_note,
    views,
)
from ablate.tracking.runs import STUDY, experiment_of, folder_tags, is_outage, retire, runs_of
from ablate.tracking.sqlite_store import (
    bring_artifacts,
    client_address,
    one_process_at_a_time,
)
from ablate.tracking.store import is_beside, server_address, sqlite_path, why
from ablate.tracking.trial import OtherNumbersError, TrialForwarder, trial_tags
from ablate.trial import journal, trial_file
from g2g_base import atomic
from reports.documents.plan import PlannedTrial

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
    report is a JSON object with `complete` and `error`. Before it, each trial of which something
    was sent is an empty line.
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

    def progress() -> None:
        """Note that the store takes what is sent, so that a failure from now on gets new time."""
        # Nobody reads the pipe if the command has died
        with suppress(BrokenPipeError):
            out.write("\n")
            if until:
                until[0] = time.monotonic() + order["patience_s"]

    threading.Thread(target=listen, daemon=True).start()
    forwarder = Forwarder(Path(order["folder"]), order["uri"], progress)
    failures = 0
    error: str | None = None
    while True:
        last = finish.is_set()
        try:
            complete = forwarder.forward(last)
            failures, error = 0, None
        except Exception as problem:
            complete, failures = False, failures + 1
            error = why(problem, order["uri"])
        if last and (complete or time.monotonic() > until[0]):
            break

        pause = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else order["every_s"]
        if last:
            time.sleep(min(pause, 1.0))
        else:
            finish.wait(pause)

    with suppress(BrokenPipeError):
        out.write(json.dumps({"complete": complete, "error": error}) + "\n")
    os._exit(0)  # Does not wait for threads of the client.


class Forwarder:
    """Brings an MLflow store up to date with a study's folder.

    Args:
        folder: `OUT/<study>`.
        uri: address of the store. A password in it is passed to nobody but the store.
        progress: called after something of a trial was sent.
    """

    def __init__(self, folder: Path, uri: str, progress: Callable[[], None] = lambda: None) -> None:
        self.folder, self.uri, self.progress = folder, uri, progress
        self.plan = plan_document(folder)
        self.tags = folder_tags(folder)
        self.client: MlflowClient | None = None
        self.doubtful = False
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
        problems: list[Exception] = []
        for planned in self.plan["trials"]:
            try:
                self._forward_trial(client, planned, last)
            except Exception as problem:
                # What the store has of this run is asked again, and so is whether the run exists
                self.trials.pop(planned["trial_id"], None)
                self.doubtful = True
                problems.append(problem)
                # Two failures in a row are not the fault of a single run
                if is_outage(problem) and len(problems) > 1:
                    break

        if last:
            for step in (self._send_files, self._send_numbers, self._end_study_run):
                _attempt(step, problems)
        if problems:
            raise problems[0]
        return True

    def _forward_trial(self, client: MlflowClient, planned: PlannedTrial, last: bool) -> None:
        """Send what is new about one trial."""
        id_ = planned["trial_id"]
        where = StudyFolder(self.folder).trial(id_)
        stamp = _stamp(where)
        if stamp == self.seen.get(id_) and not last:
            return

        document = trial_file.standing(where)
        if trial_file.status_of(document) == "planned" and id_ not in self.runs:
            return
        if id_ not in self.trials:
            self.trials[id_] = self._forwarder(client, planned, document)
        try:
            sent = self.trials[id_].forward(document, last)
        except OtherNumbersError:
            retire(client, self.runs.pop(id_), self.tags)
            self.trials[id_] = self._forwarder(client, planned, document)
            sent = self.trials[id_].forward(document, last)
        # The stamp from before reading: what was written since then is sent next time.
        self.seen[id_] = stamp
        # Not for each trial of each round, or a run that the store refuses is tried forever
        if sent:
            self.progress()

    def _connected(self) -> MlflowClient:
        """Return the client; after a problem and on the first call, look for the folder's runs."""
        if self.client is None or self.doubtful:
            with one_process_at_a_time(self.uri):
                client = MlflowClient(client_address(self.uri))
                name = self.plan["name"]
                self.experiment = experiment_of(client, self.folder, name, self.uri)
            id_ = self.experiment.experiment_id
            if path := sqlite_path(self.uri):
                bring_artifacts(path, id_)
            self._describe_experiment(client, self.experiment)

            ids = [trial["trial_id"] for trial in self.plan["trials"]]
            self.runs, others = runs_of(client, id_, self.folder, ids)
            for run in others:
                retire(client, run, self.tags)
            self.client, self.doubtful = client, False
            self._begin_study_run()
        return self.client

    def _describe_experiment(self, client: MlflowClient, experiment: Experiment) -> None:
        """Write the kind of the experiment, and the prepared views of this folder."""
        tags = {"mlflow.experimentKind": "custom_model_development"}
        prepared = views(self.plan, self.tags["folder_id"])
        tags |= {f"mlflow.sharedViewState.{key}": state for key, state in prepared.items()}
        for key, value in tags.items():
            if experiment.tags.get(key) != value:
                client.set_experiment_tag(experiment.experiment_id, key, value)

    def _forwarder(
        self, client: MlflowClient, planned: PlannedTrial, document: Mapping[str, Any]
    ) -> TrialForwarder:
        """Return what forwards a trial to its run; create the run if the trial has none."""
        id_ = planned["trial_id"]
        assert self.experiment is not None
        new = id_ not in self.runs
        if new:
            attempts = document.get("attempts") or [{"started": time.time()}]
            tags = trial_tags(self.plan, planned) | self.tags
            self.runs[id_] = client.create_run(
                self.experiment.experiment_id,
                start_time=int(attempts[0]["started"] * 1000),
                tags=tags,
                run_name=tags["label"],
            )
        where = StudyFolder(self.folder).trial(id_)
        return TrialForwarder(client, self.runs[id_], where, self.plan, planned, self.tags, new)

    def _begin_study_run(self) -> None:
        """Start or reopen the study's own run, and write the addresses to `tracking.json`."""
        assert self.client is not None
        assert self.experiment is not None
        name = f"study: {self.plan['name']}"
        tags = {"role": STUDY, "study": self.plan["name"], "mlflow.source.name": "g2g-ablate"}
        if STUDY in self.runs:
            run = self.runs[STUDY]
            # A name that somebody gave the run in MLflow stays until the study is renamed
            renamed = run.data.tags.get("study") != self.plan["name"]
            self.client.update_run(
                run.info.run_id, status="RUNNING", name=name if renamed else None
            )
        else:
            run = self.client.create_run(
                self.experiment.experiment_id, tags=tags | self.tags, run_name=name
            )
            self.runs[STUDY] = run
        self.study_run = run.info.run_id

        id_ = self.experiment.experiment_id
        note = study_note(self.plan, report_page("", id_, self.study_run))
        self.client.set_experiment_tag(id_, "mlflow.note.content", note)
        tags |= self.tags | {
            "plan_hash": self.plan["hash"],
            "mlflow.note.content": note,
            "mlflow.runColor": "#7f7f7f",
        }
        self.client.log_batch(
            self.study_run, tags=[RunTag(key, value) for key, value in tags.items()]
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
        base = server_address(self.uri) if self.uri.startswith("http") else LOOPBACK

        # The terminal and the report read this file, so it must not contain a password.
        facts = {
            "uri": masked(self.uri),
            "beside": is_beside(self.uri, self.folder),
            "base": base,
            "experiment_id": self.experiment.experiment_id,
            "study_run_id": self.study_run,
            "run_ids": ids,
            "addresses": addresses(
                base, self.experiment.experiment_id, ids, self.plan, self.tags["folder_id"]
            ),
        }
        path = StudyFolder(self.folder).tracking
        if not atomic.is_json(path, facts, but=("complete", "error", "content")):
            atomic.write_json(path, facts)

    def _send_files(self) -> None:
        """Send the study's files and its report."""
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

    def _statuses(self) -> list[str]:
        """Return the statuses of all trials of the plan."""
        documents = [
            trial_file.standing(StudyFolder(self.folder).trial(trial["trial_id"]))
            for trial in self.plan["trials"]
        ]
        return [trial_file.status_of(document) for document in documents]

    def _send_numbers(self) -> None:
        """Send the headline numbers and the answer to the study's run."""
        assert self.client is not None
        assert self.study_run is not None
        statuses = self._statuses()
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

    def _end_study_run(self) -> None:
        """End the study's run with the status that the trials give it."""
        assert self.client is not None
        assert self.study_run is not None
        statuses = self._statuses()
        ended = (
            "FINISHED"
            if set(statuses) <= set(trial_file.ENDED)
            else "FAILED"
            if "failed" in statuses
            else "KILLED"
        )
        self.client.set_terminated(self.study_run, ended, int(time.time() * 1000))

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


def _attempt(step: Callable[[], None], problems: list[Exception]) -> None:
    """Take a step, and add its error to the problems."""
    try:
        step()
    except Exception as problem:
        problems.append(problem)


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


def _stamp(folder: Path) -> tuple[int, int]:
    """Return the times of the last changes of a trial's journal and document; 0 if missing."""
    times = []
    for name in (journal.NAME, trial_file.NAME):
        try:
            times.append((folder / name).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return times[0], times[1]
