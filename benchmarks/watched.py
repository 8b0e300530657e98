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


@dataclass(frozen=True)
class Watched:
    """`span_s` from the first trial's start to the last one's end; processor seconds, Ray's start
    included."""

    span_s: float
    driver_s: float
    head_s: float
    driver_mb: float


class _Processes(threading.Thread):
    """Watches driver and head: `seconds` of a processor by name, `megabytes` of the driver at
    most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds: dict[str, float] = {}
        self.megabytes = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look ten times a second."""
        while not self.ended.wait(0.1):
            for process in psutil.Process().children(recursive=True):
                try:
                    name = (
                        "driver" if "execute_ray" in " ".join(process.cmdline()) else process.name()
                    )
                    if name == "driver" or name in HEAD:
                        used = process.cpu_times()
                        self.seconds[name] = used.user + used.system
                    if name == "driver":
                        self.megabytes = max(self.megabytes, process.memory_info().rss / 2**20)
                except psutil.Error:
                    continue


def watched(plan: Plan, **options: Any) -> Watched:
    """Run all trials of a plan in a folder of its own; `options` as `run_study` takes them."""
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
