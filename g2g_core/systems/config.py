"""The options that all systems have in common: data, steps, evaluation, and records."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from g2g_core.config import Option, TrialConfig
from g2g_core.data import all_datasets
from g2g_core.data.options import options_of
from g2g_core.data.pairs import Data

NEUTRAL = {"neutral": True}
"""Metadata of an option that doesn't change any number."""

LEAST = {
    "image_size": 4,
    "batch_size": 1,
    "steps": 1,
    "eval_every": 1,
    "eval_pairs": 1,
    "eval_shots": 1,
    "checkpoint_every": 0,
    "log_every": 1,
    "threads": 1,
}
"""Smallest value of each shared option that is a number."""


@dataclass(frozen=True, kw_only=True)
class SystemConfig:
    """Options that all systems have in common.

    They mean the same as in studies of G2G.

    Attributes:
        dataset: name of a dataset, such as `synthetic`.
        data: options of the dataset.
        image_size: side of the square images, pixels.
        batch_size: images per step.
        steps: optimization steps, of all stages together.
        metrics: names of metrics; empty means the dataset's usual ones.
        eval_every: steps between evaluations; step 0 and the last step are always evaluated.
        eval_pairs: number of fixed evaluation pairs, kept apart from training.
        eval_shots: images of a class whose mean class code makes the evaluated mixed images.
        eval_split: classes of the evaluation pairs. `test`: new classes, if the dataset keeps some
            apart. `train`: the training classes.
        checkpoint_every: steps between checkpoints; 0 keeps only the last.
        log_every: steps between records of the losses.
        seed: the replicate.
        threads: CPU threads of the step.
        precision: `float32` or `float64`.
    """

    dataset: str = "synthetic"
    data: Mapping[str, Option] = field(default_factory=dict)
    image_size: int = 32
    batch_size: int = 16
    steps: int = 100
    metrics: tuple[str, ...] = ()
    eval_every: int = 50
    eval_pairs: int = 32
    eval_shots: int = 1
    eval_split: Literal["test", "train"] = "test"
    checkpoint_every: int = field(default=100, metadata=NEUTRAL)
    log_every: int = 1
    seed: int = 0
    threads: int = 1
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        require(self, LEAST)
        known = all_datasets()
        if self.dataset not in known:
            raise ValueError(f"dataset: {self.dataset!r} is not one of {', '.join(known)}")
        options_of(self.trial(), known[self.dataset].options)

    def trial(self) -> TrialConfig:
        """Return what datasets and metrics need to know, as a config of the core."""
        shared = {f.name for f in fields(TrialConfig)} & {f.name for f in fields(SystemConfig)}
        values: dict[str, Any] = {name: getattr(self, name) for name in shared}
        return TrialConfig.from_dict({**values, "evaluate": ("raw",), "ema_decay": None})

    def make_data(self) -> Data:
        """Return the dataset.

        Raises:
            DataError: it can't be used.
        """
        config = self.trial()
        return all_datasets()[config.dataset](config)


def require(options: object, least: Mapping[str, float]) -> None:
    """Raise ValueError if a number among the options is too small.

    Args:
        options: a dataclass.
        least: name of an option -> its smallest value.
    """
    for name, smallest in least.items():
        if not (value := getattr(options, name)) >= smallest:
            raise ValueError(f"{name}: {value} must be at least {smallest}")
