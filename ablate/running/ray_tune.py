"""The driver process: Ray Tune as a scheduler. Reads its order from stdin, writes events to stdout.

Ray decides where and when a trial runs and starts it again when its process dies; all facts go to
the trial's folder.
"""

import errno
import json
import logging
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

import psutil
import ray
from ray import tune

from ablate.disk import locks
from ablate.running.driver import load_trainer
from ablate.study.nouns import TrialResult
from ablate.trial import trial_file
from ablate.trial.faults import MEMORY, Referee, classify
from ablate.trial.run import STOP, run_trial

LOW_MEMORY = "running low on memory"
"""What Ray says of a worker that its memory monitor killed, before the kernel would."""

OBJECT_STORE_BYTES = 80 * 2**20
"""Enough for Ray's smallest store: our trials pass nothing but their id."""


PAUSE_S = 5.0
"""Between rounds in which no trial could be begun: Ray takes up to half a minute to see that a node
is gone."""

IDLE_ROUNDS = 12
"""So many of them, then a trial that could not be begun has failed."""


def main() -> None:
    """Run the order that stdin brings; `done` is the last event when nothing went wrong with Ray
    itself."""
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever prints goes to driver.log
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_die_with_command, daemon=True).start()
    study = _Study(order, events)
    if not study.connect():
        return
    study.run()
    study.say("done", "")
    ray.shutdown()


def _nodes() -> list[dict[str, Any]]:
    """The cluster's nodes."""
    return list(ray.nodes())  # type: ignore[no-untyped-call]


def _die_with_command() -> None:
    """End at once, with every child, when the command that started this process is gone."""
    sys.stdin.read()
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)


