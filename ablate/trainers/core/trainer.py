"""The trainer that uses the core, `g2g_core`; studies use it unless they name another trainer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ablate.reading.places import origin
from ablate.reading.problems import Problem
from ablate.reading.schema import Rules
from ablate.reading.yaml_file import Node
from ablate.study.design import Cell
from ablate.study.nouns import FurtherOutcome, Outcome, StudySpec, Trial
from ablate.study.patching import Patched, PerLevels
from ablate.study.starts import is_trained
from ablate.trainers.core import checks
from ablate.trainers.core.builder import CoreBuilder
from ablate.trainers.core.menus import Menus, science_menus
from ablate.trainers.core.rules import core_rules
from ablate.trainers.idle import idle_factors
from ablate.trainers.trainer import Amounts, FirstStep, Metric, Place, StudyTrainer
from g2g_core.config import EVERY_START, TrialConfig, facts
from g2g_core.losses.common_steps import common_steps

ENTRY = "g2g_core.training.loop:train"
"""The training run of the core, as `module:function`."""


class CoreTrainer(StudyTrainer):
    """Trainer that trains with the core.

    Args:
        menus: what studies can choose from; None: what is installed.
    """

    entry: ClassVar[str] = ENTRY

    def __init__(self, menus: Menus | None = None) -> None:
        self._menus = menus

    @cached_property
    def menus(self) -> Menus:
        """Menus that study files choose from."""
        return self._menus or science_menus()

    def rules(self) -> Rules:
        """Return the schemas of the study file, made from the menus."""
        return core_rules(self.menus)

    def config(self, base: Mapping[str, Any]) -> TrialConfig:
        """Return the config that `base:` describes."""
        return TrialConfig.from_dict(base)

    def better(self, metric: str) -> str:
        """Return the metric's better direction; `lower` if neither is better."""
        return self.menus.metrics[self.menus.metric_of(metric)].better or "lower"

    def outcome_problems(
        self, spec: StudySpec, outcome: Outcome | FurtherOutcome, place: Place
    ) -> list[Problem]:
        """Return problems with an outcome: its direction, or a metric that can't be an outcome."""
        name = (*place, "metric") if isinstance(outcome, Outcome) else place
        return [
            *checks.turned(outcome, place, self.menus),
            *checks.unusable(outcome.metric, name, spec, self.menus),
        ]

    def problems(self, spec: StudySpec, cells: Sequence[Cell], tree: Node) -> list[Problem]:
        """Return conflicts between fields of any cell's config, or else factors without effect."""
        patched = Patched(spec.base, spec.factors)
        per_levels: list[Callable[[Any], list[checks.Finding]]] = [
            PerLevels(patched, fields, lambda values, check=check: check(values, self.menus))  # type: ignore[misc]
            for fields, check in checks.CHECKS
        ]

        # Many cells share a problem: it is reported once, for the place in the file that causes it.
        problems: dict[Place, Problem] = {}
        for check in (*per_levels, checks.sizes(patched, cells)):
            for cell in cells:
                for path, message in check(cell):
                    place = origin(path, cell, spec, tree)
                    problems.setdefault(place, Problem(place, message))
        return [*problems.values()] or idle_factors(
            spec, cells, lambda factor: checks.moved_by(factor, patched, self.menus)
        )

    def cautions(self, spec: StudySpec) -> list[str]:
        """Return warnings about settings that are valid but probably not intended."""
        return checks.cautions(spec)

    def builder(self, spec: StudySpec) -> CoreBuilder:
        """Return the builder of the study's trials."""
        return CoreBuilder(spec, self.menus)

    def metrics(self, _spec: StudySpec) -> dict[str, Metric]:
        """Return the metrics of the menu."""
        return {
            name: Metric(metric.better, metric.unit, metric.description)
            for name, metric in self.menus.metrics.items()
        }

    def losses(self) -> dict[str, str]:
        """Return the losses of the menu: name -> short description."""
        return {name: loss.description for name, loss in self.menus.losses.items()}

    def work(self, trials: Sequence[Trial]) -> str:
        """Return how long each trial is: `60 steps each` or `60 to 120 steps each`."""
        steps = {trial.config.steps for trial in trials}
        number = f"{min(steps)} to {max(steps)}" if len(steps) > 1 else str(*steps)
        return f"{number} steps each"

    def common_steps(self, one: Trial, other: Trial) -> int:
        """Return the number of first steps that two trials have in common, bit by bit."""
        parts = ("data", "checkpoint", "weights")
        if any(one.identity.get(part) != other.identity.get(part) for part in parts):
            return 0
        here, there = one.config, other.config
        assert isinstance(here, TrialConfig)
        assert isinstance(there, TrialConfig)
        # The identity has settled that both start from the same network, wherever its file is
        return common_steps(here, replace(there, checkpoint=here.checkpoint))

    @property
    def first_step(self) -> Callable[..., FirstStep]:
        """Function that takes the first step of a config on a device."""
        return _first_step

    @property
    def moves(self) -> Mapping[str, Sequence[str]]:
        """Name of a digest before the first step -> fields that may change the digest."""
        known = facts()
        return {
            digest: tuple(name for name, field in known.items() if digest in field.moves)
            for digest in EVERY_START
        }

    @property
    def measuring(self) -> Sequence[str]:
        """Fields that change what is measured but not how a step trains."""
        return tuple(name for name, field in facts().items() if field.measures)

    def acts_later(self, config: TrialConfig) -> bool:
        """Return whether a schedule or a warm-up makes losses act only after the first step."""
        return bool(config.schedules or config.discriminator_warmup)

    def short(self, config: TrialConfig, steps: int) -> TrialConfig:
        """Return a config of only a few steps, whose losses are all on from the first step."""
        # A checkpoint that is still to be trained doesn't change the cost
        file = None if is_trained(config.checkpoint) else config.checkpoint
        whole = replace(config, checkpoint=file, discriminator_warmup=0, schedules={})
        return replace(whole, steps=steps, eval_every=steps, log_every=1, checkpoint_every=0)

    def amounts(self, config: TrialConfig) -> Amounts:
        """Return the amount of work of a trial, counted from the intervals in its config."""
        from g2g_core.checkpoints.checkpoint_file import KEPT  # this imports torch

        evaluations = 1 + _due(config.steps, config.eval_every)
        checkpoints = min(KEPT, _due(config.steps, config.checkpoint_every))
        return Amounts(config.steps, evaluations, checkpoints, config.steps // config.log_every)

    def cost_kind(self, config: TrialConfig) -> str:
        """Return what the cost of a step depends on, as text."""
        known = facts()
        values = {name: value for name, value in config.to_dict().items() if known[name].costs}
        values["losses"] = sorted(name for name, weight in config.losses.items() if weight)
        return repr(values)


def _due(steps: int, every: int) -> int:
    """Return how often something happens that is due every `every` steps and at the end."""
    return len({steps, *(range(every, steps + 1, every) if every > 0 else ())})


def _first_step(config: TrialConfig, device: str, checkpoint: Path | None = None) -> FirstStep:
    """Take the first step of a config, and write it to a file if one is given; imports torch."""
    from g2g_core.checkpoints.checkpoint_file import KEPT
    from g2g_core.training.first_step import first_step

    step = first_step(config, device, checkpoint)
    size = KEPT * step.checkpoint_bytes
    return FirstStep(step.before, step.after, step.recorded, size, step.finite)
