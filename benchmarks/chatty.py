"""Measure trials that report often, under this program or under a plain Ray Tune script.

    python -m benchmarks.chatty ours|plain

Two trials run at once. Each makes 60 reports of 20 numbers, with 50 ms of work before each report,
so that they take 3.0 s if reports cost nothing. The plain script uses Ray's MLflow callback. The
benchmark prints the seconds from the first trial's start to the last trial's end; Ray's start and
end are left out.
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
    """Train like the trivial trainer, and note the first and last moment in `data.clock`."""
    started = time.time()
    yield from trivial_trainer.train(config, device=device, checkpoints=checkpoints)
    moments = (
        Path(str(config.data["clock"]))
        / f"{os.getpid()}-{config.seed}-{sum(config.losses.values())}"
    )
    moments.write_text(f"{started} {time.time()}")


def span(clock: Path) -> float:
    """Return the seconds from the first trial's start to the last trial's end."""
    moments = [[float(word) for word in path.read_text().split()] for path in clock.iterdir()]
    assert len(moments) == 2, moments
    return max(end for _, end in moments) - min(start for start, _ in moments)


def _data(clock: Path) -> dict[str, Any]:
    """Return the options of the trivial trainer."""
    return {"sleep_s": SLEEP_S, "values": NUMBERS, "images": False, "clock": str(clock)}


def ours(folder: Path, clock: Path) -> None:
    """Run the trials under this program."""
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
    """Run the trials under a plain Ray Tune script with its MLflow callback."""
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
    """Return the seconds of one run, which has a process of its own.

    Args:
        which: `ours` or `plain`.
    """
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
