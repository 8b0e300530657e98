"""`plan.json` as a type: what a study fixed before its first trial.

`ablate` writes it and `reports` reads it, so both share this type. No key of the whole
is required: plans of earlier versions lack some, and a damaged plan is read as an empty one.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from reports.documents.judged import JudgedDocument

Levels = dict[str, str]
"""Factor -> level."""


class OutcomeDocument(TypedDict):
    """The primary outcome and the rule of decision.

    Attributes:
        metric: Name under which trials record it.
        better: `lower` or `higher`.
        summary: How a curve becomes one number, `last`, `best`, `mean`, or `auc`.
        smallest_effect: Smallest difference that matters; None: not given.
        degradation: `relative`, `after_step`, and `patience`.
        looks: Numbers of seeds after which verdicts are looked at.
        spend: How the error is spent over the looks.
        scale: `linear` or `log`.
        also: Further outcomes.
    """

    metric: str
    better: str
    summary: str
    smallest_effect: float | None
    degradation: dict[str, Any]
    looks: NotRequired[list[int]]
    spend: NotRequired[str]
    scale: NotRequired[str]
    also: NotRequired[list[dict[str, Any]]]


class FactorDocument(TypedDict):
    """A factor.

    Attributes:
        levels: Level -> patch of the config.
        reference: The first level.
        when: The factor varies only where other factors have these levels.
        ordered: Whether the levels are steps of one quantity.
        code: Its letter in the codes of arms; absent in plans of earlier versions.
        label: What it is, in plain words.
        description: More about it.
        labels: Level -> its name in plain words.
        descriptions: Level -> more about it.
    """

    levels: dict[str, dict[str, Any]]
    reference: str
    when: Levels
    ordered: NotRequired[bool]
    code: NotRequired[str]
    label: NotRequired[str]
    description: NotRequired[str]
    labels: NotRequired[dict[str, str]]
    descriptions: NotRequired[dict[str, str]]


class CellDocument(TypedDict):
    """A cell of the design; cells with the same config share an id and an `arm_code`."""

    cell_id: str
    levels: Levels
    arm_code: NotRequired[str]


class PlannedTrial(TypedDict):
    """A trial, without its config, which is in its own document.

    Attributes:
        network: Number of the network that it starts from; absent if its arm has none, or only one.
    """

    trial_id: str
    cell_id: str
    seed: int
    levels: Levels
    label: str
    identity: dict[str, str]
    network: NotRequired[int]


class NetworkDocument(TypedDict):
    """A network of a study that repeats its seeds with several networks.

    Attributes:
        network: Its number, from 0.
        seeds: The seeds of its trials.
    """

    network: int
    seeds: list[int]


class PretrainingDocument(TypedDict):
    """A trial of another study that runs before trials that start from its last checkpoint.

    Attributes:
        study: Name of the other study, whose folder lies beside this one's.
        trial_id: Its id.
        label: Its levels and seed.
        steps: Its steps.
        trials: Number of trials of this plan that start from it, directly or by another one.
        starts_from: Id of the trial that it starts from itself; None: from nothing or a file.
    """

    study: str
    trial_id: str
    seed: int
    label: str
    steps: int
    trials: int
    starts_from: str | None


class TryDocument(TypedDict):
    """A trial that tries a value for an arm."""

    trial_id: str
    cell_id: str
    seed: int
    value: Any


class TuningDocument(TypedDict):
    """The value of the config that every arm chooses before its trials start.

    Attributes:
        path: Dotted path of the value.
        study: Name of the study of the tries, whose folder is next to this one's.
        values: What every arm tries.
        seeds: The seeds of the tries, none of them a replicate.
        tries: The trials that try; `cell_id` is that of the arm in this plan.
    """

    path: str
    study: str
    values: list[Any]
    seeds: list[int]
    tries: list[TryDocument]


class StepsDocument(TypedDict):
    """How many training steps a study takes.

    Attributes:
        fixed: Steps of all trials of the whole plan, which a look may have shortened.
        trials: Steps of all trials, if each trains all its own.
        shared: Those of them that arms have in common until they part, and that are trained once.
        pretrainings: Steps of the trials of other studies that these start from.
        tuning: Steps of the tries among which arms choose a value; absent if they choose none.
    """

    fixed: int
    trials: int
    shared: int
    pretrainings: int
    tuning: NotRequired[int]


class PlanDocument(TypedDict, total=False):
    """The whole of `plan.json`.

    Attributes:
        hash: Digest of the trials' ids, the outcome, and the rule.
        turned: `off` if arms are named by the factors that they turn off, else `on`.
        base: The config that levels are patches of.
        reference: The levels of the cell that the others are compared with.
        reference_cell: Its id; None: it is no cell of the plan.
        aliases: Term -> terms that a fraction can't distinguish from it.
        label: What the study is about, in plain words.
        description: More about it.
        metrics: Metric -> `better`, `unit`, `description`, and its `label` in plain words.
        losses: Loss -> what it is, one line.
        trainer: What trains, if not the core: a `command`, or an `object`.
        expect: Factor -> the verdict that the author expects.
        sources: Source file or module that some trial uses -> digest of its code.
        versions: Package -> version.
        pretrainings: Trials of other studies that run first, in running order; absent if none do.
        tuning: The value that every arm chooses among tries; absent if all values are given.
        steps: Training steps of all trials, with those that they share with others and those of
            pre-trainings.
        networks: The networks that all seeds are repeated with; absent in other studies.
        for_others: Whether the trials only make checkpoints that other studies start from.
        ledger: `sha256` of the newest entry of the ledger.
        pilot: What `plan --pilot` predicted; only in a plan that the report has read.
        judged: Where the trials came from, if another program made them before there was a plan.
    """

    name: str
    label: str
    description: str
    question: str
    hash: str
    design: dict[str, Any]
    turned: str
    seeds: list[int]
    outcome: OutcomeDocument
    factors: dict[str, FactorDocument]
    base: dict[str, Any]
    reference: Levels
    reference_cell: str | None
    cells: list[CellDocument]
    trials: list[PlannedTrial]
    excluded: list[Levels]
    equal_cells: list[list[Levels]]
    aliases: dict[str, list[str]]
    metrics: dict[str, dict[str, Any]]
    losses: dict[str, str]
    trainer: dict[str, Any]
    expect: dict[str, str]
    sources: dict[str, str]
    versions: dict[str, str]
    pretrainings: list[PretrainingDocument]
    tuning: TuningDocument
    steps: StepsDocument
    networks: list[NetworkDocument]
    for_others: bool
    ledger: dict[str, Any] | None
    pilot: dict[str, Any]
    judged: JudgedDocument


def design_kind(plan: PlanDocument) -> str:
    """Return the name of a study's design; `custom` if the plan has none."""
    design = plan.get("design", "custom")
    return str(design.get("kind", "custom") if isinstance(design, Mapping) else design)


def turned_off(plan: PlanDocument) -> bool:
    """Return whether arms are named by the factors that they turn off, not by those turned on.

    Plans of version 0.1 do not say it; there, only the design `leave_one_out` does so.
    """
    earlier = "off" if design_kind(plan) == "leave_one_out" else "on"
    return plan.get("turned", earlier) == "off"


def first_level(plan: Mapping[str, Any], factor: str) -> str:
    """Return the level of a factor that its other levels are compared with."""
    entry = plan["factors"][factor]
    return str(entry.get("reference") or next(iter(entry["levels"])))
