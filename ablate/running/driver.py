"""Run trials one by one in this process, or on Ray workers through a driver process.

The driver is a child process that runs Ray Tune. The command that the user started never imports
Ray: it owns the terminal, while all output of Ray goes to `driver.log`. How a trial ended is read
from its folder, never from Ray.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ablate.disk.folder import StudyFolder
from ablate.processes import children, signals
from ablate.processes.watchdog import Part, Watchdog
from ablate.running.cluster import cluster_problem
from ablate.running.items import Item, ask_to_stop, asked_to_stop, over, studies
from ablate.running.resources import Resources
from ablate.study.nouns import Infrastructure, StudyError, Trial
from ablate.trainers.core.trainer import ENTRY
from ablate.trainers.resolve import load_entry
from ablate.trial import journal, trial_file
from ablate.trial.faults import LEAVES_PROCESS, Referee
from ablate.trial.run import run_trial

PAUSE_S = 3.0
"""Seconds before Ray is started again, times the deaths of Ray since a trial got further."""


OF_RAY = ("RAY_memory_",)
"""What the names of variables start with that set how Ray watches a machine's memory."""

OF_CLUSTERS = (*OF_RAY, "RAY_AUTH_", "RAY_TLS_", "RAY_USE_TLS", "RAY_TMPDIR", "RAY_gcs_")
"""What the names of Ray's variables start with that reach a driver on a cluster of the user."""


SERVICES = ("gcs_server", "raylet", "dashboard.py", "monitor.py", "log_monitor.py")
"""Programs of Ray without which it can't go on, or soon doesn't."""

AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Titles of further such processes."""

FIRST_SIGN_S = 180.0
"""Seconds that Ray may take to start, on a busy machine."""

SILENCE_S = 40.0
"""Seconds without a sign of life from Ray after which it counts as hanging."""

END_S = 20.0
"""Seconds that the driver may take to end after it has done everything."""


@dataclass
class Job:
    """The trials to run, and how to run them.

    Attributes:
        folder: the study folder, as an absolute path.
        items: the trials that have no outcome yet, in running order; also those of other studies
            that these start from.
        resources: workers, CPUs, GPUs, and address.
        max_retries: how often a trial is started again after its process died.
        referee: decides whether the study stops before its end.
        fresh_workers: whether every trial gets a new process instead of one that is used again.
        trainer: `module:function` that trains a trial.
        said: messages about decisions during the run, such as what is tried again.
        stopped: why the study stopped before its end; None if it didn't.
    """

    folder: Path
    items: Sequence[Item]
    resources: Resources
    max_retries: int = 2
    referee: Referee = field(default_factory=Referee)
    fresh_workers: bool = False
    trainer: str = ENTRY
    said: list[str] = field(default_factory=list)
    stopped: str | None = None

    @property
    def studies(self) -> list[Path]:
        """Folders of the studies that the trials belong to."""
        return studies(item.folder for item in self.items)


def execute(job: Job) -> None:
    """Run the job's trials; `trial.json` in the folder of each trial has how it ended.

    Raises:
        KeyboardInterrupt: the user interrupted the study, which can be resumed.
        StudyError: the cluster doesn't have the resources; nothing was started.
        Infrastructure: the cluster can't be reached, or Ray stopped more than `max_retries` times
            without a trial that got further in between.
    """
    if job.resources.workers == 0:
        inline(job)
    else:
        on_ray(job)


def inline(job: Job) -> None:
    """Run one trial after the other in this process, without Ray."""
    train = load_entry(job.trainer)
    hidden = contextlib.nullcontext() if job.resources.gpus else _hidden_gpus()
    with signals.announced(lambda: ask_to_stop(job.studies)), hidden:
        for item in job.items:
            trial = item.trial
            result = run_trial(trial, item.folder, device=job.resources.own_device, train=train)
            job.stopped = job.referee.stop_reason(result)
            if result.fault in LEAVES_PROCESS and not job.stopped:
                job.stopped = (
                    f"the GPU failed in trial {trial.id}, and this process can't use it again: "
                    f"{result.error}. With --workers 1 each failure gets a new process"
                )
            if job.stopped or asked_to_stop(job.studies):
                return


@contextlib.contextmanager
def _hidden_gpus() -> Iterator[None]:
    """Hide all GPUs from this process, and restore its environment at the end.

    The process may be the user's own Python program.
    """
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        yield
    finally:
        if before is None:
            del os.environ["CUDA_VISIBLE_DEVICES"]
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = before


def on_ray(job: Job) -> None:
    """Run the trials in a driver process, and start another one if Ray stops unexpectedly.

    Raises:
        KeyboardInterrupt: the user interrupted the study, which can be resumed.
        StudyError: the cluster doesn't have the resources; nothing was started.
        Infrastructure: the cluster can't be reached, or Ray stopped more than `max_retries` times
            without a trial that got further in between.
    """
    deaths = Deaths([item.folder for item in job.items])
    while remaining := [item for item in job.items if not over(item.folder)]:
        # A busy machine gets time, since Ray fails if parts of it start slowly
        time.sleep(PAUSE_S * deaths.in_a_row)

        driver = Driver(job, remaining)
        try:
            fault = driver.wait()
        except KeyboardInterrupt:
            driver.stop_gently()
            raise
        finally:
            driver.close()
        if fault is None or job.stopped:
            return

        deaths.add()
        address = job.resources.address
        if address is not None and cluster_problem(address):
            raise Infrastructure(
                f"the Ray cluster at {address} is gone; what it had finished is kept"
            )
        if deaths.in_a_row > job.max_retries:
            raise Infrastructure(
                f"Ray died {deaths.in_a_row} times before any trial got further ({fault}); "
                f"its last words are in {job.folder / 'driver.log'}"
            )
        job.said.append(
            f"{fault}; Ray starts again for the remaining trials "
            f"({deaths.in_a_row} of {job.max_retries})"
        )


class Deaths:
    """The deaths of Ray since a trial last got further.

    A trial gets further when it ends, or records a step that it never had recorded before. Steps
    that it repeats after a death don't count, so a study that dies at the same step again and again
    doesn't run forever.

    Args:
        folders: folders of the trials to run.

    Attributes:
        in_a_row: the number of these deaths.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.in_a_row = 0
        self._folders = folders
        self._furthest = [self._state(folder) for folder in folders]

    def add(self) -> None:
        """Count a death, as the first one if a trial has got further since the one before."""
        states = [self._state(folder) for folder in self._folders]
        furthest = [max(pair) for pair in zip(self._furthest, states, strict=True)]
        self.in_a_row = 1 if furthest != self._furthest else self.in_a_row + 1
        self._furthest = furthest

    def _state(self, folder: Path) -> tuple[bool, int]:
        """Return whether a trial has ended, and the last step in the tail of its journal."""
        lines = journal.tail(folder)
        return over(folder), max((line.step for line in lines), default=-1)


