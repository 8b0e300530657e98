"""Estimates of contrasts over seeds, many at once, with the p values that claims are made from.

The unit is the seed, or the network where several seeds start from each of several networks (see
`reports.claims.networks`); "seed" stands for both here. If every seed has all cells of a contrast,
each seed gives one number, and the estimate is their mean, tested by Student's t. If cells are
missing, each cell has its own mean and each seed its own block. The variance is then robust to
whatever trials with the same seed share (CR2, Bell & McCaffrey 2002).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from reports.stats.anytime import sequence_half_width, sequence_p
from reports.stats.clustered import CellMeans, fit_cells
from reports.stats.resolution import as_share, resolution, variance_floor
from reports.stats.skew import johnson_interval, johnson_t, skew_limit, skewness

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FEWEST_SEEDS = 3
"""Seeds below which nothing is claimed, because two may agree by chance."""
FEWEST_FOR_SKEW = 4
"""Seeds below which skewness says nothing."""
SAME = 1e-10
"""Share of the largest outcome below which differences come from rounding, not from training."""


@dataclass(frozen=True)
class Trials:
    """Outcome of a study's trials as an array of seeds and cells.

    Attributes:
        seeds: Seeds, or networks, in the plan's order.
        values: (seeds, cells) outcomes, + is worse; nan where a trial has no finite outcome.
        diverged: (seeds, cells) whether the trial diverged.
        open: (seeds, cells) whether the trial may still end.
        step: Step by which the outcome moves; None if the outcome is continuous.
        share: Number of things of which the outcome is a share; None if it isn't one.
        each: Number of trials that a value is the mean of: the seeds of a network, else 1.
        lost: (seeds, cells) number of diverged trials; None: `diverged` says it.
        ended: (seeds, cells) number of finished or diverged trials; None: `diverged` and `values`
            say it.
    """

    seeds: tuple[int, ...]
    values: Floats
    diverged: Flags
    open: Flags
    step: float | None = None
    share: int | None = None
    each: int = 1
    lost: Floats | None = None
    ended: Floats | None = None
    _fits: dict[tuple[int, ...], CellMeans] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        seeds: Sequence[int],
        values: Floats,
        diverged: Flags,
        open_: Flags,
        quantised: bool = True,
        share: bool = False,
    ) -> "Trials":
        """Return trials whose step, if their outcome moves in steps, is read from the values.

        Args:
            seeds: See the attribute.
            values: See the attribute.
            diverged: See the attribute.
            open_: See the attribute `open`.
            quantised: Whether to look for a step.
            share: Whether the outcome is known to be a share of a number of things. If it isn't
                known, a step of 1/K counts as such a share, unless K is a power of ten: decimals
                come from rounding more often than from counting.
        """
        known = values[np.isfinite(values)]
        step = resolution(known) if quantised and known.size else None
        things = (
            as_share(step) if step is not None and np.abs(known).max(initial=0.0) <= 1 else None
        )
        if things is not None and not share and math.log10(things) % 1 == 0:
            things = None
        return cls(tuple(seeds), values, diverged, open_, step, things)

    def first(self, seeds: int) -> "Trials":
        """Return the trials of only the first `seeds` seeds."""
        return self._part(np.arange(len(self.seeds)) < seeds)

    def without(self, seed: int) -> "Trials":
        """Return the trials of all seeds but one."""
        return self._part(np.array([other != seed for other in self.seeds]))

    def _part(self, chosen: Flags) -> "Trials":
        """Return the trials of the chosen seeds, with the step of all trials."""
        return replace(
            self,
            seeds=tuple(seed for seed, stays in zip(self.seeds, chosen, strict=True) if stays),
            values=self.values[chosen],
            diverged=self.diverged[chosen],
            open=self.open[chosen],
            lost=None if self.lost is None else self.lost[chosen],
            ended=None if self.ended is None else self.ended[chosen],
            _fits={},
        )

    def worst(self) -> "Trials":
        """Return the same trials with every diverged trial at the worst value of the study."""
        known = self.values[np.isfinite(self.values)]
        worst = known.max() if known.size else np.nan
        share = self.lost_trials / np.maximum(self.ended_trials, 1)
        rest = np.where(share < 1, (1 - share) * self.values, 0.0)
        values = np.where(self.diverged, share * worst + rest, self.values)
        none = np.zeros_like(self.diverged)
        return replace(self, values=values, diverged=none, lost=None, ended=None, _fits={})

    @property
    def lost_trials(self) -> Floats:
        """(seeds, cells) number of diverged trials."""
        return self.diverged.astype(float) if self.lost is None else self.lost

    @property
    def ended_trials(self) -> Floats:
        """(seeds, cells) number of finished or diverged trials."""
        if self.ended is None:
            return np.asarray(self.diverged | np.isfinite(self.values)).astype(float)
        return self.ended

    def fit(self, cells: tuple[int, ...]) -> CellMeans:
        """Return means of these cells with seeds as blocks, computed once."""
        if cells not in self._fits:
            self._fits[cells] = fit_cells(self.values[:, list(cells)])
        return self._fits[cells]


@dataclass(frozen=True)
class Estimates:
    """Estimates of contrasts of cell means, as arrays with one number per contrast.

    Attributes:
        mean: The estimate.
        se: Its standard error; 0 where all seeds have the same number.
        df: Degrees of freedom of t.
        n: Number of seeds that count.
        skew: Sample skewness over seeds; nan where seeds don't have one number each.
        values: (seeds, contrasts), the contrast in each seed; nan where the seed lacks a cell.
        sequence: Whether p and intervals must stay valid if seeds were added after a look.
        guard: Whether claims about visibly skewed contrasts need more than t. If each of several
            settings must pass a test, or a gate came before, the largest p or the gate is guard
            enough; a second one would decide little.
    """

    mean: Floats
    se: Floats
    df: Floats
    n: Floats
    skew: Floats
    values: Floats
    sequence: bool = False
    guard: bool = True

    @classmethod
    def of(
        cls, trials: Trials, weights: Floats, sequence: bool = False, guard: bool = True
    ) -> "Estimates":
        """Return estimates of contrasts.

        Args:
            trials: The outcome.
            weights: (contrasts, cells); a row of zeros is a contrast that is 0 by construction.
            sequence: See the attribute.
            guard: See the attribute.
        """
        weights = np.atleast_2d(weights)
        values = _by_seed(trials.values, weights)
        largest = np.nanmax(np.abs(trials.values), initial=0.0)
        values = np.where(np.abs(values) <= SAME * largest, 0.0, values)

        n = np.isfinite(values).sum(axis=0)
        with np.errstate(all="ignore"):
            mean = np.where(n > 0, np.nansum(values, axis=0) / np.maximum(n, 1), np.nan)
            spread = np.nansum((values - mean) ** 2, axis=0) / np.maximum(n - 1, 1)
        se = np.where(n > 1, np.sqrt(spread / np.maximum(n, 1)), np.nan)
        se = np.where(se <= SAME * largest, 0.0, se)
        df = np.where(n > 1, n - 1.0, np.nan)
        skew = np.where(n >= FEWEST_FOR_SKEW, skewness(values), np.nan)

        # Seeds that have some cells of a contrast, two at least, but not all count as well.
        for row in _partial(trials.values, weights):
            cells = tuple(int(cell) for cell in np.flatnonzero(weights[row]))
            contrast = trials.fit(cells).contrast(weights[row, list(cells)])
            mean[row], se[row], df[row], n[row] = contrast
            skew[row] = np.nan

        mean = np.where(np.abs(mean) <= SAME * largest, 0.0, mean)
        se = np.maximum(se, _floor(trials, weights, n))
        return cls(mean, se, df, n, skew, values, sequence, guard)

    def __len__(self) -> int:
        """Return the number of contrasts."""
        return len(self.mean)

    @property
    def flat(self) -> Flags:
        """Whether each contrast is 0 in every seed."""
        return np.asarray((self.mean == 0) & (self.se == 0) & (self.n > 0))

    @property
    def flagged(self) -> Flags:
        """Whether the seeds' numbers are more skewed than nine in ten normal samples."""
        limit = np.array([skew_limit(int(n)) if n >= FEWEST_FOR_SKEW else np.inf for n in self.n])
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(self.skew) > limit)

    @property
    def guarded(self) -> Flags:
        """Whether claims about each contrast need more than t."""
        return self.flagged if self.guard else np.zeros(len(self), dtype=bool)

    def above(self, bound: float = 0.0) -> Floats:
        """Return the one-sided p of "not above the bound": small where the contrast is larger.

        It is nan where the seeds are too few or have no spread.
        """
        return self._one_sided(bound, 1.0)

    def below(self, bound: float = 0.0) -> Floats:
        """Return the one-sided p of "not below the bound": small where the contrast is smaller."""
        return self._one_sided(bound, -1.0)

    def apart(self) -> Floats:
        """Return the two-sided p of "is 0"."""
        if self.sequence:
            return np.minimum(self.above(), self.below())
        p: Floats = np.minimum(1.0, 2 * np.minimum(self.above(), self.below()))
        return p

    def inside(self, margin: float) -> Floats:
        """Return the one-sided p of "outside the margin"."""
        return np.maximum(self.within(margin, 1), self.within(margin, -1))

    def within(self, margin: float, side: int) -> Floats:
        """Return the one-sided p of "beyond the margin on this side".

        In guarded samples no seed may be beyond the margin.

        Args:
            margin: The margin, above 0.
            side: +1 for the upper side, -1 for the lower.
        """
        p = self.below(margin) if side > 0 else self.above(-margin)
        with np.errstate(invalid="ignore"):
            beyond = (side * self.values >= margin).any(axis=0)
        return np.where(self.guarded & beyond, 1.0, p)

    def interval(self, alpha: float) -> tuple[Floats, Floats]:
        """Return the ends of the interval at confidence 1 - alpha; nan where the spread is unknown.

        It is the usual t interval. For visibly skewed samples it also covers Johnson's interval and
        all seeds.
        """
        critical = special.stdtrit(self.df, 1 - alpha / 2)
        low, high = self._ends(critical * self.se)

        flagged = self.flagged & np.isfinite(low)
        if flagged.any():
            johnson = johnson_interval(self.mean, self.se, self.n, self.skew, critical)
            seeds = (
                np.nanmin(self.values[:, flagged], axis=0),
                np.nanmax(self.values[:, flagged], axis=0),
            )
            low[flagged] = np.minimum(np.minimum(low, johnson[0])[flagged], seeds[0])
            high[flagged] = np.maximum(np.maximum(high, johnson[1])[flagged], seeds[1])
        return low, high

    def valid_interval(self, alpha: float) -> tuple[Floats, Floats]:
        """Return the ends of the interval that stays valid however often someone looked.

        It is a confidence sequence, see `sequence_half_width`.
        """
        known = (self.se > 0) & (self.df >= 1)
        half = np.full(len(self), np.nan)
        half[known] = [
            float(sequence_half_width(se, int(df) + 1, alpha))
            for se, df in zip(self.se[known], self.df[known], strict=True)
        ]
        return self._ends(half)

    def shown_interval(self, alpha: float) -> tuple[Floats, Floats]:
        """Return the ends of the interval that readers see, which fits how seeds were added."""
        return self.valid_interval(alpha) if self.sequence else self.interval(alpha)

    def _ends(self, half: Floats) -> tuple[Floats, Floats]:
        """Return the ends of intervals with these half-widths; nan where nothing may be claimed."""
        known = (self.n >= FEWEST_SEEDS) & ((self.se > 0) | self.flat)
        half = np.where(known, np.where(self.flat, 0.0, half), np.nan)
        return self.mean - half, self.mean + half

    def _tail(self, t: Floats) -> Floats:
        """Return the one-sided p of t, or one that stays valid at any number of looks."""
        if not self.sequence:
            return np.asarray(special.stdtr(self.df, -t))
        size = np.minimum(np.abs(np.nan_to_num(t)), 1e100)
        return np.where(t > 0, sequence_p(size, np.maximum(self.df + 1, 2)), 1.0)

    def _one_sided(self, bound: float, sign: float) -> Floats:
        """Return the one-sided p of "not beyond the bound", in the direction of `sign`.

        A guarded contrast must pass both the usual t and Johnson's t for skewed samples.
        """
        away = sign * (self.mean - bound)
        with np.errstate(all="ignore"):
            t = away / self.se
            p = self._tail(t)
            if self.guard and (guarded := self.guarded).any():
                johnson = sign * johnson_t(self.mean, self.se, self.n, self.skew, bound)
                p = np.where(guarded, np.maximum(p, self._tail(johnson)), p)

        # Without any spread only an exact 0 says something; any other number can't be trusted.
        exact = np.where(away > 0, 0.0, 1.0)
        p = np.where(self.flat, exact, np.where(self.se > 0, p, np.nan))
        return np.where((self.n >= FEWEST_SEEDS) & ~(self.df < 2), p, np.nan)


