"""Where trials run: one by one in this process, or on Ray workers by a child process that drives
    Ray Tune.

The command that the user started never imports Ray: it owns the terminal, while the driver's noise
goes to `driver.log`. How a trial ended is read from its folder, never from Ray.
"""

import contextlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from ablate.disk import locks
from ablate.running.resources import Resources, cluster_answers
from ablate.study.nouns import Config, StudyError, Trial
from ablate.trainers.command.config import CommandConfig
from ablate.trainers.command.environment import USERS_PYTHONPATH
from ablate.trial import trial_file
from ablate.trial.faults import MEMORY, Referee
from ablate.trial.run import STOP, run_trial

CORE_TRAINER = "g2g_core.training.loop:train"
"""The training run of the core, as `module:function`."""

COMMAND_TRAINER = "ablate.trainers.command.run:train"
"""The training run of a trial that is a program."""


PAUSE_S = 3.0
"""Before Ray is started again; longer each time it died without a trial having ended in between."""


class Infrastructure(Exception):
    """Ray, the disk or the tracking store failed; what is finished is kept. Exit code 3."""


@dataclass
class Job:
    """What is to be executed, and how.

    Attributes:
        folder: the study's folder, absolute.
        trials: still to run, in order.
        resources: workers, CPUs, GPUs, address.
        max_retries: how often a trial is started again after its process died.
        referee: decides when to stop early.
        fresh_workers: a new process for every trial, instead of warm ones that are used again.
        trainer: `module:function` of the training run.
        said: what was decided on the way, one line each: why the study stopped, what is tried
            again.
        stopped: why the study was stopped before its end; None: it was not.
    """

    folder: Path
    trials: Sequence[Trial]
    resources: Resources
    max_retries: int = 2
    referee: Referee = field(default_factory=Referee)
    fresh_workers: bool = False
    trainer: str = CORE_TRAINER
    said: list[str] = field(default_factory=list)
    stopped: str | None = None


def execute(job: Job) -> None:
    """Run the job's trials; how each ended stands in its folder.

    Raises:
        KeyboardInterrupt: the user stopped it; everything can be resumed.
        StudyError: the cluster has not what was asked for; nothing was started.
        Infrastructure: Ray could not be started, or died more often than `max_retries` while no
            trial ended.
    """
    if job.resources.workers == 0:
        inline(job)
    else:
        on_ray(job)


def inline(job: Job) -> None:
    """One trial after the other in this process, without Ray."""
    train = load_trainer(job.trainer)
    with contextlib.nullcontext() if job.resources.gpus else _hidden_gpus():
        for trial in job.trials:
            folder = job.folder / "trials" / trial.id
            result = run_trial(trial, folder, device=job.resources.device, train=train)
            job.stopped = job.referee.stop_reason(result)
            if job.stopped or (job.folder / STOP).exists():
                return


@contextlib.contextmanager
def _hidden_gpus() -> Iterator[None]:
    """No GPU in sight of this process, whose environment is the caller's and is put back."""
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        yield
    finally:
        if before is None:
            del os.environ["CUDA_VISIBLE_DEVICES"]
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = before


def trainer_of(config: Config, asked: str = CORE_TRAINER) -> str:
    """The training run of a config, `module:function`; `asked` is that of a config of the core."""
    return COMMAND_TRAINER if isinstance(config, CommandConfig) else asked


def load_trainer(name: str) -> Callable[..., Any]:
    """The function behind `module:function`."""
    module, _, function = name.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return loaded


def on_ray(job: Job) -> None:
    """Run the trials by a driver process; a driver that dies is started again for what is left."""
    deaths, before = 0, len(job.trials)
    while left := [trial for trial in job.trials if not _ended(job.folder, trial)]:
        deaths, before = (0, len(left)) if len(left) < before else (deaths, before)
        time.sleep(
            PAUSE_S * deaths
        )  # a busy machine gets time: Ray gives up on parts of its own that start slowly
        driver = Driver(job, left)
        try:
            clean = driver.wait()
        except KeyboardInterrupt:
            driver.stop_gently()
            raise
        finally:
            driver.close()
        if clean or job.stopped:
            return
        deaths += 1
        address = job.resources.address
        if address is not None and not cluster_answers(address):
            raise Infrastructure(
                f"the Ray cluster at {address} is gone; what it had finished is kept"
            )
        if deaths > job.max_retries:
            raise Infrastructure(
                f"Ray died {deaths} times; its last words are in {job.folder / 'driver.log'}"
            )
        job.said.append(f"Ray died; started again for what is left ({deaths} of {job.max_retries})")