def part_of(command_line: Sequence[str]) -> Part | None:
    """Return the task of one of Ray's processes, or None for a process of the user."""
    if not command_line:
        return None
    words = [word for word in command_line[1:4] if not word.startswith("-")]
    program = Path(command_line[0]).name
    if program.startswith("python") and words:
        program = Path(words[0]).name
    if program in SERVICES:
        # These two look after the others all the time
        return Part(f"Ray's {program}", busy=program in ("gcs_server", "raylet"))
    if program in AGENTS:
        return Part(f"Ray's {program.removeprefix('ray::')}")
    if program.startswith("ray::") or program == "default_worker.py":
        return Part("a worker", needed=False)
    if program == "supervisor.py":
        return Part("the supervisor of a program", needed=False)
    return None


class Driver:
    """The child process that runs Ray Tune, as seen from the command.

    The command writes one order to the standard input of the process, and reads its events from
    the standard output, one JSON object per line.

    Args:
        job: how to run; receives what the driver reports.
        items: the items of the job that have not ended.
    """

    def __init__(self, job: Job, items: Sequence[Item]) -> None:
        self.job = job
        self.scratch = _scratch_folder()
        self._log = (StudyFolder(job.folder).driver_log).open("ab")
        with signals.blocked():
            self._process = subprocess.Popen(
                (sys.executable, "-c", "from ablate.running.ray_tune import main; main()"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=driver_environment(job.resources),
                # Ray lets its workers import from the driver's current folder
                cwd=self.scratch,
                # Ctrl-C reaches only the command, which then stops the trials cleanly
                start_new_session=True,
                text=True,
            )

        order = {
            "trials": [
                {
                    "folder": str(item.folder),
                    "needs": [[str(need.folder), need.step] for need in item.needs],
                }
                for item in items
            ],
            "workers": job.resources.workers,
            "cpus": job.resources.cpus,
            "gpus": job.resources.gpus,
            "cards": len(job.resources.cards),
            "address": job.resources.address,
            "max_retries": job.max_retries,
            "fail_fast": job.referee.fail_fast,
            "alike_limit": job.referee.alike_limit,
            "fresh_workers": job.fresh_workers,
            "trainer": job.trainer,
            "scratch": str(self.scratch),
            "current": str(Path.cwd()),
            "code": children.code_folders(),
        }
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            # The pipe stays open: the driver ends when it closes, because this command is gone then
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the driver died at once, which wait() notices

        self._refused: str | None = None
        self._apart: str | None = None
        self._failed: str | None = None
        self._done = False
        self._watchdog = Watchdog(
            self._process.pid,
            "Ray",
            job.said.append,
            part_of if job.resources.address is None else lambda _: None,
            FIRST_SIGN_S,
            SILENCE_S,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self) -> str | None:
        """Wait for the driver to end.

        Returns:
            None if it has done everything; otherwise what is wrong with it or with Ray.

        Raises:
            StudyError: the cluster doesn't have the resources.
            Infrastructure: the driver couldn't connect to the cluster.
        """
        deadline = float("inf")
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            # Ray's processes end before the driver does
            if self._done or self._refused or self._apart or self._failed:
                deadline = min(deadline, time.monotonic() + END_S)
            elif fault := self._watchdog.look():
                return fault

        if deadline == float("inf"):
            self._reader.join(timeout=5)
        if self._refused:
            raise StudyError(self._refused)
        if self._apart:
            raise Infrastructure(
                f"{self._apart}: the address may be that of another part of Ray, or the cluster "
                f"may want another token; Ray's last words are in {self.job.folder / 'driver.log'}"
            )
        if self._failed:
            return f"Ray failed with {self._failed}"
        return None if self._done else "Ray's driver has died"

    def stop_gently(self, patience_s: float = 25.0) -> None:
        """Ask the trials to end at their next record, and wait for the driver to end.

        A second Ctrl-C ends the wait.

        Args:
            patience_s: how long to wait at most, in seconds: less than schedulers wait.
        """
        ask_to_stop(self.job.studies)
        deadline = time.monotonic() + patience_s
        try:
            while self._process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
        except KeyboardInterrupt:
            pass

    def close(self) -> None:
        """End the driver and all processes it started, and remove Ray's scratch folder."""
        # The processes of a local Ray ignore the first signal, and have nothing left to do
        end_tree(self._process.pid, 0.0 if self.job.resources.address is None else 3.0)
        self._watchdog.kill()
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
        """Read the driver's events until it closes its output: one JSON object per line."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            match message["event"]:
                case "refused":
                    self._refused = message["text"]
                case "apart":
                    self._apart = message["text"]
                case "stopped":
                    self.job.stopped = message["text"]
                case "said":
                    self.job.said.append(message["text"])
                case "failed":
                    self._failed = message["text"]
                case "done":
                    self._done = True
                case "alive":
                    self._watchdog.heard()


def driver_environment(resources: Resources) -> dict[str, str]:
    """Return the environment of the driver and all its workers.

    It makes Ray quiet, keeps Ray on the loopback interface, and turns telemetry off. Of the user's
    settings for Ray it has only those that the options ask for.
    """
    own = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        "RAY_AIR_NEW_OUTPUT": "0",
        "RAY_DEDUP_LOGS": "0",
        # Tune's trials would not use workers that started before them
        "RAY_prestart_worker_first_driver": "0",
        "RAY_enable_worker_prestart": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # nothing reads Tune's own state
        "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    if resources.address is None:
        own |= {
            # A token of this run alone: Ray would keep its own in a home folder
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            # On Linux too, this binds every port to loopback only
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
        }
    else:
        own["RAY_AUTH_MODE"] = os.environ.get("RAY_AUTH_MODE", "token")
    if not resources.gpus:
        own["CUDA_VISIBLE_DEVICES"] = ""
    elif resources.cards:
        own["CUDA_VISIBLE_DEVICES"] = ",".join(card.entry for card in resources.cards)
    if not os.environ.get("OMP_NUM_THREADS", "1").isdigit():
        own["OMP_NUM_THREADS"] = "1"  # a trial sets its own number

    # Without MLflow's: Ray Tune imports it, and settings for another program may make that fail
    return children.environment(own, OF_RAY if resources.address is None else OF_CLUSTERS)


def end_tree(pid: int, patience_s: float = 3.0) -> None:
    """End a process and all its descendants with SIGTERM, and then with SIGKILL.

    Args:
        pid: the process.
        patience_s: how long the descendants have between the two signals, in seconds.
    """
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
    """Send a signal to a process, unless it has ended already."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _scratch_folder() -> Path:
    """Make a folder with a short path for Ray's session, and remove those of dead commands.

    The path is short because Ray puts sockets there, whose paths have at most 107 bytes.
    """
    root = Path(tempfile.gettempdir())
    if len(str(root)) > 30:
        root = Path("/tmp")

    # The name of a folder contains the id of the process that made it
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
    """Change the status of trials from `running` to `interrupted` if their process died."""
    for trial in trials:
        where = StudyFolder(folder).trial(trial.id)
        document = trial_file.read(where)
        if trial_file.died(where, document):
            document.update({"status": "interrupted", "error": "its process died"})
            trial_file.write(where, document)
