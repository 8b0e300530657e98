"""The nouns of a study: factor, outcome, study, trial, plan, and result.

They are plain data that can be written to JSON and read back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from ablate.trainers.trainer import StudyTrainer

Patch = Mapping[str, Any]
"""Dotted path into the config -> value, for example `{"losses.long_recon": 0.1}`."""

Status = Literal["planned", "running", "finished", "diverged", "failed", "interrupted"]


class Config(Protocol):
    """Config of a trial, as far as those who run the trial need to know it.

    Every trainer has its own; that of the core is `TrialConfig`.
    """

    @property
    def steps(self) -> int:
        """Optimization steps; 0 if the number isn't known beforehand."""
        ...

    @property
    def log_every(self) -> int:
        """Steps between records; 0 if the number isn't known beforehand."""
        ...

    @property
    def checkpoint_every(self) -> int:
        """Steps between checkpoints; 0 if there is only the last one, or none."""
        ...

    @property
    def threads(self) -> int:
        """Number of CPU threads."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return all values, including the seed, ready for JSON."""
        ...


@dataclass(frozen=True)
class Factor:
    """One thing that a study varies; the first level is the reference.

    Attributes:
        name: used everywhere: as YAML key, in column `level.<name>`, in tag `factor.<name>`.
        levels: label -> patch of the config.
        when: levels of other factors. The factor varies only in cells that have them, and stays at
            its reference in all other cells.
        ordered: whether the levels are steps of one quantity; None if the study file does not say.
        code: its letter in the codes of arms; None if the study file does not say.
        words: its plain names in reports: `label`, `description`, and by level `labels` and
            `descriptions`; not part of any identity.
    """

    name: str
    levels: Mapping[str, Patch]
    when: Mapping[str, str] = field(default_factory=dict)
    ordered: bool | None = None
    code: str | None = None
    words: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The label of the first level."""
        return next(iter(self.levels))


@dataclass(frozen=True)
class Degradation:
    """Rule for when a trial counts as degraded, that is, as worse than at step 0.

    Attributes:
        relative: how much worse, as a share of the value at step 0.
        after_step: evaluations up to this step do not count.
        patience: number of evaluations in a row that must be worse.
    """

    relative: float = 0.10
    after_step: int = 0
    patience: int = 1


@dataclass(frozen=True)
class FurtherOutcome:
    """An outcome in addition to the primary one.

    Attributes:
        metric: name of a recorded metric.
        better: which direction is better.
        smallest_effect: smallest difference that matters, in the metric's unit, or None.
    """

    metric: str
    better: Literal["lower", "higher"]
    smallest_effect: float | None = None


@dataclass(frozen=True)
class Outcome:
    """The primary outcome and the decision rule, hashed into the plan before any trial runs.

    Attributes:
        metric: name in `METRICS`, or a recorded name such as `average_mixed_l1`.
        better: which direction is better.
        summary: how a trial's curve becomes one number.
        smallest_effect: smallest difference that matters, in the metric's unit. On the scale `log`
            it is a ratio minus 1, so 0.1 means 10% of the value. Without it (None), no verdict is
            `equivalent`.
        degradation: rule for when a trial counts as degraded.
        looks: numbers of seeds after which the study stops if every factor has its verdict; the
            last is the number of all seeds. If empty, all seeds run.
        spend: how the permitted error is spread over the looks; None leaves it to
            `planning.spending`, which decides by the design.
        scale: whether effects are differences (`linear`) or ratios (`log`).
        also: further outcomes, corrected for multiple comparisons as a family of their own.
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
        name: name of the study's folder and of its MLflow experiment.
        question: what the study asks, one sentence.
        base: the config that levels are patches of (its `seed` is replaced by each of `seeds`).
        factors: in the order of the file.
        design: `{"kind": <name of a design>, ...options}`.
        seeds: every cell is trained once with each of them; with `networks` in its checkpoint, once
            with each of them and each network.
        outcome: primary outcome and decision rule.
        exclude: cells to leave out, each `{factor: level, ..., "reason": text}`.
        equal_arms: groups of cells that are meant to train identically, so that the
            check for such cells accepts them.
        notes: free text of the author, such as sources of hyperparameters; not part of any
            identity.
        expect: factor, or `factor=level` -> the verdict that the author expects; not part of any
            identity.
        words: plain names in reports: the `label` and `description` of the study, and those of its
            `metrics` by name; not part of any identity.
        trainer: the trainer; None stands for the core.
        trains: the studies that this one starts from, which its checkpoints describe; the keys are
            those of `ablate.study.starts`.
        tune: the value of the config that every arm chooses; None: every value is given.
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
    words: Mapping[str, Any] = field(default_factory=dict)
    trainer: "StudyTrainer | None" = None
    trains: "Mapping[str, StudySpec]" = field(default_factory=dict)
    tune: "Tuning | None" = None


