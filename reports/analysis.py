"""From the results of a study to its statistics: arms, effects, shares, verdicts, onsets, metrics.

The unit is the seed: trials that share one are not independent, so every difference is first averaged within a seed,
and intervals are t intervals over the seeds.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, NamedTuple

import pandas as pd

from reports.robustness import check_verdicts
from reports.stats.paired import ALPHA, Interval, detectable, holm, judged, verdict
from reports.table import StudyTable

ARMS = (
    "n",
    "n_finished",
    "n_diverged",
    "n_failed",
    "mean",
    "sd",
    "difference",
    "low",
    "high",
    "p",
    "p_adjusted",
    "verdict",
)
EFFECTS = ("term", "order", "estimate", "low", "high", "p", "p_adjusted", "aliases")
SHAPLEY = ("factor", "value", "low", "high")
VERDICTS = (
    *("factor", "verdict", "effect", "low", "high", "p_adjusted"),
    *("n_pairs", "smallest_effect", "detectable_effect"),
)
SIMPLE = ("factor", "other", "level", "effect", "low", "high", "n")
ONSET = ("trial_id", "cell_id", "seed", "degraded_at_step", "censored_at_step", "event")
METRICS = ("cell_id", "metric", "at", "n", "mean", "sd", "low", "high")
MOST_SHAPLEY = 6
"""Factors up to which all orders are walked."""


@dataclass(frozen=True)
class Analysis:
    """Tidy frames, one a question; the columns are those of the CSV files.

    Attributes:
        arms: a row a cell: mean and spread of the primary outcome, difference to the reference.
        effects: a row a factorial term; a factor with several levels has a term a level (`factor=level`).
        shapley: a row a factor; the values sum to the difference of the full and the empty cell.
        verdicts: a row a factor, or a level (`factor=level`) of a factor with several.
        checks: the same rows: what other methods and other data sets of the same study would have said.
        simple: a row a factor (or level of it) and level of another one: its effect there (full factorials).
        onset: a row a trial.
        metrics: a row a cell, metric and time (`at`: `end` or `step 0`).
    """

    arms: pd.DataFrame
    effects: pd.DataFrame
    shapley: pd.DataFrame
    verdicts: pd.DataFrame
    checks: pd.DataFrame
    simple: pd.DataFrame
    onset: pd.DataFrame
    metrics: pd.DataFrame


def analyse(table: StudyTable) -> Analysis:
    """The statistics of a study; frames are empty where the design or the data do not allow them."""
    return _Study(table).analysis()


class _Change(NamedTuple):
    """A factor at a level that is not its first; `name`: the factor, or `factor=level` where it has more than two."""

    factor: str
    level: str
    name: str


class _Study:
    """The primary outcome as cell x seed, with the rule of the plan."""

    def __init__(self, table: StudyTable) -> None:
        self.plan, self.trials = table.study, table.trials
        outcome = self.plan["outcome"]
        self.metric, self.better = str(outcome["metric"]), str(outcome.get("better", "lower"))
        self.margin: float | None = outcome.get("smallest_effect")
        self.alpha = float(outcome.get("alpha", ALPHA))
        self.cells = {str(c["cell_id"]): {str(k): str(v) for k, v in c["levels"].items()} for c in self.plan["cells"]}
        self.factors = {str(f): [str(x) for x in entry["levels"]] for f, entry in self.plan.get("factors", {}).items()}
        self.first = {
            f: str(self.plan["factors"][f].get("reference") or levels[0]) for f, levels in self.factors.items()
        }
        self.seeds = sorted({int(seed) for seed in self.trials["seed"]})
        self.values = self._values()

    def _values(self) -> dict[tuple[str, int], float]:
        """(cell, seed) -> outcome of the finished trials."""
        column = f"metric.{self.metric}"
        if column not in self.trials:
            return {}
        done = self.trials[(self.trials["status"] == "finished") & self.trials[column].notna()]
        return {(str(c), int(s)): float(v) for c, s, v in zip(done["cell_id"], done["seed"], done[column], strict=True)}

    def analysis(self) -> Analysis:
        """All frames."""
        compared = self._compared() if len(self.cells) > 1 else {}
        return Analysis(
            arms=self._arms(),
            effects=self._effects(),
            shapley=self._shapley(),
            verdicts=self._verdicts(compared),
            checks=self._checks(compared),
            simple=self._simple(),
            onset=self._onset(),
            metrics=self._metrics(),
        )

    def _paired(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """One difference a seed: the mean over the pairs of cells that both have."""
        return list(self._by_seed(pairs).values())

    def _by_seed(self, pairs: Sequence[tuple[str, str]]) -> dict[int, float]:
        """Seed -> mean difference over the pairs of cells that both have."""
        found = {}
        for seed in self.seeds:
            both = [
                self.values[a, seed] - self.values[b, seed]
                for a, b in pairs
                if (a, seed) in self.values and (b, seed) in self.values
            ]
            if both:
                found[seed] = math.fsum(both) / len(both)
        return found

    def _arms(self) -> pd.DataFrame:
        reference = str(self.plan.get("reference_cell"))
        rows, intervals = [], []
        for cell, levels in self.cells.items():
            status = self.trials.loc[self.trials["cell_id"] == cell, "status"]
            own = self._interval([self.values[cell, s] for s in self.seeds if (cell, s) in self.values])
            difference = self._interval(self._paired([(cell, reference)]) if cell != reference else [])
            intervals.append(difference)
            rows.append(
                {
                    "cell_id": cell,
                    **{f"level.{factor}": levels.get(factor, "") for factor in self.factors},
                    "n": len(status),
                    **{f"n_{word}": int((status == word).sum()) for word in ("finished", "diverged", "failed")},
                    **{"mean": own.mean, "sd": own.sd, "difference": difference.mean},
                    **{"low": difference.low, "high": difference.high, "p": difference.p},
                }
            )
        adjusted = holm([interval.p for interval in intervals])
        for row, interval, p in zip(rows, intervals, adjusted, strict=True):
            row["p_adjusted"] = p
            if row["cell_id"] == reference:
                row["verdict"] = ""
            else:
                row["verdict"] = verdict(interval, p, self.margin, self.better, self.alpha)
        columns = [f"level.{factor}" for factor in self.factors]
        return pd.DataFrame(rows, columns=["cell_id", *columns, *ARMS])

    def _interval(self, values: Sequence[float]) -> Interval:
        return Interval.of(values, self.alpha)

    def _two_level(self) -> bool:
        return bool(self.factors) and all(len(levels) == 2 for levels in self.factors.values())

    def _sign(self, cell: str, term: Sequence[str]) -> int:
        """Product of -1 (first level) and +1 (second) over the term's factors."""
        return math.prod(-1 if self.cells[cell].get(f, self.first[f]) == self.first[f] else 1 for f in term)

    def _full(self) -> bool:
        return self._two_level() and self._complete()

    def _complete(self) -> bool:
        """Whether every combination of levels is a cell."""
        return bool(self.factors) and len(self.cells) == math.prod(len(levels) for levels in self.factors.values())

    def _changes(self) -> list[_Change]:
        """What can be compared with a factor's first level."""
        found = []
        for factor, levels in self.factors.items():
            others = [level for level in levels if level != self.first[factor]]
            found += [_Change(factor, level, factor if len(others) == 1 else f"{factor}={level}") for level in others]
        return found

    def _seeds_with(self, cells: Iterable[str]) -> list[int]:
        """The seeds for which all these cells have a value."""
        wanted = list(cells)
        return [seed for seed in self.seeds if all((cell, seed) in self.values for cell in wanted)]

    def _contrast(self, term: Sequence[str]) -> list[float]:
        """One contrast a seed that has all cells."""
        return list(self._contrast_by_seed(term).values())

    def _contrast_by_seed(self, term: Sequence[str]) -> dict[int, float]:
        """Seed -> mean of the cells with sign + minus mean of those with -, where all cells have a value."""
        signs = {cell: self._sign(cell, term) for cell in self.cells}
        half = len(self.cells) / 2
        return {
            s: math.fsum(sign * self.values[cell, s] for cell, sign in signs.items()) / half
            for s in self._seeds_with(self.cells)
        }

    def _effects(self) -> pd.DataFrame:
        """Main effects and interactions of a factorial; of a fractional one aliased terms once."""
        if not self._two_level() and self._complete() and len(self.factors) > 1:
            return self._corrected(self._level_effects())
        balanced = self._two_level() and all(
            sum(self._sign(cell, (factor,)) for cell in self.cells) == 0 for factor in self.factors
        )
        if not balanced:
            return pd.DataFrame(columns=list(EFFECTS))
        aliases: Mapping[str, Any] = self.plan.get("aliases") or {}
        rows, seen = [], set()
        for order in range(1, len(self.factors) + 1 if self._full() else min(3, len(self.factors) + 1)):
            for term in combinations(self.factors, order):
                pattern = tuple(self._sign(cell, term) for cell in self.cells)
                if pattern in seen or tuple(-sign for sign in pattern) in seen or abs(sum(pattern)) == len(pattern):
                    continue
                seen.add(pattern)
                values = self._contrast(term)
                if order == 1 and len(values) < len(self.seeds) and self._full():
                    values = self._paired(self._pairs(term[0]))
                name = " × ".join(term)
                found = self._interval(values)
                rows.append((name, order, found.mean, found.low, found.high, found.p, math.nan, _listed(aliases, term)))
        return self._corrected(rows)

    def _level_effects(self) -> list[tuple[Any, ...]]:
        """Each level against the first, and pairs of such changes: half of what one changes the other's effect by."""
        changes, rows = self._changes(), []
        for change in changes:
            rows.append((change.name, 1, self._interval(self._paired(self._pairs(change.factor, change.level)))))
        for one, other in combinations(changes, 2):
            if one.factor == other.factor:
                continue
            there = self._pairs_at(one, other.factor, other.level)
            before = self._pairs_at(one, other.factor, self.first[other.factor])
            with_, without = self._by_seed(there), self._by_seed(before)
            complete = self._seeds_with(cell for pair in there + before for cell in pair)
            values = [(with_[seed] - without[seed]) / 2 for seed in complete]
            rows.append((f"{one.name} × {other.name}", 2, self._interval(values)))
        return [(name, order, i.mean, i.low, i.high, i.p, math.nan, "") for name, order, i in rows]

    def _corrected(self, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
        """The frame of effects; Holm's correction over the main effects, and over the rest."""
        frame = pd.DataFrame(rows, columns=list(EFFECTS))
        for _, group in frame.groupby(frame["order"] > 1):
            frame.loc[group.index, "p_adjusted"] = holm(group["p"].tolist())
        return frame

    def _pairs_at(self, change: _Change, other: str, level: str) -> list[tuple[str, str]]:
        """The pairs of a change where another factor is at a level."""
        return [(a, b) for a, b in self._pairs(change.factor, change.level) if self._level(a, other) == level]

    def _pairs(self, factor: str, level: str | None = None) -> list[tuple[str, str]]:
        """Pairs of cells that differ in this factor alone: at the level (any but the first), at the first level."""
        by_levels = {tuple(sorted(levels.items())): cell for cell, levels in self.cells.items()}
        pairs = []
        for cell, levels in self.cells.items():
            there = levels.get(factor, self.first[factor])
            if there == self.first[factor] or level not in (None, there):
                continue
            partner = by_levels.get(tuple(sorted({**levels, factor: self.first[factor]}.items())))
            if partner is not None:
                pairs.append((cell, partner))
        return pairs

    def _compared(self) -> dict[str, tuple[dict[int, float], list[tuple[str, str]]]]:
        """Factor, or `factor=level` where it has more than two -> its effect by seed, and the pairs of cells behind."""
        found = {}
        for factor, level, name in self._changes():
            pairs = self._pairs(factor, level)
            fractional = not pairs and self._two_level()
            values = self._contrast_by_seed((factor,)) if fractional else self._by_seed(pairs)
            found[name] = (values, pairs)
        return found

    def _verdicts(self, compared: Mapping[str, tuple[dict[int, float], Any]]) -> pd.DataFrame:
        """A row a factor, or a level of a factor with more than two."""
        values = {name: by_seed for name, (by_seed, _) in compared.items()}
        margin = math.nan if self.margin is None else self.margin
        rows = [
            (name, word, found.mean, found.low, found.high, p, found.n, margin, detectable(found, self.alpha))
            for name, (found, p, word) in judged(values, self.margin, self.better, self.alpha).items()
        ]
        return pd.DataFrame(rows, columns=list(VERDICTS))

    def _checks(self, compared: Mapping[str, tuple[dict[int, float], list[tuple[str, str]]]]) -> pd.DataFrame:
        """What would have been said with another method, without a seed, or with the missing trials."""
        sides = {
            name: [
                (self.values.get((a, seed), math.nan), self.values.get((b, seed), math.nan))
                for a, b in pairs
                for seed in self.seeds
            ]
            for name, (_, pairs) in compared.items()
        }
        reference = str(self.plan.get("reference_cell"))
        spread = Interval.of([self.values[reference, s] for s in self.seeds if (reference, s) in self.values]).sd
        values = {name: by_seed for name, (by_seed, _) in compared.items()}
        seen = tuple(self.values.values())
        start = int(str(self.plan.get("hash", ""))[:8] or "0", 16)
        return check_verdicts(values, sides, seen, spread, self.margin, self.better, start, self.alpha)

    def _simple(self) -> pd.DataFrame:
        """The effect of each factor, or level of it, at each level of each other one."""
        rows: list[tuple[Any, ...]] = []
        for change in self._changes() if self._complete() else ():
            for other in self.factors:
                for level in self.factors[other] if other != change.factor else ():
                    found = self._interval(self._paired(self._pairs_at(change, other, level)))
                    rows.append((change.name, other, level, found.mean, found.low, found.high, found.n))
        return pd.DataFrame(rows, columns=list(SIMPLE))

    def _level(self, cell: str, factor: str) -> str:
        return self.cells[cell].get(factor, self.first[factor])

    def _shapley(self) -> pd.DataFrame:
        """Average change of each factor over all orders of switching the factors on, a value a seed."""
        names = list(self.factors)
        if not self._full() or not 1 < len(names) <= MOST_SHAPLEY:
            return pd.DataFrame(columns=list(SHAPLEY))
        cell_of = {frozenset(f for f in names if self._sign(cell, (f,)) > 0): cell for cell in self.cells}
        complete = self._seeds_with(self.cells)
        orders = list(permutations(names))
        shares: dict[str, list[float]] = {name: [] for name in names}
        for seed in complete:
            sums = dict.fromkeys(names, 0.0)
            for order in orders:
                on: frozenset[str] = frozenset()
                for name in order:
                    sums[name] += self.values[cell_of[on | {name}], seed] - self.values[cell_of[on], seed]
                    on |= {name}
            for name in names:
                shares[name].append(sums[name] / len(orders))
        found = {name: self._interval(values) for name, values in shares.items()}
        rows = [(name, interval.mean, interval.low, interval.high) for name, interval in found.items()]
        return pd.DataFrame(rows, columns=list(SHAPLEY)) if complete else pd.DataFrame(columns=list(SHAPLEY))

    def _onset(self) -> pd.DataFrame:
        """When each trial degraded, or how long it was watched without."""
        rows = []
        for row in self.trials.to_dict("records"):
            step, done = row.get("degraded_at_step", math.nan), row.get("steps_done", math.nan)
            degraded = pd.notna(step)
            event = "degraded" if degraded else "diverged" if row["status"] == "diverged" else "none"
            censored = math.nan if degraded else done
            rows.append((row["trial_id"], row["cell_id"], row["seed"], step if degraded else math.nan, censored, event))
        return pd.DataFrame(rows, columns=list(ONSET))

    def _metrics(self) -> pd.DataFrame:
        """Every recorded metric in every cell, at the end (finished trials) and at step 0 (all)."""
        rows = []
        for column in self.trials:
            kind, _, name = str(column).partition(".")
            if kind not in ("metric", "metric0"):
                continue
            chosen = self.trials[self.trials["status"] == "finished"] if kind == "metric" else self.trials
            for cell in self.cells:
                own = self._interval(chosen.loc[chosen["cell_id"] == cell, str(column)].astype(float).tolist())
                at = "end" if kind == "metric" else "step 0"
                rows.append((cell, name, at, own.n, own.mean, own.sd, own.low, own.high))
        return pd.DataFrame(rows, columns=list(METRICS))


def _listed(aliases: Mapping[str, Any], term: Sequence[str]) -> str:
    """Terms that this one can't be told from; the plan may join names in one of several ways."""
    for join in (" × ", ":", "*", " x "):
        if join.join(term) in aliases:
            return ", ".join(str(other) for other in aliases[join.join(term)])
    return ""
