"""A trainer whose trials take milliseconds, for studies with thousands of trials."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ablate import Metric, Trainer


@dataclass(frozen=True)
class Config:
    """Options of the training run.

    Attributes:
        rate: moves the error.
        width: moves the error.
        sleep_s: seconds per step.
        steps: steps of training.
        seed: the replicate.
    """

    rate: float = 0.0
    width: int = 1
    sleep_s: float = 0.0
    steps: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sleep_s < 0:
            raise ValueError("sleep_s: must not be negative")


def train(config: Config, checkpoints: Path) -> Iterator[dict[str, float]]:
    """Yield an error for every step that depends on the config and the step alone.

    So a trial that was interrupted ends with the numbers of an undisturbed one.

    Args:
        config: the trial.
        checkpoints: folder of the checkpoint.
    """
    last = checkpoints / "last.json"
    done = json.loads(last.read_text())["step"] if last.exists() else -1
    for step in range(done + 1, config.steps + 1):
        time.sleep(config.sleep_s)
        noise = math.sin(997.0 * (config.seed + 1) + 31.0 * config.width + step)
        error = math.exp(-step / 50) + config.rate - 0.01 * config.width + 0.02 * noise
        yield {"step": step, "error": error}
        # Renaming is atomic: a kill in the middle of the write leaves the older file
        new = checkpoints / "new.json"
        new.write_text(json.dumps({"step": step}))
        new.replace(last)


trainer = Trainer(Config, train, {"error": Metric("lower", "", "an error that nobody measured")})
"""The trainer, as study files name it."""
