"""The interface that every trainer offers to studies: the core, a Python object, any command."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from ablate.reading.problems import Problem
from ablate.reading.schema import Rules
from ablate.reading.yaml_file import Node
from ablate.study.design import Cell
from ablate.study.nouns import Config, FurtherOutcome, Outcome, StudyError, StudySpec, Trial

Place = tuple[str | int, ...]
"""A path into a study file."""

STOP = "stop"
"""Name of a file in the study's folder that asks every trial to stop at its next record."""


@dataclass(frozen=True)
class Metric:
    """A number that trials record.

    Attributes:
        better: the better direction, `lower` or `higher`; None: neither.
        unit: the unit in words; empty: the metric has no unit.
        description: what the metric measures, on a single line.
    """

    better: str | None = "lower"
    unit: str = ""
    description: str = ""


@dataclass(frozen=True)
class FirstStep:
    """State before and after one training step, as digests.

    Attributes:
        before: name (such as `initial_weights` or `data_order`) -> digest, before the step.
        after: digest of everything that the step has changed.
        recorded: names of the metrics that the run records; empty: not known beforehand.
        checkpoint_bytes: size of the checkpoints that a trial keeps; 0: not known.
        finite: whether all losses and gradients of the step are finite.
    """

    before: Mapping[str, str] = field(default_factory=dict)
    after: str = ""
    recorded: tuple[str, ...] = ()
    checkpoint_bytes: int = 0
    finite: bool = True


@dataclass(frozen=True)
class Amounts:
    """Amount of work that a trial does.

    Attributes:
        steps: number of training steps.
        evaluations: number of evaluations that are timed separately from the steps.
        checkpoints: number of checkpoint files that the trial keeps.
        lines: number of lines in the trial's history.
    """

    steps: int
    evaluations: int
    checkpoints: int
    lines: int


class Builder(Protocol):
    """Interface of the objects that make the trials of a study.

    Attributes:
        missing: one message for each thing that trials need and this machine lacks.
        sources: source file or module that some trial uses -> digest of its code.
        cautions: one message for each dataset that can be used but looks suspicious.
    """

    missing: list[str]
    cautions: list[str]
    sources: dict[str, str]

    def cell_id(self, cell: Cell) -> str:
        """Return the id of a cell."""
        ...

    def trial(self, id_: str, cell: Cell, seed: int) -> Trial:
        """Return the trial of a cell and a seed; `id_` is what `cell_id` returned for the cell."""
        ...


class StudyTrainer(ABC):
    """Base class of trainers, which train the trials of one study.

    Attributes:
        entry: the training run as `module:function`. A worker calls it as
            `function(config, device=..., checkpoints=...)`, and it yields records.
        in_process: whether the training run trains in the process that calls it.
    """

    entry: ClassVar[str]
    in_process: ClassVar[bool] = True

    # What a study file may say.

    @abstractmethod
    def rules(self) -> Rules:
        """Return the schemas of the parts of a study file that depend on the trainer."""

    @abstractmethod
    def config(self, base: Mapping[str, Any]) -> Config:
        """Return the config that `base:` describes."""

    @abstractmethod
    def better(self, metric: str) -> str:
        """Return the better direction of a metric for which the study file gives none."""

    @abstractmethod
    def outcome_problems(
        self, spec: StudySpec, outcome: Outcome | FurtherOutcome, place: Place
    ) -> list[Problem]:
        """Return what is wrong with an outcome, which is at `place` in the study file."""

    @abstractmethod
    def problems(self, spec: StudySpec, cells: Sequence[Cell], tree: Node) -> list[Problem]:
        """Return what is wrong with the configs of the cells."""

    @abstractmethod
    def cautions(self, spec: StudySpec) -> list[str]:
        """Return warnings about settings that are valid but probably not intended."""

    # What would run.

    @abstractmethod
    def builder(self, spec: StudySpec) -> Builder:
        """Return the builder of the study's trials."""

    @abstractmethod
    def metrics(self, spec: StudySpec) -> Mapping[str, Metric]:
        """Return the metrics that are known before any trial has run, by name."""

    @abstractmethod
    def work(self, trials: Sequence[Trial]) -> str:
        """Return the work of each trial in words, for example `60 steps each`."""

    def losses(self) -> Mapping[str, str]:
        """Return the loss terms that the report may explain: name -> short description."""
        return {}

    def record(self) -> dict[str, Any] | None:
        """Return the entry `trainer` of plan.json and of a study file; None for the core."""
        return None

    def written(self, spec: StudySpec) -> tuple[dict[str, Any], Mapping[str, Mapping[str, Any]]]:
        """Return `base:` and factor -> level -> patch as a study file writes them."""
        base = spec.base.to_dict()
        base.pop("seed", None)
        return base, {factor.name: factor.levels for factor in spec.factors}

    def common_steps(self, _one: Trial, _other: Trial) -> int:
        """Return the number of first steps that two trials have in common, bit by bit."""
        return 0

    # What can be tried before hours are spent.

    @property
    def first_step(self) -> Callable[..., FirstStep] | None:
        """Function that takes the first step of a config on a device; None: not available.

        A trainer whose checkpoints other studies can start from also takes a path, and writes a
        checkpoint of the step to it.
        """
        return None

    @property
    def moves(self) -> Mapping[str, Sequence[str]]:
        """Name of a digest before the first step -> fields of the config that may change it."""
        return {}

    @property
    def measuring(self) -> Sequence[str]:
        """Fields of the config that change what is measured but not how a step trains."""
        return ()

    def acts_later(self, _config: Any) -> bool:
        """Return whether some options of a config may act only after the first step."""
        return False

    def short(self, config: Any, _steps: int) -> Config:
        """Return a config of only a few steps that cost as much as those of the whole config.

        Raises:
            StudyError: a few steps of this trainer cannot be measured.
        """
        raise StudyError(f"--pilot: a few steps of {type(config).__name__} cannot be measured")

    def amounts(self, config: Any) -> Amounts:
        """Return the amount of work of a trial with this config."""
        return Amounts(config.steps, 0, 1, config.steps)

    def cost_kind(self, config: Any) -> str:
        """Return a text that is the same for configs whose steps cost the same."""
        return repr(config)


def metric_record(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Any]]:
    """Return metrics as plan.json has them."""
    return {
        name: {"better": metric.better, "unit": metric.unit, "description": metric.description}
        for name, metric in metrics.items()
    }
