"""Lookup of the trainer that a study file, a study, or a trial's document names."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from ablate.reading.problems import Problem
from ablate.reading.yaml_file import Node
from ablate.study.nouns import Config, StudyError, StudySpec
from ablate.trainers.command.config import CommandConfig
from ablate.trainers.command.trainer import CommandTrainer
from ablate.trainers.core.menus import Menus
from ablate.trainers.core.trainer import ENTRY, CoreTrainer
from ablate.trainers.objects.config import ObjectConfig
from ablate.trainers.objects.load import TrainerError
from ablate.trainers.objects.trainer import ObjectTrainer
from ablate.trainers.trainer import StudyTrainer


def find_trainer(tree: Node, menus: Menus | None = None) -> StudyTrainer | Problem:
    """Return the trainer that a study file names, or the problem with the name.

    Args:
        tree: the study file, which need not be valid.
        menus: what studies of the core can choose from; None: what is installed.
    """
    trainer = tree.value.get("trainer") if isinstance(tree.value, dict) else None
    if trainer is not None and isinstance(trainer.value, dict):
        return CommandTrainer.of_tree(tree)
    if trainer is not None and isinstance(trainer.value, str) and trainer.value:
        try:
            return ObjectTrainer(trainer.value)
        except TrainerError as error:
            return Problem(("trainer",), str(error))
    return CoreTrainer(menus)


def trainer_of(spec: StudySpec, menus: Menus | None = None) -> StudyTrainer:
    """Return the trainer of a study; `menus` are the core's, by default what is installed."""
    return spec.trainer or CoreTrainer(menus)


def config_of(document: Mapping[str, Any]) -> Config:
    """Return the config that a trial's document holds.

    Args:
        document: the content of trial.json.

    Raises:
        TrainerError: the trainer is a Python object that is not installed.
        StudyError: another program made the run.
    """
    record = document.get("trainer")
    if record is None:
        return CoreTrainer().config(document["config"])
    if "judged" in record:
        raise StudyError("another program made this run, so it can't run again here")
    kind = ObjectConfig if "object" in record else CommandConfig
    return kind.from_records(document["config"], record)


def entry_of(config: Config, core: str = ENTRY) -> str:
    """Return the training run of a config, `module:function`; `core` is the one of the core."""
    return str(getattr(config, "entry", core))


def load_entry(name: str) -> Callable[..., Any]:
    """Return the function behind `module:function`."""
    module, _, function = name.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return loaded
