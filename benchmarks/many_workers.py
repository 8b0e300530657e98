"""How much the one driver of a study works while many workers train: what limits a wide cluster.

    python -m benchmarks.many_workers [--workers 2,8,24] [--trials 4]

So many workers on this machine as if each had a processor of its own, each with so many trials of
10 s that only sleep and report every half second, as trials on GPUs would. Prints, per number of
workers: seconds from the first trial's start to the last one's end against the ideal, processor
seconds of the driver and of Ray's head (their start included), and the driver's memory.
"""

import argparse

from ablate.running.resources import machine_cpus
from benchmarks.toy_study import toy_plan
from benchmarks.watched import watched

STEPS, SLEEP_S = 20, 0.5


def measure(workers: int, trials: int) -> dict[str, float]:
    """Figures of one study with so many workers and so many trials for each."""
    data = {"sleep_s": SLEEP_S, "images": False}
    plan = toy_plan(
        seeds=workers * trials // 2, steps=STEPS, data=data, checkpoint_every=0, eval_every=STEPS
    )
    found = watched(plan, workers=workers, cpus_per_trial=machine_cpus() / workers)
    return {
        "seconds": found.span_s,
        "ideal": trials * STEPS * SLEEP_S,
        "trials": len(plan.trials),
        "driver, processor s": found.driver_s,
        "head, processor s": found.head_s,
        "driver, MB": found.driver_mb,
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
