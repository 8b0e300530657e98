"""Is a claim true? Each is compared with the truth over exactly the settings that it names.

When a claim is false is the table of docs/statistics.md. The geometry here is worked out from the
levels of the cells alone, so that a defect in the product's own would show.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from benchmarks.known_truth.world import World
from reports.claims.claim import ASSERTS_NOTHING, Claim, Scope
from reports.claims.estimates import Trials

TINY = 1e-9
EQUAL_WINS = 0.03
"""Pairs won, less pairs lost, below which two arms are taken for equal; of `SEEDS_FOR_WINS` drawn
pairs."""
SEEDS_FOR_WINS = 20_000

Part = tuple[str, str, str]
"""A change: factor, level, first level."""


class WrongScope(Exception):
    """A claim names settings, or terms, that its design lacks."""


@dataclass(frozen=True)
class Checker:
    """Compares claims with a world's truth."""

    world: World

    @property
    def margin(self) -> float:
        """The smallest effect that matters."""
        return self.world.margin

    @cached_property
    def mean(self) -> Mapping[tuple[str, ...], float]:
        """Levels of all factors -> true mean, of the cells that the design has."""
        cells = self.world.design.cells
        return {
            tuple(self.world.levels[cell][f] for f in self.factors): float(mean)
            for cell, mean in zip(cells, self.world.means, strict=True)
        }

    @cached_property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(self.world.design.factors)

    # -- whether
    # --------------------------------------------------------------------------------------------------
    # -

    def false(self, claim: Claim) -> bool:
        """Whether a claim is false."""
        if claim.kind in ASSERTS_NOTHING:
            return False
        if claim.kind == "diverges":
            return self._more_lost(claim) <= TINY
        if claim.kind == "composite":
            sign = 1 if claim.word == "harms" else -1
            return sign * self._won(claim) <= EQUAL_WINS
        if claim.kind == "depends":
            return abs(self.contrast(claim)) <= TINY
        if claim.kind == "idle":
            return bool(np.abs(self.effects(claim)).max() > TINY)
        return self._false_effect(claim)

    def _false_effect(self, claim: Claim) -> bool:
        """Whether a direction, an equivalence or an absence is false."""
        effects, average = self.effects(claim), self.contrast(claim)
        # Conditional claims, and those of a single setting, are about the mean of what they name.
        everywhere = not claim.word.endswith("on average") and claim.scope.type != "at"
        if claim.kind == "one_sided":
            side = 1 if claim.word == "no harm" else -1
            return bool((side * effects >= self.margin - TINY).any())
        if claim.kind == "equivalent":
            outside = np.abs(effects if everywhere else np.array([average])) >= self.margin - TINY
            return bool(outside.any())
        sign = 1 if claim.word.startswith("harms") else -1
        opposite = everywhere and bool((sign * effects <= -self.margin + TINY).any())
        return sign * average <= TINY or opposite

    # -- the true numbers
    # ------------------------------------------------------------------------------------------

    def contrast(self, claim: Claim) -> float:
        """The true value of what a claim's interval is of."""
        if claim.scope.type == "alias_group":
            return self._group(claim.scope.terms)
        parts = [self._part(name) for name in claim.subject.split(" × ")]
        return float(np.mean(self._contrasts(parts, claim.scope)))

    def average(self, name: str) -> float:
        """The true value of a change or interaction over all settings of the design; of a fraction
        its group's."""
        if name not in self._averages:
            design = self.world.design
            terms = {term.name: term.aliases for term in (*design.compared, *design.interactions)}
            parts = [self._part(part) for part in name.split(" × ")]
            own = (
                self._group(terms[name])
                if terms[name]
                else float(np.mean(self._contrasts(parts, Scope("on_average"))))
            )
            self._averages[name] = own
        return self._averages[name]

    @cached_property
    def _averages(self) -> dict[str, float]:
        return {}

    def effects(self, claim: Claim) -> np.ndarray:
        """The true effect of a claim's change in each setting that the claim names."""
        if claim.scope.type == "alias_group":
            return np.array([self._group(claim.scope.terms)])
        return np.array(self._contrasts([(claim.factor, claim.level, claim.against)], claim.scope))

    def _part(self, name: str) -> Part:
        """The change that a name stands for."""
        factor, _, level = name.partition("=")
        first, *others = self.world.design.factors[factor]
        return factor, level or others[0], first

    def _contrasts(self, parts: Sequence[Part], scope: Scope) -> list[float]:
        """The contrast of these changes in each combination of the other factors' levels that has
        all cells."""
        found = []
        for at in self._combinations({factor for factor, _, _ in parts}, scope):
            total, whole = 0.0, True
            for made in product((False, True), repeat=len(parts)):
                moved = {
                    f: level if on else first
                    for (f, level, first), on in zip(parts, made, strict=True)
                }
                mean = self.mean.get(self._key(at, moved))
                whole = whole and mean is not None
                total += (mean or 0.0) * (-1) ** (len(parts) - sum(made))
            if whole:
                found.append(total / 2 ** (len(parts) - 1))
        if not found:
            raise WrongScope(f"no setting of {parts} in {scope}")
        return found

    def _key(self, *levels: Mapping[str, str]) -> tuple[str, ...]:
        merged = {factor: level for part in levels for factor, level in part.items()}
        return tuple(merged[factor] for factor in self.factors)

    def _combinations(self, moved: set[str], scope: Scope) -> Iterator[dict[str, str]]:
        """Levels of the factors that are not moved, where the scope allows them."""
        others = [factor for factor in self.factors if factor not in moved]
        for levels in product(*(self.world.design.factors[factor] for factor in others)):
            at = dict(zip(others, levels, strict=True))
            if _agrees(at, scope.at) and (
                not scope.over or any(_agrees(at, over) for over in scope.over)
            ):
                yield at

    def _group(self, terms: tuple[str, ...]) -> float:
        """The sum of the effects of aliased terms, with the signs that the cells give them; worked
        out once."""
        if terms not in self._groups:
            self._groups[terms] = self._sum_of_aliases(terms)
        return self._groups[terms]

    @cached_property
    def _groups(self) -> dict[tuple[str, ...], float]:
        return {}

    def _sum_of_aliases(self, terms: Sequence[str]) -> float:
        signs = [self._signs(term) for term in terms]
        total = 0.0
        for term, sign in zip(terms, signs, strict=True):
            turned = np.unique(sign * signs[0])
            if len(turned) != 1:
                raise WrongScope(f"{term} is not aliased with {terms[0]}")
            total += turned[0] * self._full_effect(term)
        return float(total)

    def _signs(self, term: str) -> np.ndarray:
        """(cells,) the product of -1 (first level) and +1 over the factors of a term."""
        names = term.split(" × ")
        return np.array(
            [
                np.prod([-1 if at[n] == "0" else 1 for n in names])
                for at in self.world.levels.values()
            ]
        )

    def _full_effect(self, term: str) -> float:
        """The effect of a term in the full factorial, of which a fraction runs a part."""
        names, total = term.split(" × "), 0.0
        for levels in product("01", repeat=len(self.factors)):
            at = dict(zip(self.factors, levels, strict=True))
            total += self.world.mean_at(at) * np.prod(
                [-1 if at[name] == "0" else 1 for name in names]
            )
        return float(total / 2 ** (len(self.factors) - 1))

    # -- divergence
    # -----------------------------------------------------------------------------------------------
    # -

    def _sides(self, claim: Claim) -> tuple[list[int], list[int]]:
        """Places of the cells at the claim's level and at the other one; pairs, unless it is a
        fraction."""
        place = {
            tuple(self.world.levels[c][f] for f in self.factors): i
            for i, c in enumerate(self.world.design.cells)
        }
        if claim.scope.type == "alias_group":
            column = self.factors.index(claim.factor)
            level, against = (
                [cell for levels, cell in place.items() if levels[column] == x]
                for x in (claim.level, claim.against)
            )
            return level, against
        level, against = [], []  # type: list[int], list[int]
        for at in self._combinations({claim.factor}, claim.scope):
            there, here = (
                place.get(self._key(at, {claim.factor: x})) for x in (claim.level, claim.against)
            )
            if there is not None and here is not None:
                level.append(there)
                against.append(here)
        return level, against

    def _more_lost(self, claim: Claim) -> float:
        """By how much more often trials diverge at the claim's level."""
        level, against = self._sides(claim)
        return float(self.world.lost[level].mean() - self.world.lost[against].mean())

    def _won(self, claim: Claim) -> float:
        """Share of pairs in which the level is worse, less that in which it is better; diverged
        runs are worst."""
        level, against = self._sides(claim)
        worst = self._drawn
        return float(np.nanmean(np.sign(worst[:, level] - worst[:, against])))

    @cached_property
    def _drawn(self) -> np.ndarray:
        """Outcomes of many seeds, a diverged run above every other."""
        trials: Trials = self.world.draw(np.random.default_rng(1), SEEDS_FOR_WINS)
        return np.where(trials.diverged, 1e9, trials.values)


def _agrees(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two sets of levels differ in no factor that both have."""
    return all(other.get(factor, level) == level for factor, level in one.items())
