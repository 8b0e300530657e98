"""The primary outcome of a study as an array of units and cells, with its design and its rule.

The unit is what intervals are taken over: the seed, or the network where several seeds start from
each of several networks.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from reports.claims.design import Block, Design, Term
from reports.claims.estimates import SAME, Trials
from reports.claims.networks import over_networks
from reports.claims.rule import Rule
from reports.documents.plan import OutcomeDocument, PlanDocument
from reports.table import StudyTable

OPEN = ("planned", "running", "interrupted")
"""Statuses of trials that may still end."""


@dataclass(frozen=True)
class Cells:
    """One outcome of a study.

    Attributes:
        plan: The content of plan.json.
        table: The study's results.
        metric: Name of the outcome.
        design: What can be compared.
        rule: How the outcome is decided.
        values: (cell, seed) -> outcome of a finished trial, in its own unit; only finite ones.
    """

    plan: PlanDocument
    table: StudyTable
    metric: str
    design: Design
    rule: Rule
    values: Mapping[tuple[str, int], float]

    @classmethod
    def of(
        cls, table: StudyTable, outcome: Mapping[str, Any] | None = None, share: float = 1.0
    ) -> "Cells":
        """Return the primary outcome, or another one of the plan.

        Args:
            table: The study's results.
            outcome: An entry of `also`; None for the primary outcome.
            share: Part of the error budget that its claims may spend.
        """
        if outcome is not None:
            table = replace(table, study=_as_primary(table.study, outcome))
        plan = table.study
        design, metric = Design.of_plan(plan), str(plan["outcome"]["metric"])
        rule = _rule(table, design, plan["outcome"], share, outcome is None)
        return cls(plan, table, metric, design, rule, _values(table, metric))

    @property
    def better(self) -> str:
        """`lower` or `higher`."""
        return self.rule.better

    @cached_property
    def network_of(self) -> Mapping[int, int]:
        """Seed -> network, where the seeds are repeated with several networks; else empty."""
        return {
            int(seed): int(entry["network"])
            for entry in self.plan.get("networks", ())
            for seed in entry["seeds"]
        }

    @property
    def unit(self) -> str:
        """What intervals are taken over: `network` if there are several seeds on each, or `seed`.

        It is also the name of the column that holds it.
        """
        return "network" if self.network_of else "seed"

    @property
    def units(self) -> tuple[int, ...]:
        """The seeds, or networks, that have trials, in the plan's order."""
        return self.trials.seeds

    @cached_property
    def _seeds(self) -> tuple[int, ...]:
        """Seeds that have trials, in the plan's order."""
        with_trials = {int(seed) for seed in self.table.trials["seed"]}
        planned = [int(seed) for seed in self.plan.get("seeds", ())]
        return tuple(
            dict.fromkeys([*(s for s in planned if s in with_trials), *sorted(with_trials)])
        )

    @cached_property
    def _raw_trials(self) -> np.ndarray:
        """(seeds, cells) outcomes in the outcome's own unit; nan where there is none."""
        outcomes = np.full((len(self._seeds), len(self.design.cells)), np.nan)
        place = {seed: i for i, seed in enumerate(self._seeds)}
        for (cell, seed), value in self.values.items():
            if cell in self.design.index:
                outcomes[place[seed], self.design.index[cell]] = value
        return outcomes

    @cached_property
    def raw(self) -> np.ndarray:
        """(units, cells) outcomes in the outcome's own unit; nan where there is none."""
        if not self.network_of:
            return self._raw_trials
        return self._over_networks(replace(self.trials_by_seed, values=self._raw_trials)).values

    @cached_property
    def trials_by_seed(self) -> Trials:
        """The outcomes with + for worse, on the scale of the rule, and the states of the trials."""
        values = self._raw_trials
        if self.rule.log:
            with np.errstate(all="ignore"):
                values = np.where(values > 0, np.log(values), np.nan)

        diverged, open_ = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
        place = {seed: i for i, seed in enumerate(self._seeds)}
        rows = self.table.trials
        for cell, seed, status in zip(rows["cell_id"], rows["seed"], rows["status"], strict=True):
            if str(cell) in self.design.index:
                at = place[int(seed)], self.design.index[str(cell)]
                diverged[at], open_[at] = status == "diverged", status in OPEN

        # Logarithms of values with a step don't move in steps.
        return Trials.of(
            self._seeds, self.rule.worse * values, diverged, open_, quantised=not self.rule.log
        )

    @cached_property
    def trials(self) -> Trials:
        """The same with one row per unit: where the unit is the network, means over its seeds."""
        return self._over_networks(self.trials_by_seed) if self.network_of else self.trials_by_seed

    def _over_networks(self, trials: Trials) -> Trials:
        """Return trials with one row per network."""
        return over_networks(trials, [self.network_of.get(seed, seed) for seed in self._seeds])

    def by_unit(self, pairs: Sequence[tuple[int, int]]) -> dict[int, float]:
        """Return unit -> mean difference over the pairs of cells of which the unit has both.

        A cell paired with itself differs by 0, known or not. Such pairs alone don't make a unit
        count, unless all pairs are of this kind.

        Args:
            pairs: (level, first level) cells.

        Returns:
            Differences on the scale of the rule, in the outcome's own direction.
        """
        return self._differences(self.own, self.units, pairs)

    @staticmethod
    def _differences(
        values: np.ndarray, rows: Sequence[int], pairs: Sequence[tuple[int, int]]
    ) -> dict[int, float]:
        """Return row -> mean difference, see `by_unit`.

        Args:
            values: (rows, cells) outcomes.
            rows: Names of the rows.
            pairs: (level, first level) cells.
        """
        apart = any(a != b for a, b in pairs)

        differences = {}
        for row, name in enumerate(rows):
            both = [(a, b) for a, b in pairs if a == b or np.isfinite(values[row, [a, b]]).all()]
            if any((a != b) == apart for a, b in both):
                differences[name] = math.fsum(
                    values[row, a] - values[row, b] for a, b in both if a != b
                ) / len(both)
        return differences

    @cached_property
    def own(self) -> np.ndarray:
        """(units, cells) outcomes on the scale of the rule, in the outcome's own direction."""
        return self.rule.worse * self.trials.values

    def contrast(self, weights: np.ndarray) -> dict[int, float]:
        """Return unit -> contrast of cells, for units that have every cell of the contrast.

        Args:
            weights: (cells,) the contrast.
        """
        return self._contrasts(self.own, self.units, weights)

    @staticmethod
    def _contrasts(
        values: np.ndarray, rows: Sequence[int], weights: np.ndarray
    ) -> dict[int, float]:
        """Return row -> contrast, see `contrast`.

        Args:
            values: (rows, cells) outcomes.
            rows: Names of the rows.
            weights: (cells,) the contrast.
        """
        cells = np.flatnonzero(weights)
        return {
            name: math.fsum(row * weights[cells])
            for name, row in zip(rows, values[:, cells], strict=True)
            if np.isfinite(row).all()
        }

    def effects(self, term: Term) -> dict[int, float]:
        """Return unit -> effect of a change, from the pairs of cells that the unit has.

        In a fraction, the effect is the change's balanced contrast.
        """
        if not term.blocks:
            return self.contrast(self.design.fraction_weights(term))
        return self.by_unit(pairs(term.blocks))

    def effects_by_seed(self, term: Term) -> dict[int, float]:
        """Return seed -> effect of a change, also where the unit is the network."""
        values = self.rule.worse * self.trials_by_seed.values
        if not term.blocks:
            weights = self.design.fraction_weights(term)
            return self._contrasts(values, self.trials_by_seed.seeds, weights)
        return self._differences(values, self.trials_by_seed.seeds, pairs(term.blocks))

    def settled(self, value: float) -> float:
        """Return a mean of effects, or 0 if it is only rounding of the arithmetic."""
        largest = float(np.nanmax(np.abs(self.trials.values), initial=0.0))
        return 0.0 if abs(value) <= SAME * largest else value

    def shown(self, value: float) -> float:
        """Return an effect as readers see it: on a log scale, the ratio less 1."""
        return math.expm1(value) if self.rule.log else value


