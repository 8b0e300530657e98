"""The trainer of runs that were judged: another program trained them, so nothing can train here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from ablate.reading.problems import Problem
from ablate.reading.schema import Rules
from ablate.reading.yaml_file import Node
from ablate.study.design import Cell
from ablate.study.nouns import FurtherOutcome, Outcome, StudyError, StudySpec, Trial
from ablate.trainers.foreign import ForeignConfig
from ablate.trainers.trainer import Builder, Metric, Place, StudyTrainer


@dataclass(frozen=True)
class FoundConfig(ForeignConfig):
    """What the source says about the options of a run.

    Attributes:
        options: column -> text.
        seed: the seed of the run.
        steps: the last step at which the run recorded its outcome.
        threads: number of CPU threads, which isn't known.
    """

    options: Mapping[str, Any]
    seed: int = 0
    steps: int = 0
    threads: int = 1

    def trainer_record(self) -> dict[str, Any]:
        """Return the entry `trainer` of trial.json, by which `verify` knows such a run."""
        return {"judged": True}


@dataclass(frozen=True)
class FoundTrainer(StudyTrainer):
    """The stand-in for the program that made the runs; plans need its metrics and its record.

    Attributes:
        source: where the runs are.
    """

    entry: ClassVar[str] = ""

    source: str

    def metrics(self, spec: StudySpec) -> Mapping[str, Metric]:
        """Return the outcomes with their directions."""
        outcome = spec.outcome
        pairs = [(one.metric, one.better) for one in outcome.also]
        return {
            metric: Metric(better, description="as the source has it")
            for metric, better in [*pairs, (outcome.metric, outcome.better)]
        }

    def record(self) -> dict[str, Any]:
        """Return the entry `trainer` of plan.json."""
        return {"judged": self.source}

    def config(self, base: Mapping[str, Any]) -> FoundConfig:
        """Return options as a config."""
        return FoundConfig(base)

    def better(self, _metric: str) -> str:
        """Return `lower`, because nothing is known about the metrics of other programs."""
        return "lower"

    def outcome_problems(
        self, _spec: StudySpec, _outcome: Outcome | FurtherOutcome, _place: Place
    ) -> list[Problem]:
        """Return an empty list, because the runs may have recorded anything."""
        return []

    def problems(self, _spec: StudySpec, _cells: Sequence[Cell], _tree: Node) -> list[Problem]:
        """Return an empty list, because nothing is going to run."""
        return []

    def cautions(self, _spec: StudySpec) -> list[str]:
        """Return an empty list, because nothing is going to run."""
        return []

    def rules(self) -> Rules:
        """Raise StudyError, because no study file can be written for these runs."""
        self._refuse()

    def builder(self, _spec: StudySpec) -> Builder:
        """Raise StudyError, because the runs can't be made here."""
        self._refuse()

    def work(self, _trials: Sequence[Trial]) -> str:
        """Raise StudyError, because the runs can't be made here."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        """Raise the error that says why."""
        raise StudyError(f"{self.source}: another program made these runs; they can't run here")
