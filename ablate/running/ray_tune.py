"""The driver process, which runs trials with Ray Tune.

It reads an order from stdin and writes events to stdout. Ray decides where and when a trial runs,
and starts the trial again if its process dies. All facts about a trial go to its folder.
"""

import contextlib
import errno
import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import psutil
import ray
from ray import tune

from ablate.disk import locks
from ablate.disk.folder import TrialFolder
from ablate.processes import children, signals
from ablate.running.items import Need, ask_to_stop, asked_to_stop, studies
from ablate.running.ray_queue import Queue
from ablate.study.nouns import TrialResult
from ablate.trainers.resolve import load_entry
from ablate.trial import trial_file
from ablate.trial.environment import limit_memory
from ablate.trial.faults import LEAVES_PROCESS, MEMORY, Referee, classify
from ablate.trial.run import run_trial
from reports.documents.trial import TrialDocument

LOW_MEMORY = "running low on memory"
"""Words in Ray's message about a worker that its memory monitor killed before the kernel did."""

OBJECT_STORE_BYTES = 80 * 2**20
"""Size of Ray's object store, near its minimum: trials pass only their ids."""

PAUSE_S = 5.0
"""Seconds between rounds in which no trial began.

Ray needs up to half a minute to notice that a node is gone.
"""

SIGN_EVERY_S = 5.0
"""Seconds between two signs of life."""

TURN_S = 15.0
"""Seconds that one turn of Tune's loop may take."""

IDLE_ROUNDS = 12
"""Rounds without a trial that began, after which the trials that didn't begin count as failed."""


def main() -> None:
    """Read an order from stdin and run it.

    The last event is `done`, `failed` if Ray itself failed, `apart` if it couldn't connect to the
    cluster, or `refused` if the cluster lacks the resources.
    """
    # Events get a copy of stdout, and everything that prints goes to driver.log
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_die_with_command, daemon=True).start()
    children.search_last(order["code"])

    study = _Study(order, events)
    try:
        if not study.connect():
            return
        threading.Thread(target=study.live, daemon=True).start()
        study.run()
    except Exception as error:
        # Before Ray's processes end, so that nobody takes their end for the cause
        study.say("failed", " ".join(f"{type(error).__name__}: {error}".split())[:300])
        raise
    study.say("done", "")
    if order["address"] is None:
        # A local Ray has nothing left to do, and would wait for processes that ignore SIGTERM
        _end(0)
    ray.shutdown()


def _nodes() -> list[dict[str, Any]]:
    """Return Ray's records of the cluster's nodes."""
    return list(ray.nodes())  # type: ignore[no-untyped-call]


def _die_with_command() -> None:
    """End this process and its children as soon as the command that started it is gone."""
    sys.stdin.read()  # returns when the command's end of the pipe closes
    _end(1)


