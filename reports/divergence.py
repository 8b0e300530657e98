"""Where trials diverge: at which levels of which factors, by counts of the trials that ended."""

from typing import NamedTuple

import numpy as np
from scipy.stats import fisher_exact

from reports.view import StudyView

OPEN = ("planned", "running", "interrupted")
"""How trials stand that may still finish."""


class Diverging(NamedTuple):
    """A level at which trials diverge, beside what it is compared with.

    Attributes:
        factor: its factor.
        level: the level.
        many: trials that diverged there.
        ended: trials that finished or diverged there.
        beside: the factor's first level; of the first level itself the other one, or `other levels`.
        before: trials that diverged at `beside`.
        of: trials that finished or diverged at `beside`.
        p: Fisher's exact test, one-sided.
        open: trials at the level that have not ended.
    """

    factor: str
    level: str
    many: int
    ended: int
    beside: str
    before: int
    of: int
    p: float
    open: int

    @property
    def whole(self) -> bool:
        """Whether all trials at the level diverged, and not all beside it."""
        return not self.open and self.many == self.ended and self.before < self.of


def diverging(view: StudyView) -> list[Diverging]:
    """Levels at which all trials diverged, or more than at the factor's first one by Fisher's test; clearest first."""
    found = [level for factor in view.factors for level in _levels(view, factor)]
    told = [one for one in found if one.whole or (one.p < view.alpha and one.level != view.first(one.factor))]
    return sorted(told, key=lambda one: one.p)


def _levels(view: StudyView, factor: str) -> list[Diverging]:
    """Each level with an ended trial beside the first one; the first one beside the others together."""
    trials = view.table.trials
    ended = trials[trials["status"].isin(("finished", "diverged"))]
    blown = (ended["status"] == "diverged").groupby(ended[f"level.{factor}"].astype(str))
    counts = {str(level): (int(rows.sum()), len(rows)) for level, rows in blown}
    waiting = trials.loc[trials["status"].isin(OPEN), f"level.{factor}"].astype(str).value_counts()
    first, found = view.first(factor), []
    for level, (many, n) in counts.items():
        others = [other for other in counts if (other == first if level != first else other != first)]
        if others:
            beside = others[0] if len(others) == 1 else "other levels"
            before, of = (sum(counts[other][i] for other in others) for i in (0, 1))
            p = fisher_exact(np.array([[many, n - many], [before, of - before]]), "greater").pvalue
            found.append(Diverging(factor, level, many, n, beside, before, of, float(p), int(waiting.get(level, 0))))
    return found
