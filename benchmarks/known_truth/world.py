"""The worlds that studies are drawn from: true means, noise, lost trials, and divergence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import stats

from benchmarks.known_truth.truths import Effects, mean_at
from reports.claims.design import Design
from reports.claims.estimates import Trials

SHIFT = 3.0
"""Standard deviation of the part that all trials with the same seed share, in margins."""
SLOPE, ONE_SLOPE = 0.7, 1.4
"""Standard deviation of effects over seeds, with `slopes` and with `one slope`.

The unit is the standard deviation of a trial's noise.
"""
LEVEL_OF_SHARES = 0.4
"""Mean without effects, for a metric that is a share."""

Shape = tuple[int, ...]


def _skewed(rng: np.random.Generator, log_sd: float, shape: Shape) -> np.ndarray:
    """Return lognormal numbers with mean 0 and standard deviation 1.

    Args:
        rng: source of the random numbers.
        log_sd: standard deviation of their logarithm, before the shift.
        shape: shape of the result.
    """
    mean = np.exp(log_sd**2 / 2)
    return (np.exp(log_sd * rng.standard_normal(shape)) - mean) / (
        mean * np.sqrt(np.expm1(log_sd**2))
    )


def _normal(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Return standard normal numbers."""
    return rng.standard_normal(shape)


UNIT_NOISE: Mapping[str, Callable[[np.random.Generator, Shape], np.ndarray]] = {
    "t3": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3.0),
    "lognormal cells": lambda rng, shape: _skewed(rng, 1.0, shape),
}
"""Name -> noise of a trial with mean 0 and sd 1; noise of other names is normal."""

LOST: Mapping[str, Callable[[Mapping[str, str]], float]] = {
    "equal 20 %": lambda _: 0.2,
    "0 or 50 %": lambda at: 0.5 if at["a"] == "1" else 0.0,
    "10 or 70 %": lambda at: 0.7 if at["a"] == "1" else 0.1,
    "70 % with a and b": lambda at: 0.7 if at["a"] == at["b"] == "1" else 0.0,
    "70 % in one cell": lambda at: 0.7 if set(at.values()) == {"1"} else 0.0,
    "worst 40 % of a level": lambda at: 0.4 if at["a"] == "1" else 0.0,
    "worst 15 % of all": lambda _: 0.15,
}
"""Name -> function from levels to the share of their trials that diverge."""


@dataclass(frozen=True)
class World:
    """The world that a study is drawn from.

    The names of `noise` are:

    - `normal`, `t3`, `lognormal cells`: the distribution of a trial's noise.
    - `unequal`: level 1 of factor a has 4 times the sd of its first level.
    - `slopes`: the effect of each factor varies over seeds; `one slope`: that of the last factor
    does.
    - `skewed 0.5`, `skewed 1`: the effects of all factors vary over seeds, lognormally with this
    log-sd; the noise of a trial is a tenth of the sd.
    - `shares of 16`, `shares of 64`: the outcome is the share of 16 or 64 things.

    Attributes:
        design: the cells.
        effects: true effects, in margins.
        sd: standard deviation of a trial's noise within a seed, in margins.
        noise: a name from the list above.
        missing: share of trials that are lost at random; 1 stands for all trials of the last cell,
            and no others.
        diverging: a name in `LOST`, or empty.
    """

    design: Design
    effects: Effects = field(default_factory=dict)
    sd: float = 1.0
    noise: str = "normal"
    missing: float = 0.0
    diverging: str = ""

    @property
    def margin(self) -> float:
        """The smallest effect that matters, in the outcome's unit."""
        return 0.1 if self.noise.startswith("shares") else 1.0

    def mean_at(self, at: Mapping[str, str]) -> float:
        """Return the true mean at these levels in the outcome's unit, without the constant."""
        return self.margin * mean_at(self.effects, at)

    @cached_property
    def means(self) -> np.ndarray:
        """(cells,) true means, in the outcome's unit."""
        return np.array([self.mean_at(self.levels[cell]) for cell in self.design.cells])

    @cached_property
    def levels(self) -> Mapping[str, Mapping[str, str]]:
        """Levels of each cell, by the cell's id."""
        return dict(self.design.settings)

    @cached_property
    def lost(self) -> np.ndarray:
        """(cells,) probability that a trial diverges."""
        chance = LOST[self.diverging] if self.diverging else lambda _: 0.0
        return np.array([chance(self.levels[cell]) for cell in self.design.cells])

    @cached_property
    def _made(self) -> np.ndarray:
        """(factors, cells) 1 where a factor is not at its first level, else 0."""
        return np.array(
            [[at[f] != "0" for at in self.levels.values()] for f in self.design.factors],
            dtype=float,
        )

    def draw(self, rng: np.random.Generator, seeds: int) -> Trials:
        """Return the trials of one study, all of which have ended.

        Args:
            rng: source of the random numbers.
            seeds: number of seeds.
        """
        shape = (seeds, len(self.design.cells))
        noise = UNIT_NOISE.get(self.noise, _normal)(rng, shape)
        values = self._values(rng, noise)

        # The worst trials diverge by their own noise. The part that a seed shares doesn't count,
        # because it affects both sides of a comparison.
        worst = self.diverging.startswith("worst")
        rank = stats.norm.cdf(noise) if worst else 1 - rng.random(shape)
        diverged = rank > 1 - self.lost if self.diverging else np.zeros(shape, dtype=bool)

        gone = rng.random(shape) < (self.missing if self.missing < 1 else 0.0)
        if self.missing == 1:
            gone[:, -1] = True

        values = np.where(diverged | gone, np.nan, values)
        return Trials.of(range(seeds), values, diverged & ~gone, np.zeros(shape, dtype=bool))

    def _values(self, rng: np.random.Generator, noise: np.ndarray) -> np.ndarray:
        """Return the outcomes, (seeds, cells), that follow from the noise of the trials."""
        seeds, _ = noise.shape
        if self.noise.startswith("shares"):
            of = int(self.noise.split()[-1])
            seed = rng.standard_normal((seeds, 1))
            chance = LEVEL_OF_SHARES + self.means + self.margin * (seed + self.sd * noise)
            return rng.binomial(of, np.clip(chance, 0.0, 1.0)) / of

        values = self.means + SHIFT * rng.standard_normal((seeds, 1))
        if self.noise == "unequal":
            sds = np.where(self._made[0] > 0, 4.0, 1.0)
            return values + self.sd * noise * sds / np.sqrt((sds**2).mean())
        if self.noise == "slopes":
            return values + self.sd * (
                noise + SLOPE * rng.standard_normal((seeds, len(self._made))) @ self._made
            )
        if self.noise == "one slope":
            return values + self.sd * (
                noise + ONE_SLOPE * rng.standard_normal((seeds, 1)) * self._made[-1]
            )
        if self.noise.startswith("skewed"):
            log_sd = float(self.noise.split()[-1])
            return values + self.sd * (
                noise / 10 + _skewed(rng, log_sd, (seeds, len(self._made))) @ self._made
            )
        return values + self.sd * noise
