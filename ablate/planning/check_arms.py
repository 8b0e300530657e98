"""Checks of the first training step of every arm, made before a study spends hours.

Every arm must record the study's outcome. With the same seed, all arms start from identical
weights, data, and evaluation pairs, unless a factor changes them. Each factor must change
something: an arm that ends its first step exactly like the reference is an error, which names the
arm's factors. Two kinds of arms are exempt: those that the study lists under `equal_arms`, and
those whose factors act only later or change only what is measured.
"""

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from ablate.planning.first_steps import Probe, elsewhere, why
from ablate.planning.pretraining import folder_of
from ablate.reading.problems import did_you_mean
from ablate.study.design import meant_equal
from ablate.study.nouns import Plan, StudyError, Trial
from ablate.trainers.resolve import trainer_of
from ablate.trainers.trainer import FirstStep, StudyTrainer
from ablate.trial.start import NotTrained, trained_checkpoint

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
    plan: Plan,
    trials: Sequence[Trial],
    device: str = "cpu",
    probe: Probe | None = None,
    out: Path = Path("runs"),
) -> Checked:
    """Take one step of each arm with its first seed and compare it with the reference.

    Arms whose pre-training has not run yet start from one step of it. That shows whether its
    checkpoint fits them, before hours are spent on it.

    Args:
        plan: the plan of the study.
        trials: trials that are still to run; only their arms are checked.
        device: `cpu` or `cuda`.
        probe: function that takes the first step of a config; None: that of the study's trainer,
            and on a GPU in a process of its own.
        out: the output folder, where pre-trainings that have run are.

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
    seed = plan.trials[0].seed
    arms = [trial for trial in plan.trials if trial.seed == seed]
    reference = next(
        (trial for trial in arms if dict(trial.levels) == dict(plan.reference)), arms[0]
    )
    wanted = {trial.cell_id for trial in trials}
    others = [arm for arm in arms if arm.cell_id in wanted and arm is not reference][:MOST_ARMS]

    here = probe or (own if device == "cpu" else None)
    with (
        elsewhere(trainer) if here is None else nullcontext(here) as chosen,
        tempfile.TemporaryDirectory(prefix="g2g-first-") as scratch,
    ):
        folder = Path(scratch)
        placed = [_placed(arm, out, folder, chosen, device) for arm in (reference, *others)]
        return _compared(plan, trainer, chosen, placed, device)


def _placed(arm: Trial, out: Path, scratch: Path, probe: Probe, device: str) -> Trial:
    """Return an arm with the path of a checkpoint to start from, if it needs one.

    Args:
        arm: the arm.
        out: the output folder.
        scratch: folder for checkpoints of pre-trainings that have not run: of one step.
        probe: function that takes such a step, and writes its checkpoint to a path.
        device: `cpu` or `cuda`.

    Raises:
        StudyError: the pre-training's first step fails.
    """
    start = arm.start
    if start is None:
        return arm
    try:
        path = trained_checkpoint(folder_of(start, out))
    except NotTrained:
        path = scratch / f"{start.trial.id}.pt"
        if not path.exists():
            first = _placed(start.trial, out, scratch, probe, device)
            place = f"pre-training {start.name}"
            _probed(lambda *step: probe(*step, path), first, place, None, device)
    return replace(arm, config=replace(arm.config, checkpoint=str(path)))  # type: ignore[type-var]


def _compared(
    plan: Plan, trainer: StudyTrainer, probe: Probe, arms: Sequence[Trial], device: str
) -> Checked:
    """Compare the first steps of arms with that of the reference.

    Args:
        plan: the plan of the study.
        trainer: the study's trainer.
        probe: function that takes the first step of a config.
        arms: one trial of each arm, first the reference.
        device: `cpu` or `cuda`.

    Raises:
        StudyError: as for `check_arms`.
    """
    metric = plan.spec.outcome.metric
    reference, *others = arms
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


def _probed(probe: Probe, arm: Trial, place: str, metric: str | None, device: str) -> FirstStep:
    """Return the first step of an arm.

    Args:
        probe: function that takes the step.
        arm: any trial of the arm.
        place: what errors call the arm.
        metric: the study's outcome; None: the arm needs none.
        device: `cpu` or `cuda`.

    Raises:
        StudyError: the step fails, or the arm does not record the outcome.
    """
    try:
        step = probe(arm.config, device)
    except (ValueError, RuntimeError, MemoryError, AssertionError) as error:
        raise StudyError(f"{place}: {why(error)}") from error

    if metric is not None and step.recorded and metric not in step.recorded:
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

    if not (base.finite and other.finite):
        return None  # neither has changed a weight, and the trials will tell of their divergence
    if base.after != other.after or meant_equal(plan.spec, reference.levels, arm.levels):
        return None
    later = any(trainer.acts_later(trial.config) for trial in (arm, reference))
    if later or not changed - set(trainer.measuring):
        return None
    return (
        "without effect: after one step losses, gradients and weights are those of the reference; "
        "list the arms under equal_arms if that is meant, or run with --no-check"
    )