class Driver:
    """The child process that drives Ray Tune, seen from the command."""

    def __init__(self, job: Job, trials: Sequence[Trial]) -> None:
        self.job = job
        self.scratch = _scratch_folder()
        self._log = (job.folder / "driver.log").open("ab")
        self._process = subprocess.Popen(
            (sys.executable, "-c", "from ablate.running.ray_tune import main; main()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=driver_environment(job.resources),
            # Ctrl-C reaches the command only, which stops the trials in order
            start_new_session=True,
            text=True,
        )
        order = {
            "folder": str(job.folder),
            "ids": [trial.id for trial in trials],
            "workers": job.resources.workers,
            "cpus": job.resources.cpus,
            "gpus": job.resources.gpus,
            "address": job.resources.address,
            "max_retries": job.max_retries,
            "fail_fast": job.referee.fail_fast,
            "alike_limit": job.referee.alike_limit,
            "fresh_workers": job.fresh_workers,
            "trainer": job.trainer,
            "scratch": str(self.scratch),
        }
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            # Stays open: its end tells the driver that this command is gone
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died at once; wait() sees that
        self._refused: str | None = None
        self._done = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self) -> bool:
        """Wait for the driver to end; True when it ended by itself and in order."""
        while self._process.poll() is None:
            time.sleep(0.05)
        self._reader.join(timeout=5)
        if self._refused:
            raise StudyError(self._refused)
        return self._done

    def stop_gently(self, patience_s: float = 15.0) -> None:
        """Ask the trials to end at their next record and wait for it; a second Ctrl-C waits no
        longer."""
        (self.job.folder / STOP).touch()
        deadline = time.monotonic() + patience_s
        try:
            while self._process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
        except KeyboardInterrupt:
            pass

    def close(self) -> None:
        """End the driver and whatever it started, and remove Ray's scratch folder."""
        end_tree(self._process.pid)
        self._process.wait()
        self._reader.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except BrokenPipeError:
                pass
        self._log.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _read(self) -> None:
        """Take the driver's messages, a JSON object a line."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            match message["event"]:
                case "refused":
                    self._refused = message["text"]
                case "stopped":
                    self.job.stopped = message["text"]
                case "said":
                    self.job.said.append(message["text"])
                case "done":
                    self._done = True


def driver_environment(resources: Resources) -> dict[str, str]:
    """The environment of the driver and all its workers: quiet, on loopback, without telemetry."""
    env = dict(os.environ)
    env |= {
        "RAY_AUTH_MODE": env.get("RAY_AUTH_MODE", "token"),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        "RAY_AIR_NEW_OUTPUT": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # Tune's own state is never read again
        "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        USERS_PYTHONPATH: env.get("PYTHONPATH", ""),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONWARNINGS": "ignore",
    }
    if resources.address is None:
        env |= {
            # On Linux too, this binds every port to loopback only
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
        }
    if not resources.gpus:
        env["CUDA_VISIBLE_DEVICES"] = ""
    return env


def end_tree(pid: int, patience_s: float = 3.0) -> None:
    """End a process and all its descendants: politely, then by force."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    if parent.status() != psutil.STATUS_ZOMBIE:
        for process in family:
            _signal(process, signal.SIGTERM)
        psutil.wait_procs(family[1:], timeout=patience_s)
    for process in family:
        _signal(process, signal.SIGKILL)


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _ended(folder: Path, trial: Trial) -> bool:
    """Whether this command needs not start the trial again: it has an outcome, or failed for
    good."""
    document = trial_file.read(folder / "trials" / trial.id)
    failed = trial_file.status_of(document) == "failed" and document.get("fault") not in MEMORY
    return failed or trial_file.status_of(document) in trial_file.ENDED


def _scratch_folder() -> Path:
    """A short path for Ray's session (its sockets allow 107 bytes); leftovers of dead commands are
    removed."""
    root = Path(tempfile.gettempdir())
    if len(str(root)) > 30:
        root = Path("/tmp")
    for old in root.glob("g2g-ray-*-*"):
        number = old.name.split("-")[2]
        if (
            number.isdigit()
            and not psutil.pid_exists(int(number))
            and old.stat().st_uid == os.getuid()
        ):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"g2g-ray-{os.getpid()}-", dir=root))


def settle(folder: Path, trials: Sequence[Trial]) -> None:
    """Give trials whose process died their true status: `running` without a process becomes
    `interrupted`."""
    for trial in trials:
        where = folder / "trials" / trial.id
        document = trial_file.read(where)
        if document.get("status") == "running" and not locks.is_held(where / ".lock"):
            document.update(status="interrupted", error="its process died")
            trial_file.write(where, document)
