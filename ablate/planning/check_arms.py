"""Checks of the first training step of every arm, made before a study spends hours.

Every arm must record the study's outcome. With the same seed, all arms start from identical
weights, data, and evaluation pairs, unless a factor changes them. Each factor must change
something: an arm that ends its first step exactly like the reference is an error, which names the
arm's factors. Two kinds of arms are exempt: those that the study lists under `equal_arms`, and
those whose factors act only later or change only what is measured.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from ablate.planning.first_steps import Probe, elsewhere, why
from ablate.reading.problems import did_you_mean
from ablate.study.design import meant_equal
from ablate.study.nouns import Plan, StudyError, Trial
from ablate.trainers.resolve import trainer_of
from ablate.trainers.trainer import FirstStep, StudyTrainer

MOST_ARMS = 64
"""Largest number of arms that are checked; further arms of a study are not."""


@dataclass(frozen=True)
class Checked:
    """Result of the first steps of a study's arms.

    Attributes:
        arms: number of arms that were compared with the reference.
        checkpoint_bytes: size of all checkpoints that a trial keeps, the largest among the arms.
    """

    arms: int
    checkpoint_bytes: int


def check_arms(
    plan: Plan, trials: Sequence[Trial], device: str = "cpu", probe: Probe | None = None
) -> Checked:
    """Take one step of each arm with its first seed and compare it with the reference.

    Args:
        plan: the plan of the study.
        trials: trials that are still to run; only their arms are checked.
        device: `cpu` or `cuda`.
        probe: function that takes the first step of a config; None: that of the study's trainer,
            and on a GPU in a process of its own.

    Returns:
        The number of compared arms and the size of their checkpoints; both are 0 if the trainer
        has no first step to try.

    Raises:
        StudyError: one line for each arm that cannot be trained, does not record the outcome, has
            no effect, or differs from the reference in more than its factors.
    """
    trainer = trainer_of(plan.spec)
    own = trainer.first_step
    if probe is None and own is None:
        return Checked(0, 0)
    here = probe or (own if device == "cpu" else None)
    with elsewhere(trainer) if here is None else nullcontext(here) as chosen:
        return _compared(plan, trials, device, chosen)


def _compared(plan: Plan, trials: Sequence[Trial], device: str, probe: Probe) -> Checked:
    """Return the result of `check_arms`; `probe` takes the first steps."""
    trainer = trainer_of(plan.spec)
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
        place = "factors." + ", ".join(f"{name}={level}" for name, level in factors.items())
        try:
            step = _probed(probe, arm, place, metric, device)
        except StudyError as error:
            problems.append(str(error))
            continue

        largest = max(largest, step.checkpoint_bytes)
        if problem := _problem(plan, trainer, reference, arm, base, step):
            problems.append(f"{place}: {problem}")

    if problems:
        raise StudyError("\n".join(problems))
    return Checked(len(others), largest)


def _probed(probe: Probe, arm: Trial, place: str, metric: str, device: str) -> FirstStep:
    """Return the first step of an arm.

    Args:
        probe: function that takes the step.
        arm: any trial of the arm.
        place: what errors call the arm.
        metric: the study's outcome.
        device: `cpu` or `cuda`.

    Raises:
        StudyError: the step fails, or the arm does not record the outcome.
    """
    try:
        step = probe(arm.config, device)
    except (ValueError, RuntimeError, MemoryError, AssertionError) as error:
        raise StudyError(f"{place}: {why(error)}") from error

    if step.recorded and metric not in step.recorded:
        hint = did_you_mean(metric, step.recorded)
        raise StudyError(
            f"{place}: outcome.metric: {metric} is not recorded with this data and model{hint}"
        )
    return step


def _problem(
    plan: Plan,
    trainer: StudyTrainer,
    reference: Trial,
    arm: Trial,
    base: FirstStep,
    other: FirstStep,
) -> str | None:
    """Return what is wrong with an arm after its first step, or None."""
    options, reference_options = arm.config.to_dict(), reference.config.to_dict()
    changed = {name for name in options if options[name] != reference_options[name]}
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
