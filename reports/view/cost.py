"""What a study has cost in training steps, next to what it would have cost without savings."""

from dataclasses import dataclass

from reports.table import StudyTable


@dataclass(frozen=True)
class Cost:
    """Training steps.

    Attributes:
        fixed: if every arm had been trained with all seeds of the plan, and each had trained all
            its steps.
        run: of the trials that were run, if each had trained all its steps. Looks save the rest.
        trained: that the trials have trained. What they have in common is counted once, and what
            diverged trials have not done isn't counted.
        shared: that trials have not trained, because another trial has.
        pretraining: of the trials of other studies that these start from; other studies may share
            them.
        tuning: of the tries among which arms chose a value.
    """

    fixed: int
    run: int
    trained: int
    shared: int
    pretraining: int
    tuning: int

    @property
    def by_looks(self) -> float:
        """Share of the fixed design's steps that looks have saved."""
        return 1 - self.run / self.fixed if self.fixed else 0.0

    @property
    def by_forks(self) -> float:
        """Share of the fixed design's steps that common parts have saved."""
        return self.shared / self.fixed if self.fixed else 0.0


def cost(table: StudyTable) -> Cost | None:
    """Return the cost of a study.

    It is None while trials are still to run, or if the plan doesn't say how many steps they have. A
    trial that diverged counts with the steps that it has done.
    """
    steps, trials = table.study.get("steps"), table.trials
    if not steps or "steps_done" not in trials or len(trials) < len(table.study["trials"]):
        return None
    if not trials["status"].isin(["finished", "diverged"]).all():
        return None
    shared = trials.get("shared_steps")
    saved = int(shared.fillna(0).sum()) if shared is not None else 0
    trained = int(trials["steps_done"].sum()) - saved
    first = (steps["pretrainings"], steps.get("tuning", 0))
    return Cost(steps["fixed"], steps["trials"], trained, saved, *first)
