"""Runs a program as a trial and reads the metrics that it writes as it goes."""

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
from ablate.reading.problems import did_you_mean
from ablate.trainers.command.config import CommandConfig
from ablate.trainers.command.environment import program_environment
from ablate.trainers.command.metrics_file import MetricsFile
from ablate.trainers.trainer import Stopped
from g2g_core.record import Diverged, Record

LOG = "trial.log"
"""What the program prints, in the trial's folder."""
LOOK_EVERY_S = 0.1
"""Between looks at the metrics file; longer where reading it takes long."""
SUPERVISOR = Path(__file__).with_name("supervisor.py")
SUPERVISOR_PATIENCE_S = 10.0
"""Longer than the supervisor waits for the program."""


class ProgramFailed(Exception):
    """The program ended with another exit status than 0, or without the outcome of the study."""


def train(config: CommandConfig, *, device: str, checkpoints: Path) -> Iterator[Record]:
    """Run the program of a trial, from its beginning, and yield what it records.

    Args:
        config: of the trial.
        device: `cpu` or `cuda`.
        checkpoints: `checkpoints` in the trial's folder.

    Yields:
        A note with the command; then a record of kind `eval` for each step of the metrics file,
        each metric as `metric/<name>`, once a later step shows that the step is complete or the
        program has ended; at the end a note with the peak memory.

    Raises:
        Diverged: a recorded metric is not finite; the program is ended.
        Stopped: the study was asked to stop; the program is ended.
        ProgramFailed: another exit status than 0, or no metrics.
        MetricsFileError: a line of the metrics file cannot be read.
    """
    folder = checkpoints.parent
    metrics = folder / config.metrics
    metrics.parent.mkdir(parents=True, exist_ok=True)
    metrics.unlink(missing_ok=True)  # of an attempt that was interrupted
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

    if program.status != 0:
        raise ProgramFailed(f"{_ended(program.status)}: {_last_line(folder / LOG)}")
    if not metrics.is_file():
        raise ProgramFailed(f"the program wrote no {config.metrics} in {{folder}}")
    if config.outcome not in source.seen:
        hint = did_you_mean(config.outcome, source.seen)
        raise ProgramFailed(
            f"{config.metrics}: holds no {config.outcome}, the outcome of the study{hint}"
        )


def _records(program: "Program", source: MetricsFile, stop: Path) -> Iterator[Record]:
    """What the program records until it has ended."""
    over, reading_s = False, 0.0
    while not over:
        # Asked before the file is read, so that nothing of what the program wrote is missed.
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
    """A program under a supervisor that ends it when this process dies; leaving the context ends it
    too.

    Attributes:
        status: its exit status, once it has ended; less than 0: the number of the signal that ended
            it.
        peak_mb: the largest memory of any of its processes, MB (2**20 bytes).
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
        """Ask for the end of what still runs, and wait for it."""
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
        """Whether the program has ended, or does within this time."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        if not self._heard:
            self._read_end()
        return True

    def _read_end(self) -> None:
        """What the supervisor said of the end; nothing, if it was killed itself."""
        assert self._process.stdout is not None
        self._heard = True
        try:
            end = json.loads(self._process.stdout.read())
            self.status, self.peak_mb = int(end["status"]), float(end["peak_mb"])
        except (ValueError, KeyError):
            self.status = self._process.returncode or -signal.SIGKILL


def _ended(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        return f"ended by signal {-status} ({signal.Signals(-status).name})"
    return f"exit status {status}"


def _last_line(log: Path) -> str:
    """The last line that the program printed."""
    lines = log.read_bytes()[-10_000:].decode("utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
