"""Trials that have their first steps in common, which only one of them needs to train."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.study.nouns import Fork, Trial
from ablate.trainers.trainer import StudyTrainer
from ablate.trial import trial_file

LEAST = 0.02
"""Least share of a trial's steps that is worth waiting for another trial."""


def forks(
    trials: Sequence[Trial],
    trainer: StudyTrainer,
    ended: Iterable[tuple[Trial, Sequence[int]]] = (),
) -> dict[str, Fork]:
    """Return from which trials others continue, and after which step.

    Each trial continues from the trial with which it has the most steps in common: one that has
    ended, or one that comes earlier in the running order. So no two trials wait for each other, and
    every common part is trained once, wherever arms part. Of trials that choose a value when they
    start, nothing is known to be common.

    Args:
        trials: trials to run, in running order.
        trainer: the trials' trainer, which compares them.
        ended: trials that won't run again, with the steps after which they have kept a checkpoint.

    Returns:
        Id of a trial -> what it continues from; trials that train all their steps are left out.
    """
    kept = [(trial, tuple(steps)) for trial, steps in ended]
    later = {
        trial.id: trainer.acts_later(trial.config)
        for trial in (*trials, *(trial for trial, _ in kept))
    }
    if not any(later.values()):
        return {}
    compared: dict[tuple[str, str], int] = {}
    found: dict[str, Fork] = {}
    earlier: dict[int, list[Trial]] = {}

    def steps_in_common(one: Trial, other: Trial) -> int:
        # Two arms of which everything acts at once part at once, and most arms are like that
        if not (later[one.id] or later[other.id]):
            return 0
        # Of two arms, every seed says the same
        key = (one.cell_id, other.cell_id)
        if key not in compared:
            compared[key] = trainer.common_steps(one, other)
        return compared[key]

    for trial in trials:
        if trial.tuned is not None:
            continue
        step, leader = max(1, round(LEAST * trial.config.steps)) - 1, None
        for other, steps in kept:
            if other.seed == trial.seed and steps:
                limit = steps_in_common(other, trial)
                last = max((step for step in steps if step <= limit), default=0)
                if last > step:
                    step, leader = last, other
        for other in earlier.get(trial.seed, ()):
            last = min(steps_in_common(other, trial), trial.config.steps - 1)
            if last > step:
                step, leader = last, other
        if leader is not None:
            found[trial.id] = Fork(leader.id, step)
        earlier.setdefault(trial.seed, []).append(trial)
    return found


def steps_saved(trials: Iterable[Trial], trainer: StudyTrainer) -> int:
    """Return the number of steps that trials save if none of them has run yet."""
    return sum(fork.step for fork in forks(list(trials), trainer).values())


def kept_forks(folder: Path, trials: Iterable[Trial]) -> list[tuple[Trial, list[int]]]:
    """Return trials with an outcome, and the steps after which they have kept a checkpoint.

    Args:
        folder: `OUT/<study>`.
        trials: trials of the study.
    """
    kept = []
    for trial in trials:
        where = StudyFolder(folder).trial(trial.id)
        if trial_file.status_of(trial_file.standing(where)) in trial_file.ENDED:
            kept.append((trial, TrialFolder(where).fork_steps()))
    return kept
