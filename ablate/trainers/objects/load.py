"""Finds the Python object that a study file names as its trainer."""

import importlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import EntryPoint
from typing import Any

from ablate.reading.problems import did_you_mean
from ablate.study.nouns import StudyError
from ablate.trainers.objects.definition import Trainer
from ablate.trainers.trainer import Metric
from g2g_base.plugins import Group, PluginError

GROUP = Group(
    "g2g_ablate.trainers",
    "a trainer: an object with config, train, and metrics",
    lambda _, trainer: all(hasattr(trainer, part) for part in ("config", "train", "metrics")),
)
"""Entry points that a study file can name as its trainer by their name alone."""


BUILT_IN = {
    name: EntryPoint(name, f"g2g_core.systems.{name}:trainer", GROUP.name)
    for name in ("lord", "fader", "mokady")
}
"""Systems of this package that a study file can name in the same way."""


class TrainerError(StudyError):
    """What a study file names as its trainer cannot be used."""


def place_of(name: str) -> str:
    """Return `module:object` of a trainer.

    Args:
        name: `module:object`, or the name of an installed trainer.

    Raises:
        TrainerError: no installed trainer has this name, or several have it.
    """
    return name if ":" in name else _entry(name).value


def named_trainers() -> dict[str, EntryPoint]:
    """Return the trainers that have a name: built-in ones, then those of installed packages.

    Raises:
        PluginError: a package gives a trainer a name that is taken.
    """
    return {**BUILT_IN, **GROUP.entries(BUILT_IN)}


def _entry(name: str) -> EntryPoint:
    """Return the entry point of an installed trainer."""
    try:
        known = named_trainers()
    except PluginError as error:
        raise TrainerError(str(error)) from error
    if name not in known:
        hint = did_you_mean(name, known) or "; write package.module:object"
        raise TrainerError(f"{name}: no installed trainer has this name{hint}")
    return known[name]


@cache
def load_object(name: str) -> Trainer:
    """Return the trainer of this name.

    Args:
        name: `module:object`, or the name of an installed trainer.

    Raises:
        TrainerError: it cannot be imported, or is not a trainer.
    """
    if ":" not in name:
        # An error of the study file, which has a line that names the trainer.
        try:
            return _checked(name, GROUP.load(_entry(name)))
        except PluginError as error:
            raise TrainerError(str(error)) from error

    module, _, attribute = name.partition(":")
    try:
        loaded: Any = importlib.import_module(module)
        for part in attribute.split("."):
            loaded = getattr(loaded, part)
    except Exception as error:
        line = " ".join(str(error).split())
        raise TrainerError(f"{name}: {type(error).__name__}: {line}") from error
    return _checked(name, loaded)


def _checked(name: str, loaded: Any) -> Trainer:
    """Return an object, or the module that offers the same names, as a trainer."""
    try:
        trainer = Trainer(
            config=loaded.config,
            train=loaded.train,
            metrics={key: _metric(one) for key, one in dict(loaded.metrics).items()},
            description=str(getattr(loaded, "description", "")),
            data_digest=getattr(loaded, "data_digest", None),
            first_step=getattr(loaded, "first_step", None),
            modules=getattr(loaded, "modules", None),
            keys=getattr(loaded, "keys", None),
            inapplicable=getattr(loaded, "inapplicable", None),
            cautions=getattr(loaded, "cautions", None),
            acts_later=getattr(loaded, "acts_later", None),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise TrainerError(f"{name}: is not a trainer: {error}") from error
    if not (isinstance(trainer.config, type) and is_dataclass(trainer.config)):
        raise TrainerError(f"{name}: config must be a dataclass")
    if "seed" not in {entry.name for entry in fields(trainer.config)}:
        raise TrainerError(f"{name}: config needs a field seed, or all replicates are the same run")
    if not callable(trainer.train):
        raise TrainerError(f"{name}: train must be a function")
    if not trainer.metrics:
        raise TrainerError(f"{name}: metrics are empty, so a study has no outcome")
    return trainer


def _metric(metric: Any) -> Metric:
    """Return a metric given as one, or as a map of its fields."""
    return Metric(**metric) if isinstance(metric, Mapping) else metric
