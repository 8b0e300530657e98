"""Finds the Python object that a study file names as its trainer."""

import importlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ablate.reading.problems import did_you_mean
from ablate.study.nouns import StudyError
from ablate.trainers.objects.definition import Trainer
from ablate.trainers.trainer import Metric

GROUP = "g2g_ablate.trainers"
"""Entry points of this group are trainers that a study file can name by their name alone."""


class TrainerError(StudyError):
    """What a study file names as its trainer cannot be used."""


def installed() -> dict[str, EntryPoint]:
    """Return the trainers that installed packages offer, by name."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)}


def place_of(name: str) -> str:
    """Return `module:object` of a trainer.

    Args:
        name: `module:object`, or the name of an installed trainer.

    Raises:
        TrainerError: no installed trainer has this name.
    """
    if ":" in name:
        return name
    known = installed()
    if name not in known:
        hint = did_you_mean(name, known) or "; write package.module:object"
        raise TrainerError(f"{name}: no installed trainer has this name{hint}")
    return known[name].value


@cache
def load_object(name: str) -> Trainer:
    """Return the trainer of this name.

    Args:
        name: `module:object`, or the name of an installed trainer.

    Raises:
        TrainerError: it cannot be imported, or is not a trainer.
    """
    module, _, attribute = place_of(name).partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        line = " ".join(str(error).split())
        raise TrainerError(f"{name}: {type(error).__name__}: {line}") from error
    return _checked(name, found)


def _checked(name: str, found: Any) -> Trainer:
    """Return an object, or the module that offers the same names, as a trainer."""
    try:
        trainer = Trainer(
            config=found.config,
            train=found.train,
            metrics={key: _metric(one) for key, one in dict(found.metrics).items()},
            description=str(getattr(found, "description", "")),
            data_digest=getattr(found, "data_digest", None),
            first_step=getattr(found, "first_step", None),
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
