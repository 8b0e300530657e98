"""Measure how much the driver of a study works while many workers train.

    python -m benchmarks.many_workers [--workers 2,8,24] [--trials 4]

A study has a single driver, so the driver's work limits the width of a cluster. The benchmark runs
many workers on this machine as if each had a processor for itself. Each worker has `--trials`
trials of 10 s that only sleep and report every half second, as trials on GPUs do.

For each number of workers, the benchmark prints the seconds from the first trial's start to the
last trial's end, and the ideal. It also prints the processor seconds of the driver and of Ray's
head, including their start, and the driver's memory.
"""

import argparse

from ablate.running.resources import machine_cpus
from benchmarks.toy_study import toy_plan
from benchmarks.watched import watched

STEPS, SLEEP_S = 20, 0.5


def measure(workers: int, trials: int) -> dict[str, float]:
    """Return the figures of one study.

    Args:
        workers: number of workers.
        trials: number of trials per worker.
    """
    data = {"sleep_s": SLEEP_S, "images": False}
    # Each seed makes two trials, one per arm of the toy study.
    plan = toy_plan(
        seeds=workers * trials // 2, steps=STEPS, data=data, checkpoint_every=0, eval_every=STEPS
    )
    usage = watched(plan, workers=workers, cpus_per_trial=machine_cpus() / workers)
    return {
        "seconds": usage.span_s,
        "ideal": trials * STEPS * SLEEP_S,
        "trials": len(plan.trials),
        "driver, processor s": usage.driver_s,
        "head, processor s": usage.head_s,
        "driver, MB": usage.driver_mb,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", default="2,8,24")
    parser.add_argument("--trials", type=int, default=4)
    chosen = parser.parse_args()
    for workers in map(int, chosen.workers.split(",")):
        figures = measure(workers, chosen.trials)
        print(
            f"{workers:3} workers:",
            ", ".join(f"{name} {value:.2f}" for name, value in figures.items()),
            flush=True,
        )


if __name__ == "__main__":
    main()
