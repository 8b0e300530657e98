"""All values that one training run depends on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

Option: TypeAlias = bool | int | float | str | tuple[int | float | str, ...] | None


EVERY_START = ("initial_weights", "data", "data_order", "eval_pairs")
"""Digests of what a run starts from."""


SOURCES = ("init", "order", "augmentation", "pairs")
"""What the seed of a run moves: initial weights, order of the data, augmentation, and the pairs
that are evaluated."""


@dataclass(frozen=True)
class Facts:
    """What else is known of a field of the config; everything that asks reads it here.

    Attributes:
        limits: Keywords of a JSON Schema for what the field's type does not express.
        neutral: No number of a run depends on it.
        measures: It changes what is measured, but not how a step trains.
        costs: It may change the cost of a step.
        may_change: It may differ between the attempts of one run.
        data: It decides whether the data can be used.
        names_files: Files may be named in it, or in the options that it chooses.
        moves: Digests of what a run starts from that it may move, of `EVERY_START`.
        depends_on: Other fields that its meaning depends on.
        added: It came later than its neighbors. At its default it trains as configs without it do,
            so it is left out of the identity, and those keep their ids.
    """

    limits: Mapping[str, Any] = field(default_factory=dict)
    neutral: bool = False
    measures: bool = False
    costs: bool = True
    may_change: bool = False
    data: bool = False
    names_files: bool = False
    moves: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    added: bool = False


def _option(default: Any, **known: Any) -> Any:
    """Return a field with its default and its facts; all other keywords are limits."""
    names = {entry.name for entry in fields(Facts)}
    limits = {name: known.pop(name) for name in list(known) if name not in names}
    metadata = {"facts": Facts(limits=limits, **known)}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class TrialConfig:
    """Everything that one training run depends on.

    Identical configs give bit-identical results on one device.

    Attributes:
        model: name in `MODELS`.
        network: sizes of the model's networks; the keys are the fields of the model's own options.
        dataset: name in `DATASETS`.
        data: options of the dataset (folder, list files, ...); the keys are the fields of its own
            options.
        image_size: side of the square training image, pixels.
        batch_size: pairs per step (images per side of the pair: B).
        checkpoint: file that training starts from; None starts fresh. A study may describe a file
            that it trains first, as a mapping; its trials get the file.
        restore: which parts of the checkpoint to use, of `PARTS`; what is not named starts fresh.
        losses: weight of each active term of `LOSSES` (generator) and, with the prefix `d_`, of the
            discriminator. A term that is absent is off and costs nothing; 0 is the same as absent.
        schedules: term -> `{kind: ramp | delay, start: step, end: step}`, a factor on the term's
            weight; absent is constant. `ramp` rises linearly from 0 at `start` to 1 at `end`;
            `delay` is 0 before `start`.
        steps: optimisation steps.
        optimizer: `rmsprop` (FUNIT: alpha 0.99, eps 1e-8) or `adam` (naive, CycleFUNIT: betas 0.9,
            0.999).
        lr_generator: learning rate of the generator.
        lr_discriminator: learning rate of the discriminator.
        weight_decay: L2 weight decay added to the gradient.
        ema_decay: decay per step of the averaged generator; None keeps no average.
        discriminator_warmup: steps in which only the discriminator is updated, counted from step 0.
        eval_every: steps between evaluations; step 0 and the last step are always evaluated.
        eval_pairs: number of fixed evaluation pairs, kept apart from training.
        eval_shots: images of a class whose mean class code makes the evaluated mixed images
            (k-shot; 1: one-shot).
        evaluate: weights that are evaluated, of `raw`, `average`; the first one gives the plain
            `metric/<name>`, the other `metric/<raw|average>_<name>`.
        metrics: names in `METRICS`; empty means the dataset's usual ones.
        stop_beyond: recorded metric -> bound; the run ends early, as finished, at the first
            evaluation after step 0 at which the metric is worse than it.
        checkpoint_every: steps between checkpoints of the run itself; 0 keeps only the last.
        log_every: steps between records of the losses.
        seed: the number that fixes the random choices; trials with the same seed share initial
            weights, data order, augmentation, and evaluation pairs.
        threads: CPU threads of the step; part of the identity, since 1 and 2 threads give other
            bits.
        precision: `float32`, `float64` or `bfloat16` (mixed).
        channels_last: memory layout of images and convolutions.
        tf32: whether a GPU computes convolutions and products of float32 in TF32, which is several
            times as fast and rounds to 10 bits; without effect on a CPU.
        deterministic: whether a GPU adds numbers in a fixed order, so that a repeated trial is
            identical on a card of the same kind; slower; a CPU always does.
        vary: what the seed moves, of `init` (initial weights of what is fresh), `order` (of the
            images), `augmentation`, and `pairs` (which are evaluated). The rest is the same
            for all seeds, as with seed 0.
    """

    model: str = _option("funit2funit", moves=("initial_weights", "data_order"), names_files=True)
    network: Mapping[str, Option] = _option(
        {}, moves=("initial_weights",), depends_on=("model",), names_files=True
    )
    dataset: str = _option("synthetic", moves=EVERY_START, data=True, names_files=True)
    data: Mapping[str, Option] = _option(
        {},
        moves=("data", "data_order", "eval_pairs"),
        depends_on=("dataset",),
        data=True,
        names_files=True,
    )
    image_size: int = _option(32, minimum=4, maximum=8192, moves=EVERY_START, data=True)
    batch_size: int = _option(4, minimum=1, maximum=65536, moves=("data_order",), data=True)
    checkpoint: str | Mapping[str, Any] | None = _option(
        None, format="path", moves=("initial_weights",), costs=False, names_files=True
    )
    restore: tuple[str, ...] = _option(
        ("generator", "average", "discriminator", "optimizers"),
        moves=("initial_weights",),
        depends_on=("checkpoint",),
        costs=False,
    )
    losses: Mapping[str, float] = _option({})
    schedules: Mapping[str, Mapping[str, str | int]] = _option(
        {}, depends_on=("losses",), costs=False
    )
    steps: int = _option(
        100,
        minimum=1,
        maximum=10_000_000,
        moves=("data_order",),
        measures=True,
        costs=False,
        may_change=True,
    )
    optimizer: str = _option("rmsprop", enum=["rmsprop", "adam"])
    lr_generator: float = _option(1e-4, minimum=0, costs=False)
    lr_discriminator: float = _option(1e-4, minimum=0, costs=False)
    weight_decay: float = _option(1e-4, minimum=0, costs=False)
    ema_decay: float | None = _option(0.999, minimum=0, maximum=1, moves=("initial_weights",))
    discriminator_warmup: int = _option(0, minimum=0, costs=False)
    eval_every: int = _option(50, minimum=1, measures=True, costs=False)
    eval_pairs: int = _option(
        32, minimum=1, maximum=100_000, moves=("eval_pairs",), measures=True, data=True
    )
    eval_shots: int = _option(
        1, minimum=1, maximum=100, moves=("eval_pairs",), measures=True, data=True
    )
    evaluate: tuple[str, ...] = _option(("raw", "average"), measures=True)
    metrics: tuple[str, ...] = _option((), measures=True)
    stop_beyond: Mapping[str, float] = _option({}, measures=True)
    checkpoint_every: int = _option(
        100, minimum=0, neutral=True, measures=True, costs=False, may_change=True
    )
    log_every: int = _option(1, minimum=1, measures=True, costs=False)
    seed: int = _option(0, minimum=0, costs=False)
    threads: int = _option(1, minimum=1, maximum=1024)
    precision: str = _option(
        "float32", enum=["float32", "float64", "bfloat16"], moves=("initial_weights",)
    )
    channels_last: bool = _option(False)
    tf32: bool = _option(True, added=True)
    deterministic: bool = _option(False, added=True)
    vary: tuple[str, ...] = _option(SOURCES, added=True, costs=False, moves=EVERY_START)

    def seed_of(self, source: str) -> int:
        """Return the seed of one of `SOURCES`: the run's, or 0 if the seed doesn't move it."""
        return self.seed if source in self.vary else 0

    def to_dict(self) -> dict[str, Any]:
        """Return the config as nested dicts and lists that fit into JSON."""
        return {f.name: _thaw(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrialConfig":
        """Return the config that `to_dict` wrote.

        Raises:
            TypeError: an unknown key.
        """
        frozen: dict[str, Any] = {name: _freeze(value) for name, value in values.items()}
        return cls(**frozen)


def facts() -> dict[str, Facts]:
    """Return the facts of every field of `TrialConfig`, in the order of the fields."""
    return {entry.name: entry.metadata["facts"] for entry in fields(TrialConfig)}


def canonical(field: str, values: Mapping[str, Any]) -> Any:
    """Return a field in the one form that the numbers depend on.

    Configs that train identically may be written differently, for example with a loss at weight 0
    or without that loss. Their canonical values are the same.

    Args:
        field: name of the field.
        values: the plain config, as `to_dict` returns it.
    """
    value = values[field]
    if field == "losses":
        return {name: float(weight) for name, weight in value.items() if weight}
    if field == "schedules":
        return {
            name: {"start": 0, **schedule}
            for name, schedule in value.items()
            if schedule and schedule.get("kind") != "constant" and values["losses"].get(name)
        }
    if field == "stop_beyond":
        return {name: float(bound) for name, bound in value.items()}
    if field == "checkpoint":
        return value is not None
    if field == "restore":
        return sorted(value) if values["checkpoint"] is not None else []
    if field == "vary":
        return [source for source in SOURCES if source in value]
    return sorted(value) if field == "metrics" else value


def prefixes(evaluate: Sequence[str], keeps_average: bool) -> dict[str, str]:
    """Return the evaluated weights, each with the prefix of its metric names.

    The first weights that the model has get no prefix.

    Args:
        evaluate: `raw` and `average`, in the order of the config.
        keeps_average: whether the model keeps an averaged generator.
    """
    available = [which for which in evaluate if which != "average" or keeps_average]
    return {which: "" if which == available[0] else f"{which}_" for which in available}


def _thaw(value: Any) -> Any:
    """Return mappings as dicts and tuples as lists, at all depths."""
    if isinstance(value, Mapping):
        return {key: _thaw(item) for key, item in value.items()}
    return [_thaw(item) for item in value] if isinstance(value, tuple | list) else value


def _freeze(value: Any) -> Any:
    """Return lists as tuples, at all depths: the reverse of `_thaw`."""
    if isinstance(value, Mapping):
        return {key: _freeze(item) for key, item in value.items()}
    return tuple(_freeze(item) for item in value) if isinstance(value, tuple | list) else value
