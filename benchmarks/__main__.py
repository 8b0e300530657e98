"""Measure every figure that has a target, and print it with its target and their ratio.

    python -m benchmarks [--json bench.json] [--full] [--repeats 5]

This takes a quarter of an hour on two idle cores. `--full` adds the training step with 64 filters
at 128 pixels, which takes more than an hour, or less with fewer `--repeats`. A figure that could
not be measured says why. The exit code is 1 if a figure missed its target.
"""

import argparse
import json
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from benchmarks import chatty, many_trials, short_trials, training_step


@dataclass(frozen=True)
class Figure:
    """A measured number and its target.

    Attributes:
        name: what is measured, with its unit.
        value: the number; None if it could not be measured.
        target: the number to reach; infinity for a peer that is measured only for comparison.
        better: `higher` or `lower`.
        note: details, or why the number could not be measured.
    """

    name: str
    value: float | None
    target: float
    better: str
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if the number could not be measured."""
        if self.value is None:
            return None
        return self.value >= self.target if self.better == "higher" else self.value <= self.target

    def row(self) -> str:
        """Return the figure as a row of the printed table."""
        value = "-" if self.value is None else f"{self.value:.2f}"
        ratio = "-" if self.value is None else f"{self.value / self.target:.2f}"
        sign = ">=" if self.better == "higher" else "<="
        word = {None: "not measured", True: "met", False: "MISSED"}[self.met]
        return (
            f"{self.name:58} {value:>8} {sign} {self.target:<6g} {ratio:>6}  {word:12} {self.note}"
        )


def steps(sizes: list[str], repeats: int) -> Iterator[Figure]:
    """Measure how many times as fast a training step is as the same step in the authors' order.

    Each step is measured as it is set by default and with channels last.
    """
    for size in sizes:
        for losses in ("all", "off", "funit"):
            target = training_step.TARGETS[losses, size]
            for layout in (False, True):
                m = training_step.measure(size, losses, repeats, channels_last=layout)
                which = f"{losses}{', channels last' if layout else ''}"
                name = f"step {size}, losses {which}: times as fast"
                note = (
                    f"{m.reference_s:.3f} s > {m.ours_s:.3f} s, "
                    f"{m.reference_gflop:.1f} > {m.ours_gflop:.1f} GFLOP"
                )
                note += "" if layout else f", convolutions alone {m.alone_s:.3f} s"
                yield Figure(name, m.ratio, target, "higher", note)


def commands(repeats: int) -> Iterator[Figure]:
    """Measure the seconds of commands that a user waits for, after a first call that warms up."""
    program = str(Path(sysconfig.get_path("scripts")) / "g2g-ablate")
    for words, target in ((("--help",), 0.3), (("plan", "quickstart"), 1.0)):
        times = [_seconds([program, *words]) for _ in range(repeats + 1)][1:]
        yield Figure(
            f"g2g-ablate {' '.join(words)}: seconds", statistics.median(times), target, "lower"
        )


def reports_of_trials(repeats: int) -> Iterator[Figure]:
    """Measure the seconds of chatty trials over the ideal.

    A plain Ray Tune script with its MLflow callback is measured for comparison.
    """
    for which, words in (
        ("ours", "chatty trials"),
        ("plain", "chatty trials, plain script (no target of ours)"),
    ):
        target = 1.2 if which == "ours" else float("inf")
        try:
            times = [chatty.measure(which) for _ in range(repeats)]
        except subprocess.CalledProcessError as error:
            yield Figure(
                f"{words}: times the ideal",
                None,
                target,
                "lower",
                f"exit code {error.returncode}, see above",
            )
        else:
            yield Figure(
                f"{words}: times the ideal",
                statistics.median(times) / chatty.IDEAL_S,
                target,
                "lower",
            )


def orchestration(repeats: int) -> Iterator[Figure]:
    """Measure what many short trials cost beyond training, and the memory of Ray Tune's driver.

    The peer starts a fresh process for each trial.
    """
    warm, fresh = (
        [short_trials.measure(which) for _ in range(repeats)] for which in ("warm", "fresh")
    )
    beyond, peer = (statistics.median(seconds for seconds, _ in runs) for runs in (warm, fresh))
    note = f"a third of what fresh processes take, {peer:.2f} s"
    yield Figure(
        "short trials: seconds beyond training, each", beyond, round(peer / 3, 2), "lower", note
    )
    yield Figure("driver of Ray Tune: MB", max(megabytes for _, megabytes in warm), 250, "lower")


def scale(_repeats: int) -> Iterator[Figure]:
    """Measure a study of 1,000 trials."""
    figures = many_trials.measure()
    yield Figure(
        "1,000 trials: seconds of `run` when all is done", figures["run again, s"], 10, "lower"
    )
    yield Figure(
        "1,000 trials x 500 points: seconds of the report", figures["report, s"], 60, "lower"
    )


def _seconds(words: list[str]) -> float:
    """Return how many seconds a command takes."""
    started = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--full", action="store_true", help="also 64 filters at 128 px")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()

    torch.set_num_threads(1)
    print(training_step.machine())
    sizes = ["16x32", "16x64", *(["64x128"] if chosen.full else [])]
    groups: list[Callable[[], Iterator[Figure]]] = [
        lambda: commands(chosen.repeats),
        lambda: reports_of_trials(chosen.repeats),
        lambda: orchestration(chosen.repeats),
        lambda: scale(chosen.repeats),
        lambda: steps(sizes, chosen.repeats),
    ]

    # Rows are printed as they come, because all of them take long.
    figures = []
    for group in groups:
        for figure in group():
            print(figure.row(), flush=True)
            figures.append(figure)

    rows = [asdict(figure) | {"met": figure.met} for figure in figures]
    # JSON has no infinity, which is the target of a peer.
    rows = [row | {"target": None} if row["target"] == float("inf") else row for row in rows]
    chosen.json.write_text(
        json.dumps({"machine": training_step.machine(), "figures": rows}, indent=1) + "\n"
    )
    sys.exit(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    main()
