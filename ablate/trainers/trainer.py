"""What a study needs of whoever trains its trials: the core, a Python object, or any command."""

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
"""A file of this name in the study's folder asks every trial to stop at its next record."""


class Stopped(Exception):
    """The study was asked to stop."""


@dataclass(frozen=True)
class Metric:
    """A number that trials record.

    Attributes:
        better: which direction is better; None: neither.
        unit: in words; empty: it has none.
        description: what it measures, one line.
    """

    better: str | None = "lower"
    unit: str = ""
    description: str = ""


@dataclass(frozen=True)
class FirstStep:
    """What one step of training starts from and leads to, as digests.

    Attributes:
        before: name (such as `initial_weights` or `data_order`) -> digest, before the step.
        after: digest of everything that the step has changed.
        recorded: the names of the metrics that the run records; empty: not known beforehand.
        checkpoint_bytes: size of a checkpoint; 0: not known.
    """

    before: Mapping[str, str] = field(default_factory=dict)
    after: str = ""
    recorded: tuple[str, ...] = ()
    checkpoint_bytes: int = 0


@dataclass(frozen=True)
class Amounts:
    """How much a trial does.

    Attributes:
        steps: of training.
        evaluations: that are timed apart from the steps.
        checkpoints: files that it keeps at its end.
        lines: records.
    """

    steps: int
    evaluations: int
    checkpoints: int
    lines: int


class Builder(Protocol):
    """Makes the trials of a study.

    Attributes:
        missing: what trials need and is not on this machine, one line each.
        sources: source file or module that some trial uses -> digest of its code.
    """

    missing: list[str]
    sources: dict[str, str]

    def cell_id(self, cell: Cell) -> str:
        """Return the id of a cell."""
        ...

    def trial(self, id_: str, cell: Cell, seed: int) -> Trial:
        """Return the trial of a cell, of which `cell_id` gave the id, and a seed."""
        ...


class StudyTrainer(ABC):
    """What trains the trials of one study.

    Attributes:
        entry: the training run as `module:function`, which a worker calls as
            `function(config, device=..., checkpoints=...)` and which yields records.
        in_process: whether it trains in the process that calls it.
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
        """Return the direction of a metric for which the study file gives none."""

    @abstractmethod
    def outcome_problems(
        self, spec: StudySpec, outcome: Outcome | FurtherOutcome, place: Place
    ) -> list[Problem]:
        """Return what is wrong with an outcome, which the study file has at a place."""

    @abstractmethod
    def problems(self, spec: StudySpec, cells: Sequence[Cell], tree: Node) -> list[Problem]:
        """Return what is wrong with the configs of the cells."""

    @abstractmethod
    def cautions(self, spec: StudySpec) -> list[str]:
        """Return what runs as it is written and is hardly meant, one line each."""

    # What would run.

    @abstractmethod
    def builder(self, spec: StudySpec) -> Builder:
        """Return what makes the trials of the study."""

    @abstractmethod
    def metrics(self, spec: StudySpec) -> Mapping[str, Metric]:
        """Return the metrics that are known before any trial has run, by name."""

    @abstractmethod
    def work(self, trials: Sequence[Trial]) -> str:
        """Return what each trial does, in words: `60 steps each`."""

    def losses(self) -> Mapping[str, str]:
        """Return the loss terms that the report may explain: name -> one line."""
        return {}

    def record(self) -> dict[str, Any] | None:
        """Return the entry `trainer` of plan.json and of a study file; None: the core trains."""
        return None

    def written(self, spec: StudySpec) -> tuple[dict[str, Any], Mapping[str, Mapping[str, Any]]]:
        """Return `base:` and the levels of every factor as a study file has them."""
        base = spec.base.to_dict()
        base.pop("seed", None)
        return base, {factor.name: factor.levels for factor in spec.factors}

    # What can be tried before hours are spent.

    @property
    def first_step(self) -> Callable[[Any, str], FirstStep] | None:
        """The first step of a config on a device; None: this trainer has none to try."""
        return None

    @property
    def moves(self) -> Mapping[str, Sequence[str]]:
        """Digest before the first step -> the fields of the config that may change it."""
        return {}

    @property
    def measuring(self) -> Sequence[str]:
        """Fields of the config that change what is measured, not how a step trains."""
        return ()

    def acts_later(self, _config: Any) -> bool:
        """Return whether what a config sets may act only after the first step."""
        return False

    def short(self, config: Any, _steps: int) -> Config:
        """Return a config of a few steps that costs as much per step.

        Raises:
            StudyError: a few steps of this trainer cannot be measured.
        """
        raise StudyError(f"--pilot: a few steps of {type(config).__name__} cannot be measured")

    def amounts(self, config: Any) -> Amounts:
        """Return how much a trial with this config does."""
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
