"""The trainer that runs any program: `trainer: {command: ..., metrics: ...}` in a study file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ablate.reading.names import patches
from ablate.reading.problems import Problem
from ablate.reading.schema import Rules
from ablate.reading.yaml_file import Node
from ablate.reading.yaml_text import as_written
from ablate.study.design import Cell
from ablate.study.nouns import Factor, FurtherOutcome, Outcome, StudyError, StudySpec, Trial
from ablate.trainers.command.builder import CommandBuilder
from ablate.trainers.command.config import CommandConfig
from ablate.trainers.command.problems import command_cautions, command_problems
from ablate.trainers.command.rules import command_rules
from ablate.trainers.command.template import METRICS, Command, written
from ablate.trainers.trainer import Metric, Place, StudyTrainer

MOST_LETTERS = 60
"""Largest number of characters of the command in a sentence about the trials."""


@dataclass(frozen=True)
class CommandTrainer(StudyTrainer):
    """Trainer that runs a program for every trial.

    Attributes:
        command: the command and the options that fill it in.
        options: `base:` of the study file.
    """

    entry: ClassVar[str] = CommandConfig.entry
    in_process: ClassVar[bool] = False

    command: Command
    options: Mapping[str, Any]

    @classmethod
    def of_tree(cls, tree: Node) -> "CommandTrainer":
        """Return the trainer of a study file whose `trainer:` is a map; it need not be valid."""
        study: Mapping[str, Node] = tree.value if isinstance(tree.value, dict) else {}
        trainer: Mapping[str, Node] = study["trainer"].value  # type: ignore[assignment]
        base = tree.plain().get("base")
        factors = written(study["factors"]) if "factors" in study else {}

        folder, text = trainer.get("folder"), trainer.get("command")
        here = text.folder if text else study["trainer"].folder
        command = Command(
            text=str(text.value) if text else "",
            metrics=str(trainer["metrics"].value) if "metrics" in trainer else METRICS,
            folder=Path(
                os.path.normpath(
                    folder.folder / Path(str(folder.value)).expanduser() if folder else here
                )
            ),
            base=written(study["base"]) if isinstance(base, dict) else {},
            factors=tuple(
                Factor(name, patches(factor))
                for name, factor in (factors.items() if isinstance(factors, dict) else ())
            ),
        )
        return cls(command, base if isinstance(base, dict) else {})

    def rules(self) -> Rules:
        """Return the schemas of the study file, made from the types of the values in `base:`."""
        return command_rules(self.options)

    def config(self, base: Mapping[str, Any]) -> CommandConfig:
        """Return the config that `base:` describes."""
        return CommandConfig(base)

    def better(self, _metric: str) -> str:
        """Return `lower`, because nothing is known about a program's metrics."""
        return "lower"

    def outcome_problems(
        self, _spec: StudySpec, _outcome: Outcome | FurtherOutcome, _place: Place
    ) -> list[Problem]:
        """Return an empty list, because a program may record any metric."""
        return []

    def problems(self, spec: StudySpec, cells: Sequence[Cell], _tree: Node) -> list[Problem]:
        """Return what is wrong with the command in any cell."""
        return command_problems(self.command, spec, cells)

    def cautions(self, _spec: StudySpec) -> list[str]:
        """Return warnings about options that the command does not name, and a missing seed."""
        return command_cautions(self.command)

    def builder(self, spec: StudySpec) -> CommandBuilder:
        """Return the builder of the study's trials."""
        return CommandBuilder(self.command, spec)

    def metrics(self, spec: StudySpec) -> dict[str, Metric]:
        """Return the outcome, the only metric that is known before the program has run."""
        metric = Metric(spec.outcome.better, description="as the program records it")
        return {spec.outcome.metric: metric}

    def work(self, _trials: Sequence[Trial]) -> str:
        """Return `each one run of` and the command, cut to `MOST_LETTERS` characters."""
        text = " ".join(self.command.text.split())
        cut = text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
        return f"each one run of `{cut}`"

    def short(self, _config: CommandConfig, _steps: int) -> CommandConfig:
        """Raise StudyError, because a program cannot be stopped after a few steps."""
        raise StudyError(
            "--pilot: a few steps of a program cannot be measured; "
            "the first trial of it tells the cost"
        )

    def record(self) -> dict[str, Any]:
        """Return the command as the study file has it."""
        return self.command.record()

    def written(self, spec: StudySpec) -> tuple[dict[str, Any], Mapping[str, Mapping[str, Any]]]:
        """Return `base:` and levels as the file writes them, because the program gets that text."""
        base, levels = super().written(spec)
        texts = {factor.name: factor.levels for factor in self.command.factors}
        return (
            as_written(base, self.command.base),
            {name: as_written(levels[name], texts[name]) for name in levels},
        )
