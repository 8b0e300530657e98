"""Many short trials on Ray: what a trial costs beyond its training, with warm workers and with fresh processes.

    python -m benchmarks.short_trials warm|fresh

24 trials of 1 s, two at once. Prints the seconds a trial takes beyond its training (from the start of the first to the
end of the last, Ray's own start left out) and the most megabytes that the driver process held.
"""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil

from ablate import trial_file
from ablate.run import run_study
from benchmarks.toy_study import TRAINER, toy_plan

TRIALS, STEPS, SLEEP_S = 24, 20, 0.05
TRAINING_S = STEPS * SLEEP_S


class Largest(threading.Thread):
    """Watches the driver's resident memory; `megabytes` is the most it saw."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.megabytes = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look ten times a second."""
        while not self.ended.wait(0.1):
            for child in psutil.Process().children():
                try:
                    if "execute_ray" in " ".join(child.cmdline()):
                        self.megabytes = max(self.megabytes, child.memory_info().rss / 2**20)
                except psutil.Error:
                    continue


def measure(which: str) -> tuple[float, float]:
    """Seconds a trial beyond its training, and megabytes of the driver; in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.short_trials", which]
    said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(said[-2]), float(said[-1])


def main() -> None:
    plan = toy_plan(seeds=TRIALS // 2, steps=STEPS, data={"sleep_s": SLEEP_S, "images": False}, checkpoint_every=0)
    with tempfile.TemporaryDirectory() as place:
        watch = Largest()
        watch.start()
        result = run_study(
            plan,
            Path(place),
            trainer=TRAINER,
            workers=2,
            report=False,
            tracking_uri="none",
            quiet=True,
            fresh_workers=sys.argv[1] == "fresh",
        )
        watch.ended.set()
        assert result.exit_code == 0, result.messages
        attempts = [trial_file.read(one.folder)["attempts"][0] for one in result.results]
    span = max(attempt["ended"] for attempt in attempts) - min(attempt["started"] for attempt in attempts)
    print(f"{2 * span / TRIALS - TRAINING_S:.3f} {watch.megabytes:.0f}")


if __name__ == "__main__":
    main()
