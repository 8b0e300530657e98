"""Trials that report often, under this program and under a plain Ray Tune script with its MLflow
callback.

    python -m benchmarks.chatty ours|plain

Two trials of 60 reports of 20 numbers, 50 ms of work before each, at once: 3.0 s if reporting cost
nothing. Prints the seconds from the first trial's start to the last one's end, Ray's start and end
left out.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import trivial_trainer
from g2g_core.config import TrialConfig
from g2g_core.record import Record

STEPS, NUMBERS, SLEEP_S = 60, 20, 0.05
IDEAL_S = STEPS * SLEEP_S


def train(
    config: TrialConfig, *, device: str = "cpu", checkpoints: Path | None = None
) -> Iterator[Record]:
    """The trivial trainer, which notes its first and last moment in the folder `data.clock`."""
    started = time.time()
    yield from trivial_trainer.train(config, device=device, checkpoints=checkpoints)
    moments = (
        Path(str(config.data["clock"]))
        / f"{os.getpid()}-{config.seed}-{sum(config.losses.values())}"
    )
    moments.write_text(f"{started} {time.time()}")


def span(clock: Path) -> float:
    """Seconds from the first trial's start to the last one's end."""
    moments = [[float(word) for word in path.read_text().split()] for path in clock.iterdir()]
    assert len(moments) == 2, moments
    return max(end for _, end in moments) - min(start for start, _ in moments)


def _data(clock: Path) -> dict[str, Any]:
    return {"sleep_s": SLEEP_S, "values": NUMBERS, "images": False, "clock": str(clock)}


def ours(folder: Path, clock: Path) -> None:
    from ablate.running.study import run_study
    from benchmarks.toy_study import toy_plan

    plan = toy_plan(
        seeds=1, steps=STEPS, data=_data(clock), log_every=1, eval_every=STEPS, checkpoint_every=0
    )
    result = run_study(
        plan, folder, trainer="benchmarks.chatty:train", workers=2, report=False, quiet=True
    )
    assert result.exit_code == 0, result.messages


def plain(folder: Path, clock: Path) -> None:
    import ray
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    data = _data(clock)

    def trainable(levels: dict[str, float]) -> None:
        config = TrialConfig(
            steps=STEPS,
            eval_every=STEPS,
            checkpoint_every=0,
            data=data,
            losses={"long_recon": levels["weight"]},
        )
        for record in train(config):
            if record.values:
                tune.report(dict(record.values))

    callback = MLflowLoggerCallback(
        tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="chatty"
    )
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    settings = tune.RunConfig(storage_path=str(folder / "ray"), callbacks=[callback], verbose=0)
    tune.Tuner(
        trainable, param_space={"weight": tune.grid_search([0.0, 0.1])}, run_config=settings
    ).fit()
    ray.shutdown()


def measure(which: str) -> float:
    """Seconds of one run, in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.chatty", which]
    return float(
        subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, clock = Path(place) / "out", Path(place) / "clock"
        folder.mkdir()
        clock.mkdir()
        {"ours": ours, "plain": plain}[sys.argv[1]](folder, clock)
        print(f"\n{span(clock):.2f}")


if __name__ == "__main__":
    main()