class _Study:
    """The order, round by round."""

    def __init__(self, order: dict[str, Any], events: TextIO) -> None:
        self.order, self.events = order, events
        self.folder = Path(order["folder"])
        self.referee = Referee(order["fail_fast"], order["alike_limit"])
        self.stop: str | None = None
        self.last_try = False
        self.patient = True
        self.attempts = {id_: self._attempts(id_) for id_ in order["ids"]}
        self.never_begun: list[str] = []

    def __getstate__(self) -> dict[str, Any]:
        """Tune writes its callbacks to its scratch folder, where nobody reads them; a pipe can't go
        there."""
        return {"folder": self.folder}

    def say(self, event: str, text: str) -> None:
        """Tell the command."""
        self.events.write(json.dumps({"event": event, "text": text}) + "\n")

    def connect(self) -> bool:
        """Start Ray on this machine or connect to the cluster; False when it has not what was asked
        for."""
        order = self.order
        if order["address"] is None:
            ray.init(
                num_cpus=max(1, round(order["workers"] * order["cpus"])),
                num_gpus=None if order["gpus"] else 0,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                _temp_dir=order["scratch"],
            )
            return True
        ray.init(address=order["address"], log_to_driver=False, logging_level=logging.CRITICAL)
        for kind, wanted in (("CPU", order["cpus"]), ("GPU", order["gpus"])):
            most = max(
                (node["Resources"].get(kind, 0.0) for node in _nodes() if node["Alive"]),
                default=0.0,
            )
            if wanted > most:
                self.say(
                    "refused",
                    f"{wanted:g} {kind}s per trial: the largest node of the cluster has {most:g}",
                )
                return False
        return True

    def run(self) -> None:
        """Rounds until nothing is left that could still end well.

        A trial runs again when memory was short, with fewer at once, and when its process was lost
        before it began: Ray goes on to start processes on a node that is gone until it notices.
        Those starts are none of its retries.
        """
        ids, workers, gpus = self.order["ids"], self.order["workers"], self.order["gpus"]
        idle, begun = 0, sum(self.attempts.values())
        while ids and self.stop is None:
            self.patient = idle < IDLE_ROUNDS
            self.never_begun.clear()
            self._round(ids, workers, gpus)
            short = [id_ for id_ in ids if self._document(id_).get("fault") in MEMORY]
            if short and not self.alone(workers, gpus):
                workers = max(1, (workers or len(self.order["ids"])) // 2)
                gpus = min(1.0, gpus * 2)
                self.say(
                    "said", f"{len(short)} trials ran out of memory; again with {workers} at once"
                )
            else:
                short = []
            ids = list(dict.fromkeys((*self.never_begun, *short)))
            if self.never_begun:
                before, begun = begun, sum(map(self._attempts, self.attempts))
                idle = 0 if begun > before else idle + 1
                time.sleep(PAUSE_S if idle else 0)

    @staticmethod
    def alone(workers: int | None, gpus: float) -> bool:
        """Whether no fewer trials at once are possible."""
        return gpus >= 1 if gpus else workers == 1

    def _round(self, ids: list[str], workers: int | None, gpus: float) -> None:
        """One fit of Ray Tune over the trials still to do, in order."""
        job = {name: self.order[name] for name in ("folder", "trainer")} | {"gpus": gpus}
        self.last_try = self.alone(workers, gpus)
        tuner = tune.Tuner(
            tune.with_resources(work, {"cpu": self.order["cpus"], "gpu": gpus}),
            param_space={"id": tune.grid_search(ids), **job},
            tune_config=tune.TuneConfig(
                reuse_actors=not self.order["fresh_workers"],
                max_concurrent_trials=workers,
                trial_dirname_creator=lambda trial: str(trial.trial_id),
                metric=None,
            ),
            run_config=tune.RunConfig(
                name=f"round-{time.monotonic_ns()}",
                storage_path=self.order["scratch"],
                failure_config=tune.FailureConfig(max_failures=self.order["max_retries"]),
                callbacks=[_Watch(self)],
                stop=_Stopper(self),
                verbose=0,
            ),
        )
        tuner.fit()

    def ended(self, id_: str, result: dict[str, Any]) -> None:
        """A trial came back, with what `work` says of it."""
        document = self._document(id_)
        if "error" in result:
            self._failed(id_, document, result["fault"], result["error"])
        self._judge(id_, document)

    def died(self, id_: str, error: str) -> None:
        """A trial's process died for the last time in this round, of what Ray says."""
        document = self._document(id_)
        if document.get("status") not in (*trial_file.ENDED, "interrupted"):
            retries = self.order["max_retries"]
            begun = self._attempts(id_) - self.attempts[id_]
            if LOW_MEMORY in error:
                fault, why = (
                    "host_memory",
                    f"Ray killed it because memory ran low: {_memory(error)}",
                )
            elif begun > retries:
                fault, why = "killed", "its process died"
            elif self.patient:
                self.never_begun.append(id_)
                return
            else:
                fault, why = "killed", "its process died before it began"
            self._failed(id_, document, fault, f"{why} (for the last time after {retries} retries)")
        self._judge(id_, document)

    def _failed(self, id_: str, document: dict[str, Any], fault: str, error: str) -> None:
        """Write that a trial failed which could not write it itself."""
        document.update(status="failed", fault=fault, error=error)
        trial_file.write(self.folder / "trials" / id_, document)

    def _judge(self, id_: str, document: dict[str, Any]) -> None:
        """Whether the study goes on after this trial."""
        if document.get("fault") in MEMORY and not self.last_try:
            return  # tried again with fewer trials at once
        where = self.folder / "trials" / id_
        reason = self.referee.stop_reason(
            trial_file.result_of(trial_file.trial_of(document), where, document)
        )
        if reason is not None and self.stop is None:
            self.stop = reason
            self.say("stopped", reason)
            (self.folder / STOP).touch()

    def _attempts(self, id_: str) -> int:
        """How often the trial has begun."""
        return len(self._document(id_).get("attempts", ()))

    def _document(self, id_: str) -> dict[str, Any]:
        return trial_file.read(self.folder / "trials" / id_)


def _memory(error: str) -> str:
    """The node's memory, out of what Ray says."""
    found = re.findall(r"was ([\d.]+GB used / [\d.]+GB limit)", error)
    return found[-1] if found else "no figures"


class _Watch(tune.Callback):
    """Passes the ends of trials on."""

    def __init__(self, study: _Study) -> None:
        self.study = study

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """A trial's function returned."""
        self.study.ended(trial.config["id"], trial.last_result)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """A trial's process died and is not started again."""
        said = Path(trial.error_file or "")  # `get_error` looks in the storage, where it is not yet
        self.study.died(
            trial.config["id"], said.read_text(encoding="utf-8") if said.is_file() else ""
        )


class _Stopper(tune.Stopper):
    """Ends the fit once the study was asked to stop and its running trials have written their
    state."""

    def __init__(self, study: _Study, patience_s: float = 10.0) -> None:
        self.study = study
        self.patience_s = patience_s
        self.looked = 0.0
        self.deadline: float | None = None

    def __call__(self, *_: Any, **__: Any) -> bool:
        """Single trials are never stopped from here."""
        return False

    def stop_all(self) -> bool:
        """Whether all is written, or has had its time."""
        now = time.monotonic()
        if now - self.looked < 0.1:
            return False
        self.looked = now
        if not (self.study.folder / STOP).exists():
            return False
        if self.deadline is None:
            self.deadline = now + self.patience_s
        busy = any(
            locks.is_held(self.study.folder / "trials" / id_ / ".lock")
            for id_ in self.study.order["ids"]
        )
        return not busy or now > self.deadline


def work(config: dict[str, Any]) -> None:
    """One trial, in a Ray worker: reads what to do from the trial's folder.

    Only its process's death is an error.
    """
    study = Path(config["folder"])
    folder = study / "trials" / config["id"]
    if (study / STOP).exists():
        tune.report({"status": "interrupted"})
        return
    try:
        said: dict[str, str] = {"status": _run(config, folder).status}
    except locks.Locked:
        # Its former process still lives, on a node that Ray has lost: not begun, and tried again
        raise
    except Exception as error:
        said = {
            "status": "failed",
            "fault": classify(error, study),
            "error": f"{type(error).__name__}: {error}",
        }
    tune.report(said)


def _run(config: dict[str, Any], folder: Path) -> TrialResult:
    """Run it, or go on with it."""
    document = trial_file.read(folder)
    if not document:
        where = "not visible on this node: the output folder must be on shared storage"
        raise FileNotFoundError(errno.ENOENT, where, str(folder))
    if not config["gpus"]:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    device = "cuda" if config["gpus"] else "cpu"
    return run_trial(
        trial_file.trial_of(document), folder, device=device, train=load_trainer(config["trainer"])
    )
