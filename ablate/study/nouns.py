"""The nouns of a study: factor, outcome, study, trial, plan, result.

Plain data, JSON in and out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from ablate.trainers.command.trainer import CommandTrainer

Patch = Mapping[str, Any]
"""Dotted path into the config -> value, e.g. `{"losses.long_recon": 0.1}`."""

Status = Literal["planned", "running", "finished", "diverged", "failed", "interrupted"]


class Config(Protocol):
    """What a trial's config tells those who run it, whoever trains by it; `TrialConfig` of the core
    is one."""

    @property
    def steps(self) -> int:
        """Optimisation steps; 0: not known beforehand."""
        ...

    @property
    def log_every(self) -> int:
        """Steps between records; 0: not known beforehand."""
        ...

    @property
    def checkpoint_every(self) -> int:
        """Steps between checkpoints; 0: only the last, if any."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Everything in it, with the seed, ready for JSON."""
        ...


@dataclass(frozen=True)
class Factor:
    """One thing that a study varies; the first level is the reference.

    Attributes:
        name: identity everywhere: YAML key, column `level.<name>`, tag `factor.<name>`.
        levels: label -> patch of the config.
        when: the factor varies only in cells with these levels of other factors; elsewhere it stays
            at its reference.
        ordered: whether the levels are steps of one quantity, as the study file says; None: it does
            not say.
    """

    name: str
    levels: Mapping[str, Patch]
    when: Mapping[str, str] = field(default_factory=dict)
    ordered: bool | None = None

    @property
    def reference(self) -> str:
        """The label of the first level."""
        return next(iter(self.levels))


@dataclass(frozen=True)
class Degradation:
    """When a trial counts as degraded: the metric is worse than at step 0 by `relative` for
    `patience` evaluations."""

    relative: float = 0.10
    after_step: int = 0
    patience: int = 1


@dataclass(frozen=True)
class FurtherOutcome:
    """An outcome next to the primary one.

    Attributes:
        metric: a recorded name.
        better: which direction is better.
        smallest_effect: smallest difference that matters, in the metric's unit; None: not given.
    """

    metric: str
    better: Literal["lower", "higher"]
    smallest_effect: float | None = None


@dataclass(frozen=True)
class Outcome:
    """The primary outcome and the rule of decision, fixed before the runs and hashed into the plan.

    Attributes:
        metric: name in `METRICS`, or a recorded name such as `average_mixed_l1`.
        better: which direction is better.
        summary: how a trial's curve becomes one number.
        smallest_effect: smallest difference that matters, in the metric's unit; None: no
            equivalence verdicts. On the scale `log` a ratio minus 1: 0.1 is 10 % of the value.
        degradation: the rule of onset.
        looks: numbers of seeds after which one looks whether every factor has its verdict, and
            stops if so; the last is the number of seeds. Empty: all seeds run.
        spend: how the permitted error is spent over the looks; None: `planning.spending` decides by
            the design.
        scale: whether effects are differences (`linear`) or ratios (`log`).
        also: further outcomes, a family of their own.
    """

    metric: str
    better: Literal["lower", "higher"] = "lower"
    summary: Literal["last", "best", "mean", "auc"] = "last"
    smallest_effect: float | None = None
    degradation: Degradation = field(default_factory=Degradation)
    looks: tuple[int, ...] = ()
    spend: Literal["even", "middle", "late"] | None = None
    scale: Literal["linear", "log"] = "linear"
    also: tuple[FurtherOutcome, ...] = ()


@dataclass(frozen=True)
class StudySpec:
    """A study file, read and validated.

    Attributes:
        name: folder and experiment name.
        question: what the study asks, one sentence.
        base: the config that levels are patches of (its `seed` is replaced by each of `seeds`).
        factors: in file order.
        design: `{"kind": <name in DESIGNS>, ...options}`.
        seeds: the replicates.
        outcome: primary outcome and decision rule.
        exclude: cells left out, each `{factor: level, ..., "reason": text}`.
        equal_arms: groups of cells that are meant to be equal, so that the no-op detector lets them
            pass.
        notes: free text of the author (hyper-parameter sources and the like); not part of any
            identity.
        expect: the verdict that the author expects of a factor or a level (`factor=level`); not
            part of any identity.
        trainer: the program that trains, if it is not the core.
    """

    name: str
    question: str
    base: Config
    factors: tuple[Factor, ...]
    design: Mapping[str, Any]
    seeds: tuple[int, ...]
    outcome: Outcome
    exclude: tuple[Mapping[str, str], ...] = ()
    equal_arms: tuple[tuple[Mapping[str, str], ...], ...] = ()
    notes: str = ""
    expect: Mapping[str, str] = field(default_factory=dict)
    trainer: "CommandTrainer | None" = None


@dataclass(frozen=True)
class Trial:
    """One training run of a study.

    Attributes:
        id: 12 hex digits, a digest of everything the numbers depend on; also the folder's name. The
            same trial has the same id in an extended study.
        cell_id: 12 hex digits, the same digest without the seed; equal in all replicates of a cell.
        levels: factor -> level label.
        seed: the replicate.
        config: the patched config.
        identity: part (`config`, `data`, `checkpoint`, `weights`, `code`) -> digest; `id` is the
            digest of these.
    """

    id: str
    cell_id: str
    levels: Mapping[str, str]
    seed: int
    config: Config
    identity: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """All levels and the seed, readable without the plan."""
        levels = " ".join(f"{factor}={level}" for factor, level in self.levels.items())
        return f"{levels} seed={self.seed}".strip()


@dataclass(frozen=True)
class Plan:
    """What a study would run, fixed before anything runs.

    Attributes:
        spec: the study.
        trials: in running order (all cells at the first seed, then the next seed).
        hash: digest of the trials' ids, the outcome and the decision rule.
        excluded: cells left out, with their reason.
        equal_cells: groups of level choices that give the same config; each group runs once.
        aliases: term -> terms it cannot be told from, in a fractional design.
        reference: the cell that the others are compared with.
        cells: every cell with its id; equal cells share one.
        missing: what the trials need and is not there (data, checkpoints), one line each; such
            trials cannot run.
    """

    spec: StudySpec
    trials: tuple[Trial, ...]
    hash: str
    excluded: tuple[Mapping[str, str], ...] = ()
    equal_cells: tuple[tuple[Mapping[str, str], ...], ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reference: Mapping[str, str] = field(default_factory=dict)
    cells: tuple[tuple[str, Mapping[str, str]], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended.

    Attributes:
        trial: what ran.
        status: `finished`, `diverged`, `failed` or `interrupted`.
        folder: the trial's folder: trial.json, history.jsonl, images/, checkpoints/, traceback.txt.
        error: one line, None when finished; for `diverged` the cause and step.
        fault: fault class of a failure (`bug`, `gpu_memory`, `host_memory`, `disk_full`, `data`,
            `killed`), else None.
        seconds: training time of all attempts.
        steps_done: last completed step.
    """

    trial: Trial
    status: Status
    folder: Path
    error: str | None = None
    fault: str | None = None
    seconds: float = 0.0
    steps_done: int = 0


class StudyError(Exception):
    """A mistake of the user (study file, option, data, checkpoint): one clear line, exit code 2."""
