"""The state of a study's trials, read from their folders for `status` and the live display."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.planning.plan_file import read_plan
from ablate.trial import journal, trial_file
from reports.documents.names import ArmNames


@dataclass(frozen=True)
class TrialStatus:
    """One row of `status`.

    Attributes:
        trial_id: folder name.
        label: the code of the arm, and the seed: `G+S · seed 3`.
        arm_code: the code of the arm.
        arm: the arm in words.
        seed: the seed.
        status: as in trial.json, except that a trial whose process died is `interrupted`.
        step: last step done.
        steps: total number of steps; 0 if it isn't known beforehand.
        metric: last value of the primary metric, None before the first evaluation. A diverged or
            failed trial has none: its last value may be the best of all.
        loss: last total loss of the generator, None before the first step.
        seconds: training time so far.
        heartbeat_s: seconds since a running trial last wrote; None for a trial that doesn't run.
        error: message on a single line, or None.
    """

    trial_id: str
    label: str
    arm_code: str
    arm: str
    seed: int
    status: str
    step: int
    steps: int
    metric: float | None
    loss: float | None
    seconds: float
    heartbeat_s: float | None
    error: str | None

    @property
    def progress(self) -> str:
        """Steps done, such as `20/60`, or `20` if the total isn't known beforehand."""
        return f"{self.step}/{self.steps}" if self.steps else str(self.step)


def study_status(folder: Path) -> list[TrialStatus]:
    """Return one row per trial of the plan, in running order.

    Args:
        folder: `OUT/<study>`.

    Raises:
        StudyError: see `read_plan`.
    """
    plan = read_plan(folder)
    metric = f"metric/{plan['outcome']['metric']}"
    names = ArmNames(plan)
    return [
        trial_status(
            StudyFolder(folder).trial(trial["trial_id"]),
            names,
            trial["levels"],
            trial["seed"],
            metric,
        )
        for trial in plan["trials"]
    ]


def pretraining_status(folder: Path) -> list[str]:
    """Return one line for each trial of another study that trials of this one start from.

    Args:
        folder: `OUT/<study>`.
    """
    lines = []
    for start in read_plan(folder).get("pretrainings", ()):
        trial = StudyFolder(folder.parent / start["study"]).trial(start["trial_id"])
        status = trial_status(trial, ArmNames({}), {}, start["seed"], "")
        error = f": {status.error}" if status.error else ""
        step = f", step {status.step}/{start['steps']}"
        lines.append(f"{start['study']}/{start['trial_id']} {status.status}{step}{error}")
    return lines


def tuning_status(folder: Path) -> str | None:
    """Return how the tries of a study have ended, on a single line; None if it has none.

    Args:
        folder: `OUT/<study>`.
    """
    tuning = read_plan(folder).get("tuning")
    if tuning is None:
        return None
    study = StudyFolder(folder.parent / tuning["study"])
    ids = dict.fromkeys(one["trial_id"] for one in tuning["tries"])
    states = Counter(trial_status(study.trial(id_), ArmNames({}), {}, 0, "").status for id_ in ids)
    ended = ", ".join(f"{number} {state}" for state, number in states.items())
    return f"{tuning['study']}: {len(ids)} tries of {tuning['path']}: {ended}"


def trial_status(
    folder: Path, names: ArmNames, levels: Mapping[str, str], seed: int, metric: str
) -> TrialStatus:
    """Return the state of one trial.

    Args:
        folder: the trial's folder.
        names: the names of the study's arms.
        levels: factor -> level of the trial.
        seed: the trial's seed.
        metric: name of the primary metric in the journal, such as `metric/mixed_l1`.
    """
    document = trial_file.standing(folder)
    status: str = trial_file.status_of(document)
    lines = journal.tail(folder) if status != "planned" else []

    heartbeat = None
    seconds = float(document.get("seconds", 0.0))
    if status == "running":
        if not trial_file.died(folder, document):
            now = time.time()
            heartbeat = round(max(0.0, now - (lines[-1].time if lines else now)), 1)
            seconds += now - document["attempts"][-1]["started"]
        else:
            status = "interrupted"

    # The document is written less often than the journal, so it lags behind during training.
    step = (
        lines[-1].step
        if lines and status in ("running", "interrupted")
        else int(document.get("steps_done", 0))
    )
    return TrialStatus(
        trial_id=folder.name,
        label=names.trial(levels, seed),
        arm_code=names.code(levels),
        arm=names.words(levels),
        seed=seed,
        status=status,
        step=step,
        steps=int(document.get("steps", 0)),
        metric=None if status in ("diverged", "failed") else _last(lines, metric),
        loss=_last(lines, "loss/total_generator"),
        seconds=round(seconds, 1),
        heartbeat_s=heartbeat,
        error=document.get("error"),
    )


def _last(lines: list[journal.Line], name: str) -> float | None:
    """Return the newest value of a name among the last lines, or None."""
    return next((line.values[name] for line in reversed(lines) if name in line.values), None)
