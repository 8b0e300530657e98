"""Before hours are spent: one step of every arm, to find what cannot be trained or measured, and
    idle factors.

Every arm must record the study's outcome. With equal seeds all arms start from equal weights, data
and evaluation pairs unless a factor says otherwise; and each factor must change something. An arm
that does not move away from the reference in a step is an error that names its factors, unless the
study lists it under `equal_arms` or its factors act only later or only on what is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.reading.problems import did_you_mean
from ablate.study.design import meant_equal
from ablate.study.nouns import Plan, StudyError, Trial
from ablate.trainers.resolve import trainer_of
from ablate.trainers.trainer import FirstStep, StudyTrainer
from ablate.trial.faults import MEMORY, classify

MOST_ARMS = 64
"""Arms that are checked; a study with more has them checked up to here."""

Probe = Callable[[Any, str], FirstStep]


@dataclass(frozen=True)
class Checked:
    """What the first steps of the arms showed.

    Attributes:
        arms: how many were compared with the reference.
        checkpoint_bytes: size of what a trial keeps of them, the largest among the arms.
    """

    arms: int
    checkpoint_bytes: int


def check_arms(
    plan: Plan, trials: Sequence[Trial], device: str = "cpu", probe: Probe | None = None
) -> Checked:
    """Take one step of each arm with its first seed and compare it with the reference.

    Args:
        plan: the study.
        trials: those that are still to run; only their arms are checked.
        device: `cpu` or `cuda`.
        probe: the first step of a config; None: that of the study's trainer.

    Raises:
        StudyError: a line for each arm that cannot be trained, lacks the outcome, is without
            effect, or differs from the reference in more than its factors.
    """
    trainer = trainer_of(plan.spec)
    probe = probe or trainer.first_step
    if probe is None:
        return Checked(0, 0)

    seed = plan.trials[0].seed
    arms = [trial for trial in plan.trials if trial.seed == seed]
    reference = next(
        (trial for trial in arms if dict(trial.levels) == dict(plan.reference)), arms[0]
    )
    wanted = {trial.cell_id for trial in trials}
    others = [arm for arm in arms if arm.cell_id in wanted and arm is not reference][:MOST_ARMS]
    metric = plan.spec.outcome.metric
    base = _probed(probe, reference, "the reference", metric, device)
    problems, largest = [], base.checkpoint_bytes
    for arm in others:
        factors = {
            name: level for name, level in arm.levels.items() if reference.levels.get(name) != level
        }
        named = "factors." + ", ".join(f"{name}={level}" for name, level in factors.items())
        try:
            step = _probed(probe, arm, named, metric, device)
        except StudyError as error:
            problems.append(str(error))
            continue
        largest = max(largest, step.checkpoint_bytes)
        if problem := _problem(plan, trainer, reference, arm, base, step):
            problems.append(f"{named}: {problem}")
    if problems:
        raise StudyError("\n".join(problems))
    return Checked(len(others), largest)


def _probed(probe: Probe, arm: Trial, named: str, metric: str, device: str) -> FirstStep:
    """The first step of an arm; StudyError with its name if it cannot be made or the outcome is not
    recorded."""
    try:
        step = probe(arm.config, device)
    except (ValueError, RuntimeError, MemoryError) as error:
        raise StudyError(f"{named}: {_why(error)}") from error
    if step.recorded and metric not in step.recorded:
        hint = did_you_mean(metric, step.recorded)
        raise StudyError(
            f"{named}: outcome.metric: {metric} is not recorded with this data and model{hint}"
        )
    return step


def _why(error: Exception) -> str:
    """An error of a first step in a line; torch's own are cut to what they begin with."""
    if classify(error, Path()) in MEMORY:
        return "one step needs more memory than there is; smaller networks, images or batches fit"
    if isinstance(error, ValueError):
        return " ".join(str(error).split())
    told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return f"the first step fails: {told}; with --no-check the trial keeps its traceback"


def _problem(
    plan: Plan,
    trainer: StudyTrainer,
    reference: Trial,
    arm: Trial,
    base: FirstStep,
    other: FirstStep,
) -> str | None:
    """Return what is wrong with an arm, in a line."""
    ours, theirs = arm.config.to_dict(), reference.config.to_dict()
    changed = {name for name in ours if ours[name] != theirs[name]}
    for digest, fields in trainer.moves.items():
        if base.before.get(digest) != other.before.get(digest) and not changed & set(fields):
            return (
                f"{digest.replace('_', ' ')} differ from the reference's, though no factor says so"
            )

    if base.after != other.after or meant_equal(plan.spec, reference.levels, arm.levels):
        return None
    later = any(trainer.acts_later(trial.config) for trial in (arm, reference))
    if later or not changed - set(trainer.measuring):
        return None
    return (
        "without effect: after one step losses, gradients and weights are those of the reference; "
        "list the arms under equal_arms if that is meant, or run with --no-check"
    )
