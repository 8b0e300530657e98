"""The primary outcome of a study as seed x cell, with its design and its rule."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from reports.claims.design import Block, Design, Term
from reports.claims.estimates import SAME, Trials
from reports.claims.rule import Rule
from reports.table import StudyTable

OPEN = ("planned", "running", "interrupted")
"""How trials stand that may still end."""


@dataclass(frozen=True)
class Cells:
    """One outcome of a study.

    Attributes:
        plan: as in plan.json.
        table: its results.
        metric: name of the outcome.
        design: what can be compared.
        rule: how it is decided.
        values: (cell, seed) -> outcome of a finished trial, in its own unit; only finite ones.
    """

    plan: Mapping[str, Any]
    table: StudyTable
    metric: str
    design: Design
    rule: Rule
    values: Mapping[tuple[str, int], float]

    @classmethod
    def of(
        cls, table: StudyTable, outcome: Mapping[str, Any] | None = None, share: float = 1.0
    ) -> "Cells":
        """The primary outcome, or another one of the plan.

        Args:
            table: the study's results.
            outcome: an entry of `also`; None: the primary outcome.
            share: part of the error budget that its claims may spend.
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
    def seeds(self) -> tuple[int, ...]:
        """The seeds that have trials, in the plan's order."""
        there = {int(seed) for seed in self.table.trials["seed"]}
        planned = [int(seed) for seed in self.plan.get("seeds", ())]
        return tuple(dict.fromkeys([*(s for s in planned if s in there), *sorted(there)]))

    @cached_property
    def raw(self) -> np.ndarray:
        """(seeds, cells) in the outcome's own unit."""
        found = np.full((len(self.seeds), len(self.design.cells)), np.nan)
        place = {seed: i for i, seed in enumerate(self.seeds)}
        for (cell, seed), value in self.values.items():
            if cell in self.design.index:
                found[place[seed], self.design.index[cell]] = value
        return found

    @cached_property
    def trials(self) -> Trials:
        """The same with + for worse, on the scale of the rule, and which trials diverged or may
        still end."""
        values = self.raw
        if self.rule.log:
            with np.errstate(all="ignore"):
                values = np.where(values > 0, np.log(values), np.nan)
        diverged, open_ = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
        place = {seed: i for i, seed in enumerate(self.seeds)}
        rows = self.table.trials
        for cell, seed, status in zip(rows["cell_id"], rows["seed"], rows["status"], strict=True):
            if str(cell) in self.design.index:
                at = place[int(seed)], self.design.index[str(cell)]
                diverged[at], open_[at] = status == "diverged", status in OPEN
        return Trials.of(
            self.seeds, self.rule.worse * values, diverged, open_, quantised=not self.rule.log
        )

    def by_seed(self, pairs: Sequence[tuple[int, int]]) -> dict[int, float]:
        """Seed -> mean over the pairs of cells (level, first level) that both have, in the
        outcome's own unit.

        A cell paired with itself differs by 0, known or not; it makes no seed count, unless all of
        them are.
        """
        values = self.own
        apart = any(a != b for a, b in pairs)
        found = {}
        for row, seed in enumerate(self.seeds):
            both = [(a, b) for a, b in pairs if a == b or np.isfinite(values[row, [a, b]]).all()]
            if any((a != b) == apart for a, b in both):
                found[seed] = math.fsum(
                    values[row, a] - values[row, b] for a, b in both if a != b
                ) / len(both)
        return found

    @cached_property
    def own(self) -> np.ndarray:
        """(seeds, cells) on the scale of the rule, larger as in the outcome itself."""
        return self.rule.worse * self.trials.values

    def contrast(self, weights: np.ndarray) -> dict[int, float]:
        """Seed -> a contrast of cells, where all that it needs have a value."""
        cells = np.flatnonzero(weights)
        values = self.own[:, cells]
        return {
            seed: math.fsum(row * weights[cells])
            for seed, row in zip(self.seeds, values, strict=True)
            if np.isfinite(row).all()
        }

    def effects(self, term: Term) -> dict[int, float]:
        """Seed -> effect of a change, from the pairs that the seed has; of a fraction from its
        balanced contrast."""
        if not term.blocks:
            return self.contrast(self.design.fraction_weights(term))
        return self.by_seed(pairs(term.blocks))

    def settled(self, value: float) -> float:
        """A mean of effects, 0 where it is not more than the rounding of the arithmetic."""
        largest = float(np.nanmax(np.abs(self.trials.values), initial=0.0))
        return 0.0 if abs(value) <= SAME * largest else value

    def shown(self, value: float) -> float:
        """An effect as readers see it: on a log scale the ratio less 1."""
        return math.expm1(value) if self.rule.log else value


def pairs(blocks: Iterable[Block]) -> list[tuple[int, int]]:
    """(level, first level) of blocks of one change."""
    return [(block.cells[1], block.cells[0]) for block in blocks]


def _as_primary(plan: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The plan with another outcome in the place of the primary one, whose margin and scale are not
    its own."""
    own = {"better": None, "smallest_effect": None, "scale": "linear", **outcome}
    usual = plan.get("metrics", {}).get(str(outcome["metric"]), {}).get("better")
    kept = {key: value for key, value in plan["outcome"].items() if key != "also"}
    return {**plan, "outcome": {**kept, **own, "better": own["better"] or usual or "lower"}}


def _rule(
    table: StudyTable, design: Design, outcome: Mapping[str, Any], share: float, primary: bool
) -> Rule:
    """The rule of an outcome."""
    margin, log = outcome.get("smallest_effect"), outcome.get("scale") == "log"
    if margin is not None:
        margin = math.log1p(float(margin)) if log else float(margin)
    looks = tuple(int(n) for n in outcome.get("looks", ()))
    spend = str(outcome.get("spend") or ("even" if design.alone else "late"))
    peeked = table.ledger is not None and table.ledger.peeked
    better = str(outcome.get("better") or "lower")
    return Rule(better, margin, log, looks, spend, peeked, share, primary)


def _values(table: StudyTable, metric: str) -> dict[tuple[str, int], float]:
    """(cell, seed) -> outcome of the finished trials, where it is finite."""
    column = f"metric.{metric}"
    if column not in table.trials:
        return {}
    done = table.trials[table.trials["status"] == "finished"]
    rows = zip(done["cell_id"], done["seed"], done[column].astype(float), strict=True)
    return {(str(cell), int(seed)): value for cell, seed, value in rows if math.isfinite(value)}