def pairs(blocks: Iterable[Block]) -> list[tuple[int, int]]:
    """Return (level, first level) of each block of one change."""
    return [(block.cells[1], block.cells[0]) for block in blocks]


def _as_primary(plan: PlanDocument, outcome: Mapping[str, Any]) -> PlanDocument:
    """Return the plan with another outcome in the place of the primary one.

    The other outcome doesn't inherit the primary one's margin and scale.
    """
    own = {"better": None, "smallest_effect": None, "scale": "linear", **outcome}
    usual = plan.get("metrics", {}).get(str(outcome["metric"]), {}).get("better")
    primary = {key: value for key, value in plan["outcome"].items() if key != "also"}
    better = own["better"] or usual or "lower"
    return {**plan, "outcome": cast(OutcomeDocument, {**primary, **own, "better": better})}


def _rule(
    table: StudyTable, design: Design, outcome: Mapping[str, Any], share: float, primary: bool
) -> Rule:
    """Return the rule of an outcome."""
    margin, log = outcome.get("smallest_effect"), outcome.get("scale") == "log"
    if margin is not None:
        margin = math.log1p(float(margin)) if log else float(margin)
    looks = tuple(int(n) for n in outcome.get("looks", ()))
    spend = str(outcome.get("spend") or ("even" if design.alone else "late"))
    peeked = table.ledger is not None and table.ledger.peeked
    better = str(outcome.get("better") or "lower")
    return Rule(better, margin, log, looks, spend, peeked, share, primary)


def _values(table: StudyTable, metric: str) -> dict[tuple[str, int], float]:
    """Return (cell, seed) -> outcome of the finished trials, where it is finite."""
    column = f"metric.{metric}"
    if column not in table.trials:
        return {}
    done = table.trials[table.trials["status"] == "finished"]
    rows = zip(done["cell_id"], done["seed"], done[column].astype(float), strict=True)
    return {(str(cell), int(seed)): value for cell, seed, value in rows if math.isfinite(value)}
