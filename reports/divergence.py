"""Where trials diverge: at which levels of which factors, or in which arms, by counts of the trials that ended."""

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import fisher_exact

from reports.stats.paired import holm
from reports.view import Arm, StudyView

OPEN = ("planned", "running", "interrupted")
"""How trials stand that may still finish."""
LEAST = 2
"""Trials of which it is told that all diverged: a single one may do so by chance."""


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
        p_adjusted: the same with Holm's correction over all levels that are not a first one; of a first one nan.
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
    p_adjusted: float = math.nan

    @property
    def whole(self) -> bool:
        """Whether all trials at the level diverged, two or more, and not all beside it."""
        return not self.open and self.many == self.ended >= LEAST and self.before < self.of


class DivergedArm(NamedTuple):
    """An arm of which all trials that finished or diverged did the latter, and how many they are."""

    arm: Arm
    many: int


def diverging(view: StudyView) -> list[Diverging]:
    """Levels at which all trials diverged, or more than at the factor's first one by Fisher's test; clearest first."""
    found = [level for factor in view.factors for level in _levels(view, factor)]
    adjusted = holm([math.nan if one.level == view.first(one.factor) else one.p for one in found])
    corrected = [one._replace(p_adjusted=p) for one, p in zip(found, adjusted, strict=True)]
    told = [one for one in corrected if one.whole or one.p_adjusted < view.alpha]
    return sorted(told, key=lambda one: one.p)


def diverging_arms(view: StudyView) -> list[DivergedArm]:
    """Arms of which all trials diverged, two or more, that stand at no level which is told: a combination does it."""
    told = [(at.factor, at.level) for at in diverging(view)]
    rest = [arm for arm in view.arms if not any(level in view.levels_of(arm, factor) for factor, level in told)]
    statuses = [(arm, _of(view, arm.trials)) for arm in rest]
    lost = [DivergedArm(arm, _counts(found)[0]) for arm, found in statuses if _whole(found)]
    return lost if len(lost) < len(view.arms) else []


def _whole(statuses: Sequence[str]) -> bool:
    """Whether of two or more trials that ended all diverged, and none may still finish."""
    many, ended = _counts(statuses)
    return many == ended >= LEAST and not set(OPEN) & set(statuses)


def _levels(view: StudyView, factor: str) -> list[Diverging]:
    """Each level with an ended trial beside the first one; the first one beside the others together."""
    statuses = {str(level): _statuses(view, factor, str(level)) for level in view.factors[factor]["levels"]}
    counts = {level: _counts(found) for level, found in statuses.items() if _counts(found)[1]}
    first, found = view.first(factor), []
    for level, (many, n) in counts.items():
        others = [other for other in counts if (other == first if level != first else other != first)]
        if others:
            beside = others[0] if len(others) == 1 else "other levels"
            before, of = (sum(counts[other][i] for other in others) for i in (0, 1))
            p = fisher_exact(np.array([[many, n - many], [before, of - before]]), "greater").pvalue
            waiting = sum(status in OPEN for status in statuses[level])
            found.append(Diverging(factor, level, many, n, beside, before, of, float(p), waiting))
    return found


def _statuses(view: StudyView, factor: str, level: str) -> list[str]:
    """How the trials at a level stand; a trial that arms with equal configs share is at the levels of all of them."""
    return _of(view, {trial for arm in view.arms if level in view.levels_of(arm, factor) for trial in arm.trials})


def _of(view: StudyView, there: Collection[str]) -> list[str]:
    """How these trials stand."""
    trials = view.table.trials
    return [str(status) for status in trials.loc[trials["trial_id"].isin(there), "status"]]


def _counts(statuses: Sequence[str]) -> tuple[int, int]:
    """How many trials diverged, and how many finished or diverged."""
    diverged = sum(status == "diverged" for status in statuses)
    return diverged, diverged + sum(status == "finished" for status in statuses)
