"""The check that compares each claim with the truth in exactly the settings that it names.

The table in docs/statistics.md defines when a claim is false. The geometry is derived here from the
levels of the cells alone, so that a defect in the geometry of `reports` would show.
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
"""Share of pairs won, less the share lost, up to which two arms count as the same."""
SEEDS_FOR_WINS = 20_000
"""Number of drawn pairs from which the share of won pairs is estimated."""

Part = tuple[str, str, str]
"""A change: its factor, its level, and the first level."""


class WrongScope(Exception):
    """Error: a claim names settings or terms that its design doesn't have."""


@dataclass(frozen=True)
class Checker:
    """Compares claims with a world's truth.

    Attributes:
        world: the world that the judged trials were drawn from.
    """

    world: World

    @property
    def margin(self) -> float:
        """The smallest effect that matters, in the outcome's unit."""
        return self.world.margin

    @cached_property
    def mean(self) -> Mapping[tuple[str, ...], float]:
        """True mean of each cell of the design, by the levels of all factors."""
        cells = self.world.design.cells
        return {
            tuple(self.world.levels[cell][f] for f in self.factors): float(mean)
            for cell, mean in zip(cells, self.world.means, strict=True)
        }

    @cached_property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(self.world.design.factors)

    # -- whether a claim is false ------------------------------------------------------------------

    def false(self, claim: Claim) -> bool:
        """Check whether a claim is false."""
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
        """Check whether a direction, an equivalence, or an absence of effects is false."""
        effects, average = self.effects(claim), self.contrast(claim)
        # Claims about an average or a single setting are about the mean of the settings they name.
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

    # -- the true numbers --------------------------------------------------------------------------

    def contrast(self, claim: Claim) -> float:
        """Return the true value of the quantity that a claim's interval is about."""
        if claim.scope.type == "alias_group":
            return self._group(claim.scope.terms)
        parts = [self._part(name) for name in claim.subject.split(" × ")]
        return float(np.mean(self._contrasts(parts, claim.scope)))

    def average(self, name: str) -> float:
        """Return the true average of a change or an interaction over all settings of the design.

        In a fraction, this is the value of its alias group.
        """
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
        """Results of `average`, by name."""
        return {}

    def effects(self, claim: Claim) -> np.ndarray:
        """Return the true effect of a claim's change in each setting that the claim names."""
        if claim.scope.type == "alias_group":
            return np.array([self._group(claim.scope.terms)])
        return np.array(self._contrasts([(claim.factor, claim.level, claim.against)], claim.scope))

    def _part(self, name: str) -> Part:
        """Return the change that a name stands for."""
        factor, _, level = name.partition("=")
        first, *others = self.world.design.factors[factor]
        return factor, level or others[0], first

    def _contrasts(self, parts: Sequence[Part], scope: Scope) -> list[float]:
        """Return the contrast of these changes in each setting of the other factors.

        Settings in which a cell is missing are left out.

        Args:
            parts: the changes; one for an effect, several for an interaction.
            scope: the settings that count.

        Raises:
            WrongScope: no setting is complete.
        """
        contrasts = []
        for at in self._combinations({factor for factor, _, _ in parts}, scope):
            total, whole = 0.0, True
            # Each cell counts with the sign of its place in the difference of differences.
            for made in product((False, True), repeat=len(parts)):
                moved = {
                    f: level if on else first
                    for (f, level, first), on in zip(parts, made, strict=True)
                }
                mean = self.mean.get(self._key(at, moved))
                whole = whole and mean is not None
                total += (mean or 0.0) * (-1) ** (len(parts) - sum(made))
            if whole:
                contrasts.append(total / 2 ** (len(parts) - 1))

        if not contrasts:
            raise WrongScope(f"no setting of {parts} in {scope}")
        return contrasts

    def _key(self, *levels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the levels of all factors, merged from mappings of which later ones win."""
        merged = {factor: level for part in levels for factor, level in part.items()}
        return tuple(merged[factor] for factor in self.factors)

    def _combinations(self, moved: set[str], scope: Scope) -> Iterator[dict[str, str]]:
        """Yield the levels of the factors that aren't moved, where the scope allows them."""
        others = [factor for factor in self.factors if factor not in moved]
        for levels in product(*(self.world.design.factors[factor] for factor in others)):
            at = dict(zip(others, levels, strict=True))
            if _agrees(at, scope.at) and (
                not scope.over or any(_agrees(at, over) for over in scope.over)
            ):
                yield at

    def _group(self, terms: tuple[str, ...]) -> float:
        """Return the sum of the effects of aliased terms, computed once per group."""
        if terms not in self._groups:
            self._groups[terms] = self._sum_of_aliases(terms)
        return self._groups[terms]

    @cached_property
    def _groups(self) -> dict[tuple[str, ...], float]:
        """Results of `_group`, by the group's terms."""
        return {}

    def _sum_of_aliases(self, terms: Sequence[str]) -> float:
        """Return the sum of the effects of aliased terms, with the signs that the cells give them.

        Raises:
            WrongScope: the terms aren't aliased with each other.
        """
        signs = [self._signs(term) for term in terms]
        total = 0.0
        for term, sign in zip(terms, signs, strict=True):
            turned = np.unique(sign * signs[0])
            if len(turned) != 1:
                raise WrongScope(f"{term} is not aliased with {terms[0]}")
            total += turned[0] * self._full_effect(term)
        return float(total)

    def _signs(self, term: str) -> np.ndarray:
        """Return (cells,) the product over a term's factors of -1 (first level) or +1."""
        names = term.split(" × ")
        return np.array(
            [
                np.prod([-1 if at[n] == "0" else 1 for n in names])
                for at in self.world.levels.values()
            ]
        )

    def _full_effect(self, term: str) -> float:
        """Return the effect of a term in the full factorial, of which a fraction is a part."""
        names, total = term.split(" × "), 0.0
        for levels in product("01", repeat=len(self.factors)):
            at = dict(zip(self.factors, levels, strict=True))
            total += self.world.mean_at(at) * np.prod(
                [-1 if at[name] == "0" else 1 for name in names]
            )
        return float(total / 2 ** (len(self.factors) - 1))

    # -- divergence --------------------------------------------------------------------------------

    def _sides(self, claim: Claim) -> tuple[list[int], list[int]]:
        """Return the places of the cells at the claim's level, and of those at the other level.

        The two lists form pairs, unless the design is a fraction.
        """
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
            moved, first = (
                place.get(self._key(at, {claim.factor: x})) for x in (claim.level, claim.against)
            )
            if moved is not None and first is not None:
                level.append(moved)
                against.append(first)
        return level, against

    def _more_lost(self, claim: Claim) -> float:
        """Return how much more often trials diverge at the claim's level, as a probability."""
        level, against = self._sides(claim)
        return float(self.world.lost[level].mean() - self.world.lost[against].mean())

    def _won(self, claim: Claim) -> float:
        """Return the share of pairs in which the level is worse, less that in which it is better.

        Diverged trials are the worst.
        """
        level, against = self._sides(claim)
        worst = self._drawn
        return float(np.nanmean(np.sign(worst[:, level] - worst[:, against])))

    @cached_property
    def _drawn(self) -> np.ndarray:
        """Outcomes for many seeds, in which diverged trials are above all others."""
        trials: Trials = self.world.draw(np.random.default_rng(1), SEEDS_FOR_WINS)
        return np.where(trials.diverged, 1e9, trials.values)


def _agrees(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Check whether two sets of levels are the same in all factors that both have."""
    return all(other.get(factor, level) == level for factor, level in one.items())
