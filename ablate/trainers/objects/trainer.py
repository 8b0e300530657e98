"""The trainer that uses a Python object: `trainer: package.module:object` in a study file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from ablate.reading.options import Schema, options_of
from ablate.reading.places import origin
from ablate.reading.problems import Problem
from ablate.reading.schema import Rules
from ablate.reading.yaml_file import Node
from ablate.study.design import Cell
from ablate.study.nouns import FurtherOutcome, Outcome, StudyError, StudySpec, Trial
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.idle import idle_factors
from ablate.trainers.objects.builder import ObjectBuilder
from ablate.trainers.objects.config import ObjectConfig
from ablate.trainers.objects.definition import Trainer
from ablate.trainers.objects.load import TrainerError, load_object
from ablate.trainers.trainer import FirstStep, Metric, Place, StudyTrainer


class ObjectTrainer(StudyTrainer):
    """Trainer that trains every trial with a Python object.

    Args:
        name: `module:object`, or the name of an installed trainer.

    Attributes:
        name: `module:object`, or the name of an installed trainer.
        trainer: the object.

    Raises:
        TrainerError: the object cannot be imported, or is not a trainer.
    """

    entry: ClassVar[str] = ObjectConfig.entry

    def __init__(self, name: str) -> None:
        self.name = name
        self.trainer: Trainer = load_object(name)

    @cached_property
    def options(self) -> dict[str, Schema]:
        """Option -> schema of its value, without the seed."""
        try:
            rules = options_of(self.trainer.config)
        except Exception as error:
            line = " ".join(str(error).split())[:200]
            raise TrainerError(f"{self.name}: config: {line}") from error
        return {option: rule for option, rule in rules.items() if option != "seed"}

    def rules(self) -> Rules:
        """Return the schemas of the study file, made from the fields of the trainer's config."""
        base = {
            "type": "object",
            "description": "the options of the trainer",
            "additionalProperties": False,
            "properties": self.options,
            "required": [name for name, rule in self.options.items() if "default" not in rule],
        }
        if not base["required"]:
            del base["required"]
        return Rules(base, {**self.options, **self._keys()}, {"enum": list(self.trainer.metrics)})

    def _keys(self) -> dict[str, Schema]:
        """Return `option.key` -> schema, for options whose keys the trainer describes."""
        rules: dict[str, Schema] = {}
        for option, choices in (self.trainer.keys() if self.trainer.keys else {}).items():
            for choice in choices.values():
                for key, rule in options_of(choice).items():
                    path = f"{option}.{key}"
                    other = rules.get(path, rule)
                    # Choices may have keys of the same name and of different kinds.
                    rules[path] = rule if other == rule else {"anyOf": [other, rule]}
        return rules

    def config(self, base: Mapping[str, Any]) -> ObjectConfig:
        """Return the config that `base:` describes, with all defaults."""
        defaults = {
            name: rule["default"] for name, rule in self.options.items() if "default" in rule
        }
        return ObjectConfig(self.name, {**defaults, **base})

    def better(self, metric: str) -> str:
        """Return the metric's better direction; `lower` if neither is better."""
        return self.trainer.metrics[metric].better or "lower"

    def outcome_problems(
        self, spec: StudySpec, outcome: Outcome | FurtherOutcome, place: Place
    ) -> list[Problem]:
        """Return problems with an outcome: its direction, or a metric that does not apply."""
        better = self.trainer.metrics[outcome.metric].better
        if better and better != outcome.better:
            return [Problem((*place, "better"), f"{outcome.metric} is better {better}")]

        patched = Patched(spec.base, spec.factors)
        why = PerLevels(patched, patched.fields, lambda v: self._not_applicable(v, outcome.metric))
        name = (*place, "metric") if isinstance(outcome, Outcome) else place
        reasons = dict.fromkeys(filter(None, why.every()))
        return [Problem(name, f"{outcome.metric} does not apply: {why}") for why in reasons]

    def _not_applicable(self, values: Mapping[str, Any], metric: str) -> str | None:
        """Return why a metric doesn't apply to these options, or None if it does."""
        if self.trainer.inapplicable is None or self._refused(values):
            return None
        return self.trainer.inapplicable(ObjectConfig(self.name, values).own(), metric)

    def problems(self, spec: StudySpec, cells: Sequence[Cell], tree: Node) -> list[Problem]:
        """Return configs that the trainer refuses, or else factors that change nothing."""
        patched = Patched(spec.base, spec.factors)
        refused = PerLevels(patched, patched.fields, self._refused)
        problems: dict[Place, Problem] = {}
        for cell in cells:
            if message := refused(cell):
                option, *keys = message.partition(":")[0].split(".")
                path = (option, *keys) if option in self.options else ()
                place = origin(path, cell, spec, tree) if path else ("base",)
                text = message.partition(":")[2].strip() if path else message
                problems.setdefault(place, Problem(place, text))
        return [*problems.values()] or self._idle(spec, cells)

    def _refused(self, values: Mapping[str, Any]) -> str | None:
        """Return why the trainer's config refuses these options, or None if it accepts them."""
        try:
            ObjectConfig(self.name, values).own()
        except (TypeError, ValueError) as error:
            return " ".join(str(error).split())
        return None

    def _idle(self, spec: StudySpec, cells: Sequence[Cell]) -> list[Problem]:
        """Return a problem for each factor whose levels give the same config in every cell."""
        builder = self.builder(spec)
        return idle_factors(
            spec,
            cells,
            lambda _: lambda cell, first: builder.cell_id(cell) != builder.cell_id(first),
        )

    def cautions(self, spec: StudySpec) -> list[str]:
        """Return the trainer's own warnings; only the trainer knows what its options mean."""
        own = self.trainer.cautions
        if own is None:
            return []
        patched = Patched(spec.base, spec.factors)
        found = PerLevels(
            patched, patched.fields, lambda values: own(ObjectConfig(self.name, values).own())
        )
        return [*dict.fromkeys(line for lines in found.every() for line in lines)]

    def builder(self, spec: StudySpec) -> ObjectBuilder:
        """Return the builder of the study's trials."""
        return ObjectBuilder(self.name, spec, self.options)

    def metrics(self, _spec: StudySpec) -> dict[str, Metric]:
        """Return the metrics that the trainer declares."""
        return dict(self.trainer.metrics)

    def work(self, trials: Sequence[Trial]) -> str:
        """Return how long each trial is, if its config says so, and who trains it."""
        steps = {trial.config.steps for trial in trials}
        number = f"{min(steps)} to {max(steps)}" if len(steps) > 1 else str(*steps)
        each = f"{number} steps each, " if all(steps) else ""
        return f"{each}trained by {self.name}"

    def record(self) -> dict[str, Any]:
        """Return the entry `trainer` of plan.json."""
        return {"object": self.name, "description": self.trainer.description}

    @property
    def first_step(self) -> Callable[[ObjectConfig, str], FirstStep] | None:
        """Function that takes the trainer's first step; None: the trainer has none."""
        own = self.trainer.first_step
        if own is None:
            return None

        def step(config: ObjectConfig, device: str) -> FirstStep:
            """Take the step; the trainer may return its result as a map."""
            result = own(config.own(), device)
            return FirstStep(**result) if isinstance(result, Mapping) else result

        return step

    def acts_later(self, config: ObjectConfig) -> bool:
        """Return whether some options of a config may act only after the first step."""
        own = self.trainer.acts_later
        return own is not None and bool(own(config.own()))

    def short(self, config: ObjectConfig, steps: int) -> ObjectConfig:
        """Return the config with only this number of steps.

        Raises:
            StudyError: the trainer's config has no field `steps`.
        """
        if "steps" not in self.options:
            raise StudyError(f"--pilot: the config of {self.name} has no field steps to shorten")
        return replace(config, options={**config.options, "steps": steps})

    def cost_kind(self, config: ObjectConfig) -> str:
        """Return all options except the number of steps, as text."""
        return repr({name: value for name, value in config.options.items() if name != "steps"})
