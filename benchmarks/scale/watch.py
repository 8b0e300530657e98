"""What the processes of a running study use, and how far the study and its tracking have come."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from ablate.disk.folder import StudyFolder, TrialFolder
from g2g_base import atomic

NAMES = {
    "ablate.running.ray_tune": "driver",
    "ablate.tracking.forwarder": "forwarder",
    "raylet/raylet": "raylet",
    "gcs/gcs_server": "gcs_server",
}
"""Part of a command line -> name of the process."""


@dataclass(frozen=True)
class Moment:
    """A study at one moment.

    Attributes:
        seconds: seconds since the watch began.
        finished: number of trials that have finished.
        sent: number of trials whose end was sent to MLflow.
        megabytes: process -> memory; of several raylets, that of the largest.
        processor_s: process -> processor seconds so far, of all processes with this name.
    """

    seconds: float
    finished: int
    sent: int
    megabytes: dict[str, float]
    processor_s: dict[str, float]


class Watch(threading.Thread):
    """A thread that looks at a study again and again until it is asked to end.

    Args:
        folder: the study's folder.
        every_s: seconds between two looks.

    Attributes:
        moments: what was seen.
    """

    def __init__(self, folder: Path, every_s: float = 2.0) -> None:
        super().__init__(daemon=True)
        self.folder, self.every_s = folder, every_s
        self.moments: list[Moment] = []
        self._over = threading.Event()
        self._began = time.monotonic()
        self._finished: set[Path] = set()
        self._sent: set[Path] = set()

    def run(self) -> None:
        """Look until `end` is called."""
        while not self._over.wait(self.every_s):
            self.look()

    def end(self) -> None:
        """End the thread after a last look."""
        self._over.set()
        self.join()
        self.look()

    @property
    def finished(self) -> int:
        """Number of trials that had finished at the last look."""
        return self.moments[-1].finished if self.moments else 0

    @property
    def seconds(self) -> float:
        """Seconds since the watch began."""
        return time.monotonic() - self._began

    @property
    def behind_s(self) -> float:
        """Seconds from the moment when the last trial had finished to that when it was sent."""
        return round(self._first("sent") - self._first("finished"), 1)

    def _first(self, what: str) -> float:
        """Return when the largest number was reached."""
        most = max(getattr(one, what) for one in self.moments)
        return next(one.seconds for one in self.moments if getattr(one, what) == most)

    def rows(self, tenths: Sequence[int] = (1, 3, 5, 7, 9, 10)) -> list[str]:
        """Return a line for each of some tenths of the finished trials.

        Args:
            tenths: which ones.
        """
        most = max(1, self.finished)
        rows = []
        for tenth in tenths:
            one = next(one for one in self.moments if one.finished * 10 >= tenth * most)
            used = ", ".join(
                f"{name} {one.megabytes[name]:.0f} MB {one.processor_s[name]:.1f} s"
                for name in sorted(one.megabytes)
            )
            rows.append(f"{one.seconds:.0f} s: {one.finished} finished, {one.sent} sent; {used}")
        return rows

    def look(self) -> None:
        """Add a moment."""
        megabytes: dict[str, float] = {}
        processor_s: dict[str, float] = {}
        for process in psutil.Process().children(recursive=True):
            try:
                words = " ".join(process.cmdline())
                name = next((NAMES[part] for part in NAMES if part in words), None)
                if name is not None:
                    used, memory = process.cpu_times(), process.memory_info().rss / 2**20
                    megabytes[name] = max(megabytes.get(name, 0.0), memory)
                    processor_s[name] = processor_s.get(name, 0.0) + used.user + used.system
            # A process can end while its numbers are read
            except psutil.Error:
                continue
        trials = StudyFolder(self.folder).trials
        for folder in trials.iterdir() if trials.is_dir() else ():
            # A trial that has finished stays finished
            if folder not in self._finished and _entry(TrialFolder(folder).document, "status"):
                self._finished.add(folder)
            if folder not in self._sent and _entry(TrialFolder(folder).tracked, "sent"):
                self._sent.add(folder)
        done = len(self._finished), len(self._sent)
        self.moments.append(Moment(self.seconds, *done, megabytes, processor_s))


def _entry(path: Path, key: str) -> bool:
    """Return whether this entry of a JSON file begins with `finished`."""
    return str(atomic.read_json(path).get(key)).startswith("finished")
