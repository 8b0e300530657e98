"""How a report's chance of error, 5 in 100 studies, is divided among claims and planned looks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.claims.design import Design
from reports.stats.spending import look_levels

Floats = npt.NDArray[np.float64]

ERROR = 0.05
"""Chance that any claim of a report is false."""


@dataclass(frozen=True)
class Budget:
    """Shares of the error for each family of claims.

    The levels come from simulations, see docs/statistics.md. Directions and equivalences of
    averages share a level, because no average can be 0 and beyond the margin at once.

    Attributes:
        direction: Two-sided level, by Bonferroni over all changes.
        equivalence: One-sided level, by Holm over all changes.
        pairs: Two-sided level, by Bonferroni over all interactions of two changes.
        higher: Two-sided level, by Bonferroni over all interactions of more changes.
        share: The part of the error that this outcome may spend.
    """

    direction: float
    equivalence: float
    pairs: float
    higher: float
    share: float = 1.0

    @classmethod
    def of(cls, factors: int, pairs: int, higher: int, share: float = 1.0) -> "Budget":
        """Return the shares of a study.

        Args:
            factors: Number of factors of the study.
            pairs: Number of interactions of two changes that the design can test.
            higher: Number of interactions of more changes that the design can test.
            share: The part of the error that this outcome may spend.
        """
        if not pairs + higher:
            return cls(0.04, 0.04, 0.0, 0.0, share)
        if factors <= 3 or not higher:
            # There are few enough interactions to share one level.
            part = 0.014 / (pairs + higher)
            return cls(0.03, 0.03, part * pairs, part * higher, share)
        return cls(0.03, 0.03, 0.010, 0.004, share)

    @classmethod
    def of_design(cls, design: Design, share: float = 1.0) -> "Budget":
        """Return the shares of a study with this design."""
        pairs = sum(term.order == 2 for term in design.interactions)
        return cls.of(len(design.factors), pairs, len(design.interactions) - pairs, share)

    def one_direction(self, changes: int) -> float:
        """Return the two-sided level, over all looks, of the direction of one of several changes.

        Args:
            changes: Number of changes that the study compares.
        """
        return self.direction / max(1, changes) * self.share

    @property
    def equivalences(self) -> float:
        """One-sided level of all equivalences together, over all looks."""
        return self.equivalence * self.share


@dataclass(frozen=True)
class Spending:
    """Levels at a look: what a family of claims may spend so far, as the level of a test done now.

    Attributes:
        looks: Planned numbers of seeds; empty for a single look at the end.
        at: Index of the present look in `looks`.
        spend: `even`, `middle`, or `late`.
    """

    looks: tuple[int, ...] = ()
    at: int = 0
    spend: str = "late"

    def nominal(self, level: float, sides: int = 2) -> float:
        """Return the level of a test now, for a claim that may err with `level` over all looks.

        Args:
            level: Chance of an error over all looks.
            sides: 2, or 1 for a one-sided test.
        """
        if not self.looks:
            return level
        if sides == 2:
            return look_levels(self.looks, level, self.spend)[self.at]
        return look_levels(self.looks, 2 * level, self.spend)[self.at] / 2

    def adjusted(self, p: Floats, level: float, sides: int = 2) -> Floats:
        """Return the corrected p of tests that each have the same level.

        It is below `ERROR` exactly where p is below the nominal level.

        Args:
            p: Uncorrected p values; nan stays nan.
            level: Chance of an error of one test over all looks.
            sides: 2, or 1 for one-sided tests.
        """
        nominal = self.nominal(level, sides)
        if nominal <= 0:
            return np.where(np.isnan(p), np.nan, 1.0)
        return np.minimum(1.0, p * (ERROR / nominal))

    def holm(self, p: Sequence[float] | Floats, level: float, sides: int = 1) -> Floats:
        """Return the corrected p of a family of tests by Holm's method.

        A nan counts as a test that was not passed, and stays nan.

        Args:
            p: Uncorrected p values of the family.
            level: Chance of an error of the family over all looks.
            sides: 2, or 1 for one-sided tests.
        """
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
