"""Measure what a short trial on Ray costs beyond its training, with warm workers or fresh ones.

    python -m benchmarks.short_trials warm|fresh

The study has 24 trials of 1 s, two at a time. The benchmark prints the seconds per trial beyond its
training, from the start of the first trial to the end of the last; Ray's own start is left out. It
also prints the largest memory of the driver in megabytes.
"""

import subprocess
import sys

from benchmarks.toy_study import toy_plan
from benchmarks.watched import watched

TRIALS, STEPS, SLEEP_S = 24, 20, 0.05
TRAINING_S = STEPS * SLEEP_S


def measure(which: str) -> tuple[float, float]:
    """Return the seconds per trial beyond its training, and the driver's memory in megabytes.

    The study runs in a process of its own.

    Args:
        which: `warm` or `fresh` workers.
    """
    words = [sys.executable, "-m", "benchmarks.short_trials", which]
    printed = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(printed[-2]), float(printed[-1])


def main() -> None:
    plan = toy_plan(
        seeds=TRIALS // 2,
        steps=STEPS,
        data={"sleep_s": SLEEP_S, "images": False},
        checkpoint_every=0,
    )
    usage = watched(plan, workers=2, fresh_workers=sys.argv[1] == "fresh")
    print(f"{2 * usage.span_s / TRIALS - TRAINING_S:.3f} {usage.driver_mb:.0f}")


if __name__ == "__main__":
    main()
