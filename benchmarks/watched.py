"""A study of the trivial trainer on Ray, and what its driver and Ray's head use meanwhile."""

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ablate.running.study import run_study
from ablate.study.nouns import Plan
from ablate.trial import trial_file
from benchmarks.toy_study import BARE

HEAD = ("gcs_server", "raylet")
DRIVER = "ablate.running.ray_tune"
"""Part of the command line of the driver."""


@dataclass(frozen=True)
class Watched:
    """What a study took.

    Attributes:
        span_s: seconds from the first trial's start to the last trial's end.
        driver_s: processor seconds of the driver, including its start.
        head_s: processor seconds of Ray's head, including its start.
        driver_mb: largest memory of the driver in megabytes.
    """

    span_s: float
    driver_s: float
    head_s: float
    driver_mb: float


class _Processes(threading.Thread):
    """A thread that watches the driver and Ray's head.

    Attributes:
        seconds: processor seconds by name of the process.
        megabytes: largest memory of the driver.
        ended: an event that ends the thread.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds: dict[str, float] = {}
        self.megabytes = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look at the processes ten times a second."""
        while not self.ended.wait(0.1):
            for process in psutil.Process().children(recursive=True):
                try:
                    is_driver = DRIVER in " ".join(process.cmdline())
                    name = "driver" if is_driver else process.name()
                    if name == "driver" or name in HEAD:
                        used = process.cpu_times()
                        self.seconds[name] = used.user + used.system
                    if name == "driver":
                        self.megabytes = max(self.megabytes, process.memory_info().rss / 2**20)
                # A process can end while its numbers are read.
                except psutil.Error:
                    continue


def watched(plan: Plan, **options: Any) -> Watched:
    """Run all trials of a plan in a temporary folder, and return what they took.

    Args:
        plan: the study.
        **options: options of `run_study`.
    """
    with tempfile.TemporaryDirectory() as place:
        watch = _Processes()
        watch.start()
        result = run_study(plan, Path(place), **BARE | options)
        watch.ended.set()
        assert result.exit_code == 0, result.messages
        attempts = [trial_file.read(one.folder)["attempts"][0] for one in result.results]

    span = max(attempt["ended"] for attempt in attempts) - min(
        attempt["started"] for attempt in attempts
    )
    head = sum(seconds for name, seconds in watch.seconds.items() if name != "driver")
    return Watched(span, watch.seconds["driver"], head, watch.megabytes)
