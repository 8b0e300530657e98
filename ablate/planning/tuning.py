"""Trials that choose a value among tries when they start, with ids that are known before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablate.study.identity import LENGTH, TUNED, digest, dumps, trial_id
from ablate.study.nouns import StudyError, StudySpec, Trial, Try, Tuned, Tuning
from ablate.trainers.core.menus import Menus
from ablate.trainers.resolve import trainer_of


class Tries:
    """The tries of a study's arms, each planned once.

    Args:
        tuning: how the arms choose.
        menus: what studies can choose from; None: what is installed.

    Attributes:
        builder: the builder of the tries.
    """

    def __init__(self, tuning: Tuning, menus: Menus | None) -> None:
        self.tuning = tuning
        self.builder = trainer_of(tuning.study, menus).builder(tuning.study)
        self._arms: dict[str, tuple[Tuned, str]] = {}

    def cell_id(self, id_: str, cell: Mapping[str, str]) -> str:
        """Return the id of a cell whose trials choose a value; `id_` is that with the first one."""
        return digest(f"{id_}/{self._arm(id_, cell)[1]}")[:LENGTH]

    def chosen(self, trial: Trial) -> Trial:
        """Return a trial that chooses its value among the tries of its arm.

        Args:
            trial: the trial with the first value.
        """
        tuned, part = self._arm(trial.cell_id, trial.levels)
        identity = {**trial.identity, TUNED: part}
        return replace(
            trial,
            id=trial_id(identity, trial.seed),
            cell_id=self.cell_id(trial.cell_id, trial.levels),
            identity=identity,
            tuned=tuned,
        )

    def _arm(self, id_: str, cell: Mapping[str, str]) -> tuple[Tuned, str]:
        """Return the tries of an arm, and the part of its identity that they are."""
        if id_ not in self._arms:
            tuned = self._tuned(cell)
            self._arms[id_] = tuned, _digest(tuned)
        return self._arms[id_]

    def _tuned(self, cell: Mapping[str, str]) -> Tuned:
        """Return the tries of an arm."""
        tuning, study = self.tuning, self.tuning.study
        tries = []
        for label, value in tuning.values.items():
            tried = {**cell, tuning.factor: label}
            id_ = self.builder.cell_id(tried)
            trials = tuple(self.builder.trial(id_, tried, seed) for seed in study.seeds)
            tries.append(Try(value, trials[0].config, trials))
        return Tuned(tuning.path, study, tuple(tries))


def _digest(tuned: Tuned) -> str:
    """Return the digest of the tries of an arm, and of the rule by which it chooses."""
    outcome = tuned.spec.outcome
    rule = [outcome.metric, outcome.better, outcome.summary]
    return digest(dumps([[[trial.id for trial in one.trials] for one in tuned.tries], rule]))


def refuse_replicates(spec: StudySpec, seeds: Sequence[int]) -> None:
    """Refuse seeds of the option `--seeds` that the tries use.

    Raises:
        StudyError: a seed would choose the value and be a replicate too.
    """
    for seed in spec.tune.study.seeds if spec.tune else ():
        if seed in seeds:
            raise StudyError(
                f"--seeds {','.join(map(str, seeds))}: the tries of tune use seed {seed}, "
                "so it can't be a replicate; give tune.seeds others"
            )
