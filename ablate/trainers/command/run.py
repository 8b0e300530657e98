"""The training run of a trial that runs a program, whose metrics are read as they are written."""

import contextlib
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.processes.signals import SCHEDULERS
from ablate.reading.problems import did_you_mean
from ablate.trainers.command.config import CommandConfig
from ablate.trainers.command.environment import program_environment
from ablate.trainers.command.metrics_file import MetricsFile
from g2g_core.record import Diverged, Record, Stopped

LOG = "trial.log"
"""File in the trial's folder with what the program prints."""

LOOK_EVERY_S = 0.1
"""Seconds between reads of the metrics file; large files are read less often."""

SUPERVISOR = Path(__file__).with_name("supervisor.py")
"""The script that runs the program and ends it."""

SUPERVISOR_PATIENCE_S = 10.0
"""Seconds to wait for the supervisor, which is longer than it waits for the program."""


SCHEDULED = tuple(status for number in SCHEDULERS for status in (-number, 128 + number))
"""Exit statuses of programs that a scheduler has ended."""


class ProgramFailed(Exception):
    """Error of a program that ended with an exit status other than 0, or without the outcome."""


def train(config: CommandConfig, *, device: str, checkpoints: Path) -> Iterator[Record]:
    """Run the program of a trial from its beginning and yield what it records.

    Args:
        config: the config of the trial.
        device: `cpu` or `cuda`.
        checkpoints: the folder `checkpoints` in the trial's folder.

    Yields:
        First, a note with the command. Then one record of kind `eval` for each step of the metrics
        file, with each metric as `metric/<name>`. A step is yielded once a later step follows or
        the program has ended. At the end, a note with the peak memory.

    Raises:
        Diverged: a recorded metric is not finite. The program is ended first.
        Stopped: the study was asked to stop. The program is ended first.
        ProgramFailed: the program's exit status is not 0, or it did not record the outcome.
        MetricsFileError: a line of the metrics file cannot be read.
    """
    folder = checkpoints.parent
    metrics = folder / config.metrics
    metrics.parent.mkdir(parents=True, exist_ok=True)
    metrics.unlink(missing_ok=True)  # it may be from an interrupted attempt
    command = config.command_line(folder, device)
    yield Record(0, "note", facts={"command": command, "determinism": {"device": device}})

    environment = program_environment(device, config.threads)
    source = MetricsFile(metrics)
    last = 0
    with Program(command, config.folder, environment, folder / LOG) as program:
        for record in _records(program, source, StudyFolder(folder.parent.parent).stop):
            last = record.step
            yield record
    yield Record(last, "note", facts={"peak_memory_mb": {"host": program.peak_mb}})

    if program.status in SCHEDULED and _comes(StudyFolder(folder.parent.parent).stop):
        raise Stopped
    if program.status != 0:
        raise ProgramFailed(f"{_ended(program.status)}: {_last_line(folder / LOG)}")
    if not metrics.is_file():
        raise ProgramFailed(f"the program wrote no {config.metrics} in {{folder}}")
    if config.outcome not in source.seen:
        hint = did_you_mean(config.outcome, source.seen)
        raise ProgramFailed(
            f"{config.metrics}: holds no {config.outcome}, the outcome of the study{hint}"
        )


def _comes(stop: Path, patience_s: float = 3.0) -> bool:
    """Return whether the request to stop is there, or comes soon.

    A scheduler may send its signal to the program and to the command at the same moment.
    """
    deadline = time.monotonic() + patience_s
    while not stop.exists() and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    return stop.exists()


def _records(program: "Program", source: MetricsFile, stop: Path) -> Iterator[Record]:
    """Yield what the program records until it has ended."""
    over, reading_s = False, 0.0
    while not over:
        # The order matters: lines that the program writes before it ends must not be missed.
        over = program.ended(max(LOOK_EVERY_S, 10 * reading_s))
        began = time.monotonic()

        for step, values in source.news(over and program.status == 0):
            finite = {name: value for name, value in values.items() if math.isfinite(value)}
            yield Record(step, "eval", {f"metric/{name}": value for name, value in finite.items()})
            if bad := [name for name in values if name not in finite]:
                raise Diverged(step, bad[0])
        reading_s = time.monotonic() - began

        if not over and stop.exists():
            raise Stopped


class Program:
    """A running program, as a context whose exit ends the program.

    The program runs under a supervisor, which also ends the program when this process dies.

    Args:
        command: the program and its arguments.
        folder: the folder in which the program starts.
        environment: the environment variables of the program.
        log: file for what the program prints.

    Attributes:
        status: exit status of the ended program; a negative number is that of the signal that
            ended the program.
        peak_mb: largest memory of any of its processes, in MB (2**20 bytes).
    """

    def __init__(
        self, command: list[str], folder: str, environment: dict[str, str], log: Path
    ) -> None:
        self.status = 0
        self.peak_mb = 0.0
        self._heard = False
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                (sys.executable, "-I", "-S", str(SUPERVISOR), *command),
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,  # Ctrl-C in a terminal reaches this process only
            )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        """Ask the supervisor to end the program, and wait until it has."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            if self._process.poll() is None:
                self._process.stdin.write(b"stop\n")
                self._process.stdin.flush()
        try:
            self._process.wait(SUPERVISOR_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self.ended(0)
            self._process.stdout.close()

    def ended(self, patience_s: float) -> bool:
        """Return whether the program has ended or ends within `patience_s` seconds."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        if not self._heard:
            self._read_end()
        return True

    def _read_end(self) -> None:
        """Read the status and the memory from the supervisor, unless it was killed itself."""
        assert self._process.stdout is not None
        self._heard = True
        try:
            end = json.loads(self._process.stdout.read())
            self.status, self.peak_mb = int(end["status"]), float(end["peak_mb"])
        except (ValueError, KeyError):
            self.status = self._process.returncode or -signal.SIGKILL


def _ended(status: int) -> str:
    """Return an exit status in words."""
    if status < 0:
        return f"ended by signal {-status} ({signal.Signals(-status).name})"
    return f"exit status {status}"


def _last_line(log: Path) -> str:
    """Return the last line that the program printed."""
    lines = log.read_bytes()[-10_000:].decode("utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