def _end(code: int) -> None:
    """End this process and its children at once."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    os._exit(code)


class _Study:
    """The trials of an order, which run in rounds of Ray Tune.

    Args:
        order: the fields that `Driver` in `ablate.running.driver` writes.
        events: where to write events for the command.

    Attributes:
        folders: folders of the trials, in running order.
        needs: folder of a trial -> what it waits for.
        stop: why the study stops before its end; None if it doesn't.
        last_try: whether trials that run out of memory in this round have failed for good.
        patient: whether a trial whose process died before it began is tried again.
        attempts: folder of a trial -> how often it had begun before this process.
        never_begun: folders of the trials whose process died before they began in this round.
        turned: when Tune's loop last began to turn, as `time.monotonic()`; None between rounds.
    """

    def __init__(self, order: dict[str, Any], events: TextIO) -> None:
        self.order, self.events = order, events
        self.folders = [Path(trial["folder"]) for trial in order["trials"]]
        self.needs = {
            Path(trial["folder"]): [Need(Path(folder), step) for folder, step in trial["needs"]]
            for trial in order["trials"]
        }
        self.referee = Referee(order["fail_fast"], order["alike_limit"])
        self.stop: str | None = None
        self.last_try = False
        self.patient = True
        self.attempts = {folder: self._attempts(folder) for folder in self.folders}
        self.never_begun: list[Path] = []
        self.turned: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what Tune may write of this object to its scratch folder.

        Tune saves its callbacks there, although nothing reads them. A pipe can't be saved.
        """
        return {"folders": self.folders}

    def say(self, event: str, text: str) -> None:
        """Send an event to the command."""
        self.events.write(json.dumps({"event": event, "text": text}) + "\n")

    def connect(self) -> bool:
        """Start Ray on this machine, or connect to the cluster.

        Returns:
            False if this process can't connect to the cluster, or if no node of the cluster has the
            CPUs and GPUs that a trial needs.
        """
        order = self.order
        if order["address"] is None:
            ray.init(
                # Without an address, Ray would join a cluster that somebody has left on the machine
                address="local",
                num_cpus=max(1, round(order["workers"] * order["cpus"])),
                # Not what Ray finds: a trial would wait forever for a card that only we see
                num_gpus=order["cards"],
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                _temp_dir=order["scratch"],
            )
            return True

        try:
            ray.init(address=order["address"], log_to_driver=False, logging_level=logging.CRITICAL)
        except ConnectionError as error:
            # Ray has tried again and again by itself
            self.say("apart", " ".join(str(error).split())[:300])
            return False
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

    def live(self) -> None:
        """Give the command a sign of life for as long as Ray answers; the body of a thread.

        A call to a process of Ray that hangs doesn't return.
        """
        local = self.order["address"] is None
        while True:
            answers = all(node["Alive"] for node in _nodes()) or not local
            turned = self.turned
            if answers and (turned is None or time.monotonic() - turned < TURN_S):
                self.say("alive", "")
            time.sleep(SIGN_EVERY_S)

    def run(self) -> None:
        """Run rounds until no trial is left that could still finish.

        A trial that ran out of memory runs again with fewer trials at a time. A trial whose process
        died before the trial began runs again too: Ray starts processes on a node that is gone
        until it notices. Such starts don't count as retries.
        """
        left, workers, gpus = self.folders, self.order["workers"], self.order["gpus"]
        idle, begun = 0, sum(self.attempts.values())
        while left and self.stop is None:
            self.patient = idle < IDLE_ROUNDS
            self.never_begun.clear()
            self._round(left, workers, gpus)

            short = [folder for folder in left if trial_file.read(folder).get("fault") in MEMORY]
            if short and not self.alone(workers, gpus):
                workers = max(1, (workers or len(self.folders)) // 2)
                gpus = min(1.0, gpus * 2)
                self.say(
                    "said", f"{len(short)} trials ran out of memory; again with {workers} at once"
                )
            else:
                short = []

            if asked_to_stop(self.studies):
                return

            # Trials that waited for one of these have not begun, either
            again = {*self.never_begun, *short}
            left = [folder for folder in left if folder in again or self._waits(folder)]
            if not again:
                self.needs.clear()  # whatever they waited for won't come
            if self.never_begun:
                before, begun = begun, sum(map(self._attempts, self.attempts))
                idle = 0 if begun > before else idle + 1
                time.sleep(PAUSE_S if idle else 0)

    @staticmethod
    def alone(workers: int | None, gpus: float) -> bool:
        """Return whether a trial already has a GPU, or else all workers' memory, to itself."""
        return gpus >= 1 if gpus else workers == 1

    def _waits(self, folder: Path) -> bool:
        """Return whether a trial still waits for another one that may run."""
        return any(not need.met() for need in self.needs.get(folder, ()))

    def _round(self, folders: list[Path], workers: int | None, gpus: float) -> None:
        """Run Ray Tune once over the trials in these folders, in this order."""
        job = {name: self.order[name] for name in ("trainer", "code")} | {"gpus": gpus}
        # The nodes of a cluster may not have this folder
        job["deaf"] = _Deaf()
        job["current"] = self.order["current"] if self.order["address"] is None else None
        self.last_try = self.alone(workers, gpus)
        # A search algorithm gives out trials one by one, so that some can wait
        waiting = any(self._waits(folder) for folder in folders)
        which: dict[str, Any] = (
            {"search_alg": Queue({folder: self.needs.get(folder, ()) for folder in folders})}
            if waiting
            else {}
        )
        names = [str(folder) for folder in folders]
        tuner = tune.Tuner(
            tune.with_resources(work, {"cpu": self.order["cpus"], "gpu": gpus}),
            param_space=job if waiting else {"folder": tune.grid_search(names), **job},
            tune_config=tune.TuneConfig(
                **which,
                num_samples=len(folders) if waiting else 1,
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

    def ended(self, folder: Path, result: dict[str, Any]) -> None:
        """Handle a trial whose function returned.

        Args:
            folder: the trial's folder.
            result: the last report of `work`.
        """
        document = trial_file.read(folder)
        if "error" in result:
            self._failed(folder, document, result["fault"], result["error"])
        self._judge(folder, document)

    def died(self, folder: Path, error: str) -> None:
        """Handle a trial whose process died, and which Ray doesn't start again in this round.

        Args:
            folder: the trial's folder.
            error: Ray's message; empty if there is none.
        """
        document = trial_file.read(folder)
        if document.get("status") not in (*trial_file.ENDED, "interrupted"):
            retries = self.order["max_retries"]
            begun = self._attempts(folder) - self.attempts[folder]
            if LOW_MEMORY in error:
                fault, why = (
                    "host_memory",
                    f"Ray killed it because memory ran low: {_memory(error)}",
                )
            elif document.get("fault") in LEAVES_PROCESS:
                # The process has left after it wrote why
                fault, why = str(document["fault"]), str(document["error"])
            elif begun > retries:
                fault, why = "killed", "its process died"
            elif self.patient:
                self.never_begun.append(folder)
                return
            else:
                fault, why = "killed", "its process died before it began"
            self._failed(
                folder, document, fault, f"{why} (for the last time after {retries} retries)"
            )
        self._judge(folder, document)

    def _failed(self, folder: Path, document: TrialDocument, fault: str, error: str) -> None:
        """Write the failure of a trial that couldn't write it itself."""
        document.update({"status": "failed", "fault": fault, "error": error})
        trial_file.write(folder, document)

    def _judge(self, folder: Path, document: TrialDocument) -> None:
        """Stop the study if the referee says so after this trial."""
        if document.get("fault") in MEMORY and not self.last_try:
            return  # it runs again with fewer trials at a time
        reason = self.referee.stop_reason(
            trial_file.result_of(trial_file.trial_of(document), folder, document)
        )
        if reason is not None and self.stop is None:
            self.stop = reason
            self.say("stopped", reason)
            ask_to_stop(self.studies)

    def _attempts(self, folder: Path) -> int:
        """Return how often the trial has begun."""
        return len(trial_file.read(folder).get("attempts", ()))

    @property
    def studies(self) -> list[Path]:
        """Folders of the studies that the trials belong to."""
        return studies(self.folders)


def _memory(error: str) -> str:
    """Return the memory of the node that Ray's message mentions."""
    figures = re.findall(r"was ([\d.]+GB used / [\d.]+GB limit)", error)
    return figures[-1] if figures else "no figures"


class _Watch(tune.Callback):
    """A callback of Ray Tune that reports the ends of trials to a study."""

    def __init__(self, study: _Study) -> None:
        self.study = study

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:  # noqa: ARG002
        """Note that Tune's loop turns."""
        self.study.turned = time.monotonic()

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:  # noqa: ARG002
        """Note that Tune's loop is over."""
        self.study.turned = None

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """Report that a trial's function returned."""
        self.study.ended(Path(trial.config["folder"]), trial.last_result)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """Report that a trial's process died and doesn't start again."""
        # `get_error` looks in the storage, where the file isn't yet
        path = Path(trial.error_file or "")
        self.study.died(
            Path(trial.config["folder"]),
            path.read_text(encoding="utf-8") if path.is_file() else "",
        )


class _Stopper(tune.Stopper):
    """A stopper of Ray Tune that ends a round after the study was asked to stop.

    The running trials get time to write their state first.

    Args:
        study: the study.
        patience_s: how long to wait for the running trials at most, in seconds.
    """

    def __init__(self, study: _Study, patience_s: float = 20.0) -> None:
        self.study = study
        self.patience_s = patience_s
        self.looked = 0.0
        self.deadline: float | None = None

    def __call__(self, *_: Any, **__: Any) -> bool:
        """Return False: this object never stops a single trial."""
        return False

    def stop_all(self) -> bool:
        """Return whether all running trials have written their state or used up their time."""
        # Ray asks more often than files should be looked for on shared storage
        now = time.monotonic()
        if now - self.looked < 0.1:
            return False
        self.looked = now

        if not asked_to_stop(self.study.studies):
            return False
        if self.deadline is None:
            self.deadline = now + self.patience_s

        busy = any(locks.is_held(TrialFolder(folder).lock) for folder in self.study.folders)
        return not busy or now > self.deadline


class _Deaf:
    """An object that makes a worker ignore the signals of schedulers once it has received it.

    Ray's own handler would end the worker before its trial has saved its state. Only the main
    thread can replace a handler, and Ray unpickles a trial's config there.
    """

    def __reduce__(self) -> tuple[Callable[[], "_Deaf"], tuple[()]]:
        return _deafened, ()


def _deafened() -> _Deaf:
    """Ignore the signals of schedulers in this process; what a pickled `_Deaf` becomes."""
    signals.ignore()
    return _Deaf()


def work(config: dict[str, Any]) -> None:
    """Run one trial in a Ray worker; what to run is in the trial's folder.

    A trial that fails is reported as a result. For Ray, only the death of the process is an error,
    after which it starts the trial again. After a fault of the GPU, the process ends itself: its
    CUDA context is lost, and every later trial in it would fail too.

    Args:
        config: `folder` of the trial, `trainer`, `gpus`, the folders `code` of the user's program,
            and the folder `current` to run in.

    Raises:
        Locked: another process still runs this trial.
    """
    children.search_last(config["code"])
    children.give_back("MLFLOW_")
    if config["current"] is not None:
        with contextlib.suppress(OSError):  # it may be gone
            os.chdir(config["current"])
    folder = Path(config["folder"])
    if TrialFolder(folder).study.stop.exists():
        tune.report({"status": "interrupted"})
        return

    try:
        result = _run(config, folder)
        if result.fault in LEAVES_PROCESS:
            os._exit(1)
        outcome: dict[str, str] = {"status": result.status}
    except locks.Locked:
        # The trial's former process still lives, on a node that Ray has lost. As an error, this
        # start counts as one that didn't begin, and Ray tries again
        raise
    except Exception as error:
        outcome = {
            "status": "failed",
            "fault": classify(error, folder),
            "error": f"{type(error).__name__}: {error}",
        }
    tune.report(outcome)


def _run(config: dict[str, Any], folder: Path) -> TrialResult:
    """Start or resume the trial in a folder.

    Args:
        config: as for `work`.
        folder: the trial's folder.

    Raises:
        FileNotFoundError: the folder isn't visible on this node.
    """
    document = trial_file.read(folder)
    if not document:
        where = "not visible on this node: the output folder must be on shared storage"
        raise FileNotFoundError(errno.ENOENT, where, str(folder))

    if not config["gpus"]:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    device = "cuda" if config["gpus"] else "cpu"
    train = load_entry(config["trainer"])
    if config["gpus"]:
        limit_memory(config["gpus"])
    return run_trial(trial_file.trial_of(document), folder, device=device, train=train)