def _by_seed(values: Floats, weights: Floats) -> Floats:
    """Return (seeds, contrasts): each contrast in the seeds that have all of its cells."""
    known = np.isfinite(values)
    if known.all():
        return values @ weights.T
    lacks = (~known).astype(float) @ (weights != 0).T.astype(float) > 0
    return np.where(lacks, np.nan, np.where(known, values, 0.0) @ weights.T)


def _partial(values: Floats, weights: Floats) -> npt.NDArray[np.intp]:
    """Return the contrasts for which some seed has two cells or more, but not all."""
    known = np.isfinite(values).astype(float)
    if known.all():
        return np.array([], dtype=int)
    needed = (weights != 0).astype(float)
    present = known @ needed.T
    return np.flatnonzero(((present >= 2) & (present < needed.sum(axis=1))).any(axis=0))


def _floor(trials: Trials, weights: Floats, n: Floats) -> Floats:
    """Return the least standard error that an outcome with steps allows; 0 for a continuous one."""
    if trials.step is None:
        return np.zeros(len(weights))
    known = np.isfinite(trials.values)
    means = np.where(known, trials.values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    floors = np.array(
        [variance_floor(row, np.abs(means), trials.step, trials.share) for row in weights]
    )
    return np.sqrt(floors / np.maximum(n, 1) / trials.each)
