"""How the error of a report, 5 in 100 studies, is shared among its claims, and over planned
looks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.claims.design import Design
from reports.stats.spending import look_levels

Floats = npt.NDArray[np.float64]

ERROR = 0.05
"""The chance that any claim of a report is false."""


@dataclass(frozen=True)
class Budget:
    """Shares of the error, each for a family of claims (levels found by simulation, see
    docs/statistics.md).

    Directions and equivalences of averages share a level: no average is 0 and beyond the margin at
    once.

    Attributes:
        direction: two-sided, by Bonferroni over all changes.
        equivalence: one-sided, by Holm over all changes.
        pairs: two-sided, by Bonferroni over all interactions of two changes.
        higher: the same of interactions of more.
        share: the part of it that this outcome may spend.
    """

    direction: float
    equivalence: float
    pairs: float
    higher: float
    share: float = 1.0

    @classmethod
    def of(cls, factors: int, pairs: int, higher: int, share: float = 1.0) -> "Budget":
        """The shares of a study.

        Args:
            factors: how many the study has.
            pairs: interactions of two changes that the design can test.
            higher: interactions of more.
            share: see the attribute.
        """
        if not pairs + higher:
            return cls(0.04, 0.04, 0.0, 0.0, share)
        if factors <= 3 or not higher:
            # Few enough to share one level.
            part = 0.014 / (pairs + higher)
            return cls(0.03, 0.03, part * pairs, part * higher, share)
        return cls(0.03, 0.03, 0.010, 0.004, share)

    @classmethod
    def of_design(cls, design: Design, share: float = 1.0) -> "Budget":
        """The shares of a study with this design."""
        pairs = sum(term.order == 2 for term in design.interactions)
        return cls.of(len(design.factors), pairs, len(design.interactions) - pairs, share)

    def one_direction(self, changes: int) -> float:
        """The level of the direction of one of so many changes, two-sided, over all looks."""
        return self.direction / max(1, changes) * self.share

    @property
    def equivalences(self) -> float:
        """The level of all equivalences together, one-sided, over all looks."""
        return self.equivalence * self.share


@dataclass(frozen=True)
class Spending:
    """Levels at a look: what a family may spend so far, as the level of the test that is done now.

    Attributes:
        looks: planned numbers of seeds; empty: one, at the end.
        at: which of them this is.
        spend: `even`, `middle` or `late`.
    """

    looks: tuple[int, ...] = ()
    at: int = 0
    spend: str = "late"

    def nominal(self, level: float, sides: int = 2) -> float:
        """The level of a test now, of a claim that may err with `level` over all looks."""
        if not self.looks:
            return level
        if sides == 2:
            return look_levels(self.looks, level, self.spend)[self.at]
        return look_levels(self.looks, 2 * level, self.spend)[self.at] / 2

    def adjusted(self, p: Floats, level: float, sides: int = 2) -> Floats:
        """Corrected p of tests that each have this level: below `ERROR` where p is below the
        nominal level."""
        nominal = self.nominal(level, sides)
        if nominal <= 0:
            return np.where(np.isnan(p), np.nan, 1.0)
        return np.minimum(1.0, p * (ERROR / nominal))

    def holm(self, p: Sequence[float] | Floats, level: float, sides: int = 1) -> Floats:
        """Corrected p of a family by Holm's method; nan counts as a test that was not passed, and
        stays nan."""
        values = np.asarray(p, dtype=float)
        adjusted, largest = np.full(len(values), np.nan), 0.0
        order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
        for rank, place in enumerate(order):
            if np.isnan(values[place]):
                break
            step = self.adjusted(values[place : place + 1], level / (len(values) - rank), sides)
            largest = max(largest, float(step[0]))
            adjusted[place] = largest
        return adjusted
