"""Many short trials on Ray: what a trial costs beyond its training, with warm workers and with
    fresh processes.

    python -m benchmarks.short_trials warm|fresh

24 trials of 1 s, two at once. Prints the seconds a trial takes beyond its training (from the start
of the first to the end of the last, Ray's own start left out) and the most megabytes that the
driver process held.
"""

import subprocess
import sys

from benchmarks.toy_study import toy_plan
from benchmarks.watched import watched

TRIALS, STEPS, SLEEP_S = 24, 20, 0.05
TRAINING_S = STEPS * SLEEP_S


def measure(which: str) -> tuple[float, float]:
    """Seconds a trial beyond its training, and megabytes of the driver; in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.short_trials", which]
    said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(said[-2]), float(said[-1])


def main() -> None:
    plan = toy_plan(
        seeds=TRIALS // 2,
        steps=STEPS,
        data={"sleep_s": SLEEP_S, "images": False},
        checkpoint_every=0,
    )
    found = watched(plan, workers=2, fresh_workers=sys.argv[1] == "fresh")
    print(f"{2 * found.span_s / TRIALS - TRAINING_S:.3f} {found.driver_mb:.0f}")


if __name__ == "__main__":
    main()