@dataclass(frozen=True)
class Tuning:
    """A value of the config that every arm chooses among the same tries.

    Attributes:
        path: dotted path of the value.
        study: the study of the tries: every arm with every value, on seeds that decide no verdict.
        factor: the factor of that study whose levels are the values.
    """

    path: str
    study: StudySpec
    factor: str

    @property
    def values(self) -> "Mapping[str, Any]":
        """Label of each value -> the value, in the order in which ties are settled."""
        levels = next(one.levels for one in self.study.factors if one.name == self.factor)
        return {label: patch[self.path] for label, patch in levels.items()}


@dataclass(frozen=True)
class Trial:
    """One training run of a study.

    Attributes:
        id: 12 hex digits, a digest of everything that the results depend on; also the folder's
            name. A trial keeps its id when the study is extended.
        cell_id: 12 hex digits, the same digest without the seed; shared by all trials of a cell.
        levels: factor -> level label.
        seed: fixes the trial's randomness.
        config: the base with the patches of the levels applied.
        identity: part (`config`, `data`, `checkpoint`, `weights`, `code`) -> digest; `id` is the
            digest of these.
        start: the trial of another study whose last checkpoint this one starts from, or None.
        network: number of the network that it starts from; None if its arm has none, or only one.
        tuned: the tries among which it chooses a value of its config when it starts, or None.
    """

    id: str
    cell_id: str
    levels: Mapping[str, str]
    seed: int
    config: Config
    identity: Mapping[str, str] = field(default_factory=dict)
    start: "Pretraining | None" = None
    network: int | None = None
    tuned: "Tuned | None" = None

    @property
    def label(self) -> str:
        """All levels and the seed in words, readable without the plan."""
        levels = " ".join(f"{factor}={level}" for factor, level in self.levels.items())
        return f"{levels} seed={self.seed}".strip()


@dataclass(frozen=True)
class Pretraining:
    """A trial of another study, which makes the checkpoint that trials start from.

    Attributes:
        spec: the other study, with the settings that the trials ask for.
        trial: the trial, which may start from a pre-training itself.
        tries: whether it makes no checkpoint for others, but tries a value that arms may choose.
    """

    spec: StudySpec
    trial: Trial
    tries: bool = False

    @property
    def name(self) -> str:
        """The trial as messages name it, `study/id`, which is also where its folder is."""
        return f"{self.spec.name}/{self.trial.id}"


@dataclass(frozen=True)
class Try:
    """One of the values among which an arm chooses.

    Attributes:
        value: the value.
        config: the config of the arm with this value.
        trials: the trials that try it, one for each seed of the tuning.
    """

    value: Any
    config: Config
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Tuned:
    """The tries of an arm, which are known before anything runs.

    Attributes:
        path: dotted path of the value in the config.
        spec: the study of the tries.
        tries: one entry per value.
    """

    path: str
    spec: StudySpec
    tries: tuple[Try, ...]


@dataclass(frozen=True)
class Fork:
    """The trial from which another one continues, because their first steps are the same.

    Attributes:
        trial_id: the trial that trains these steps.
        step: number of the steps.
    """

    trial_id: str
    step: int


@dataclass(frozen=True)
class Plan:
    """The trials of a study, fixed before any of them runs.

    Attributes:
        spec: the study.
        trials: in running order: all cells with the first seed, then all with the next one. The
            seeds of one network come before those of the next.
        hash: digest of the trials' ids, the outcome, and the decision rule.
        excluded: cells that the study leaves out, with their reasons.
        equal_cells: groups of cells with the same config; each group is trained once.
        aliases: effect -> effects that a fractional design can't distinguish from it.
        reference: the cell that the others are compared with.
        cells: every cell with its id; cells with the same config share an id.
        missing: messages about data and checkpoints that trials need but this machine lacks; such
            trials can't run.
        sources: source file or module that some trial uses -> digest of its code.
        cautions: messages about data that can be used but has suspicious images.
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
    sources: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended.

    Attributes:
        trial: the trial.
        status: `finished`, `diverged`, `failed`, or `interrupted`.
        folder: the trial's folder, with trial.json, history.jsonl, images/, checkpoints/, and after
            a failure traceback.txt.
        error: message on a single line, for `diverged` the cause and step; None if finished.
        fault: class of a failure (`bug`, `gpu_memory`, `host_memory`, `disk_full`, `data`,
            `killed`, `device`, `pretraining`, `tuning`), else None.
        seconds: training time of all attempts together.
        steps_done: last step done.
    """

    trial: Trial
    status: Status
    folder: Path
    error: str | None = None
    fault: str | None = None
    seconds: float = 0.0
    steps_done: int = 0


class StudyError(Exception):
    """A mistake in a command, study file, data, or checkpoint; the command exits with code 2."""


class Infrastructure(Exception):
    """A failure of Ray, the disk, or the tracking store; the command exits with code 3.

    Finished trials are kept.
    """
