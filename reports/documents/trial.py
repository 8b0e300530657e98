"""`trial.json` as a type: what a trial is and how it ended.

No key is required: a document that is missing or damaged is read as an empty one.
"""

from typing import Any, NotRequired, TypedDict


class AttemptDocument(TypedDict, total=False):
    """One start of a trial.

    Attributes:
        attempt: Its number, from 1.
        started: Unix seconds.
        host: Name of the machine.
        pid: Its process.
        device: Name of the GPU, or `cpu`.
        resumed_at: The step that it resumed after; None: it began at the beginning.
        ended: Unix seconds.
        seconds: How long it took.
        status: How it ended.
    """

    attempt: int
    started: float
    host: str
    pid: int
    device: str
    resumed_at: int | None
    ended: float
    seconds: float
    status: str


class ForkDocument(TypedDict):
    """The trial from which another one continues, because their first steps are the same.

    Attributes:
        trial_id: A trial of the same study.
        step: Number of the steps.
    """

    trial_id: str
    step: int


class TriedDocument(TypedDict):
    """One of the values among which a trial chooses.

    Attributes:
        value: The value.
        config: The fields of the trial's config that the values change, with all that is in them.
        trainer: How a trial with this value is trained, if not by the core.
        trials: Ids of the trials that try it, one for each seed.
        outcomes: Their outcomes, None of those that diverged; only of a trial that has chosen.
    """

    value: Any
    config: dict[str, Any]
    trainer: NotRequired[dict[str, Any]]
    trials: list[str]
    outcomes: NotRequired[list[float | None]]


class TunedDocument(TypedDict):
    """How a trial chooses a value of its config.

    Attributes:
        path: Dotted path of the value.
        study: Name of the study of the tries, whose folder is next to that of the trial's study.
        outcome: `metric`, `better`, and `summary`.
        tries: One entry per value.
        value: The value that it has chosen; absent until it starts.
    """

    path: str
    study: str
    outcome: dict[str, str]
    tries: list[TriedDocument]
    value: NotRequired[Any]


class PlannedDocument(TypedDict, total=False):
    """What `ablate` writes before a trial starts.

    Attributes:
        label: All levels and the seed.
        status: `planned`, `running`, `finished`, `diverged`, `failed`, or `interrupted`.
        error: One line; None: there was no error.
        fault: Class of a failure; None: it did not fail.
        seconds: Training time of all attempts.
        steps: Planned steps; 0: not known beforehand.
        steps_done: Last completed step.
        identity: Part of the identity -> digest.
        trainer: How it is trained, if not by the core.
        plan_hash: Hash of the plan that it runs under.
        starts_from: Id of the trial whose last checkpoint it starts from, in another study of the
            output folder; absent if it starts from nothing or from a file of the user.
        starts_in: Name of that study.
        forks: Steps after which it keeps a checkpoint for trials that continue from there.
        fork: The trial from which it continues itself; absent if it trains all its steps.
        network: Number of the network that it starts from; absent if its arm has none, or only one.
        tuned: How it chooses a value of its config; absent if all values are given. Until it has
            chosen, its config has the first value.
    """

    trial_id: str
    cell_id: str
    label: str
    levels: dict[str, str]
    seed: int
    status: str
    error: str | None
    fault: str | None
    seconds: float
    steps: int
    steps_done: int
    attempts: list[AttemptDocument]
    config: dict[str, Any]
    identity: dict[str, str]
    trainer: dict[str, Any]
    plan_hash: str
    starts_from: str
    starts_in: str
    forks: list[int]
    fork: ForkDocument
    network: int
    tuned: TunedDocument


class TrialDocument(PlannedDocument, total=False):
    """The whole of `trial.json`, with what the training run said.

    Attributes:
        environment: Packages, machine, and state of the repository.
        restored: What was restored of a checkpoint.
        digests: Name -> digest of what the trial started from.
        determinism: Device, threads, and whether a repetition is bit-identical.
        figure: Layout of its figures.
        peak_memory_mb: Kind of memory -> the largest use, in MB (2**20 bytes).
        history_bytes: Size of its journal at its end.
        mlflow_run_id: Its run in MLflow.
        stopped_early: Which metric was worse than its bound.
        divergence: Of a diverged trial the step, the cause, the first tensor that wasn't finite,
            and the images of the batch.
        run: Its name in the source, if another program made it.
    """

    environment: dict[str, Any]
    restored: dict[str, Any]
    digests: dict[str, str]
    device: str
    parameters: dict[str, int]
    resumed_at: int | None
    skipped_checkpoints: list[str]
    evaluation: dict[str, Any]
    determinism: dict[str, Any]
    figure: dict[str, Any]
    peak_memory_mb: dict[str, float]
    history_bytes: int
    mlflow_run_id: str
    stopped_early: str
    divergence: dict[str, Any]
    run: str


OWN = frozenset(PlannedDocument.__annotations__)
"""Keys that the facts of a training run do not overwrite."""


def devices(document: TrialDocument) -> tuple[str, ...]:
    """Return the devices that computed a trial's numbers, in the order in which they were used.

    Attempts before the last one that began at the beginning left nothing.

    Returns:
        Names of GPUs, or `cpu`; more than one if the trial resumed on another device. Empty if the
        document doesn't say.
    """
    names: list[str] = []
    for attempt in document.get("attempts") or ():
        # An attempt that died before it trained has neither.
        if attempt.get("device"):
            names = [*(names if attempt.get("resumed_at") is not None else ()), attempt["device"]]
    told = document.get("determinism") or {}
    if not names and told.get("device"):
        names = [str(told.get("gpu") or told["device"])]
    return tuple(dict.fromkeys(names))
