"""How much the one driver of a study works while many workers train: what limits a wide cluster.

    python -m benchmarks.many_workers [--workers 2,8,24] [--trials 4]

So many workers on this machine as if each had a processor of its own, each with so many trials of 10 s that only sleep
and report every half second, as trials on GPUs would. Prints, per number of workers: seconds from the first trial's
start to the last one's end against the ideal, processor seconds of the driver and of Ray's head (their start included),
and the driver's memory.
"""

import argparse
import tempfile
import threading
from pathlib import Path

import psutil

from ablate import trial_file
from ablate.resources import machine_cpus
from ablate.run import run_study
from benchmarks.toy_study import TRAINER, toy_plan

STEPS, SLEEP_S = 20, 0.5
HEAD = ("gcs_server", "raylet")


class Processors(threading.Thread):
    """Watches what driver and head have used: `seconds` by name, `megabytes` of the driver at most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds: dict[str, float] = {}
        self.megabytes = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look twice a second."""
        while not self.ended.wait(0.5):
            for process in psutil.Process().children(recursive=True):
                try:
                    name = "driver" if "execute_ray" in " ".join(process.cmdline()) else process.name()
                    used = process.cpu_times()
                    if name == "driver" or name in HEAD:
                        self.seconds[name] = used.user + used.system
                    if name == "driver":
                        self.megabytes = max(self.megabytes, process.memory_info().rss / 2**20)
                except psutil.Error:
                    continue


def measure(workers: int, trials: int) -> dict[str, float]:
    """Figures of one study with so many workers and so many trials for each."""
    data = {"sleep_s": SLEEP_S, "images": False}
    plan = toy_plan(seeds=workers * trials // 2, steps=STEPS, data=data, checkpoint_every=0, eval_every=STEPS)
    with tempfile.TemporaryDirectory() as place:
        watch = Processors()
        watch.start()
        result = run_study(
            plan,
            Path(place),
            trainer=TRAINER,
            workers=workers,
            cpus_per_trial=machine_cpus() / workers,
            report=False,
            tracking_uri="none",
            quiet=True,
        )
        watch.ended.set()
        assert result.exit_code == 0, result.messages
        attempts = [trial_file.read(one.folder)["attempts"][0] for one in result.results]
    span = max(attempt["ended"] for attempt in attempts) - min(attempt["started"] for attempt in attempts)
    head = sum(seconds for name, seconds in watch.seconds.items() if name != "driver")
    return {
        "seconds": span,
        "ideal": trials * STEPS * SLEEP_S,
        "trials": len(attempts),
        "driver, processor s": watch.seconds["driver"],
        "head, processor s": head,
        "driver, MB": watch.megabytes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", default="2,8,24")
    parser.add_argument("--trials", type=int, default=4)
    chosen = parser.parse_args()
    for workers in map(int, chosen.workers.split(",")):
        figures = measure(workers, chosen.trials)
        print(f"{workers:3} workers:", ", ".join(f"{name} {value:.2f}" for name, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
