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

from reports.patches import first_level
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
DIFFERENCES = ("factor", "seed", "effect")
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
        differences: a row a verdict and seed: the effects that the verdict's interval is made of.
        onset: a row a trial.
        metrics: a row a cell, metric and time (`at`: `end` or `step 0`).
        idle: verdicts of factors, or levels of one, that did nothing: no two trials of a seed that differ in it alone
            end otherwise, to the last digit.
        uncompared: factors, or levels of one (`factor=level`), that these cells allow no verdict on.
    """

    arms: pd.DataFrame
    effects: pd.DataFrame
    shapley: pd.DataFrame
    verdicts: pd.DataFrame
    checks: pd.DataFrame
    simple: pd.DataFrame
    differences: pd.DataFrame
    onset: pd.DataFrame
    metrics: pd.DataFrame
    idle: tuple[str, ...]
    uncompared: tuple[str, ...]


def analyse(table: StudyTable) -> Analysis:
    """The statistics of a study; frames are empty where the design or the data do not allow them."""
    return _Study(table).analysis()


def design_kind(plan: Mapping[str, Any]) -> str:
    """The name of a study's design; `custom` where the plan has none."""
    design = plan.get("design", "custom")
    return str(design.get("kind", "custom") if isinstance(design, Mapping) else design)


Levels = Mapping[str, str]
Pairs = Sequence[tuple[str, str]]
Compared = Mapping[str, tuple[Mapping[int, float], Pairs]]
"""Name of a verdict -> its effect by seed, and the pairs of cells behind it."""


class _Change(NamedTuple):
    """A factor at a level that is not its first."""

    factor: str
    level: str


class _Study:
    """The primary outcome as cell x seed, with the rule of the plan."""

    def __init__(self, table: StudyTable) -> None:
        self.plan, self.trials = table.study, table.trials
        outcome = self.plan["outcome"]
        self.metric, self.better = str(outcome["metric"]), str(outcome.get("better", "lower"))
        self.margin: float | None = outcome.get("smallest_effect")
        self.alpha = float(outcome.get("alpha", ALPHA))
        self.factors = {str(f): [str(x) for x in entry["levels"]] for f, entry in self.plan.get("factors", {}).items()}
        self.first = {f: first_level(self.plan, f) for f in self.factors}
        self.settings = [
            (str(cell["cell_id"]), {**self.first, **{str(f): str(level) for f, level in cell["levels"].items()}})
            for cell in self.plan["cells"]
        ]  # cells with equal configs share an id
        self.cells: dict[str, Levels] = {}
        for cell, levels in self.settings:
            self.cells.setdefault(cell, levels)
        self.cell_at = {_key(levels): cell for cell, levels in self.settings}
        self.changes = self._changes()
        self.comparable = {
            n: change for n, change in self.changes.items() if any(a != b for a, b in self._pairs(change))
        }
        self.seeds = sorted({int(seed) for seed in self.trials["seed"]})
        self.values = self._values()

    def _values(self) -> dict[tuple[str, int], float]:
        """(cell, seed) -> outcome of the finished trials, where it is finite."""
        column = f"metric.{self.metric}"
        if column not in self.trials:
            return {}
        done = self.trials[self.trials["status"] == "finished"]
        rows = zip(done["cell_id"], done["seed"], done[column].astype(float), strict=True)
        return {(str(cell), int(seed)): value for cell, seed, value in rows if math.isfinite(value)}

    def analysis(self) -> Analysis:
        """All frames."""
        compared = self._compared()
        return Analysis(
            arms=self._arms(),
            effects=self._effects(),
            shapley=self._shapley(),
            verdicts=self._verdicts(compared),
            checks=self._checks(compared),
            simple=self._simple(),
            differences=self._differences(compared),
            onset=self._onset(),
            metrics=self._metrics(),
            idle=tuple(name for name, (_, pairs) in compared.items() if self._equal(pairs)),
            uncompared=tuple(name for name in self.changes if name not in compared),
        )

    def _paired(self, pairs: Pairs) -> list[float]:
        """One difference a seed: the mean over the pairs of cells that both have."""
        return list(self._by_seed(pairs).values())

    def _by_seed(self, pairs: Pairs) -> dict[int, float]:
        """Seed -> mean difference over the pairs of cells that both have.

        A cell paired with itself differs by 0, known or not; it makes no seed count, unless all of them are.
        """
        found, apart = {}, any(a != b for a, b in pairs)
        for seed in self.seeds:
            both = [(a, b) for a, b in pairs if a == b or {(a, seed), (b, seed)} <= self.values.keys()]
            if any((a != b) == apart for a, b in both):
                changes = [self.values[a, seed] - self.values[b, seed] for a, b in both if a != b]
                found[seed] = math.fsum(changes) / len(both)
        return found

    def _equal(self, pairs: Pairs) -> bool:
        """Whether every pair of cells ends equal in every seed that has both; False where none has."""
        apart = [(a, b) for a, b in pairs if a != b]
        known = [(a, b, s) for a, b in apart for s in self.seeds if {(a, s), (b, s)} <= self.values.keys()]
        return bool(known) and all(self.values[a, seed] == self.values[b, seed] for a, b, seed in known)

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
                    **{f"level.{factor}": levels[factor] for factor in self.factors},
                    "n": len(status),
                    **{f"n_{word}": int((status == word).sum()) for word in ("finished", "diverged", "failed")},
                    **{"mean": own.mean, "sd": own.sd, "difference": difference.mean},
                    **{"low": difference.low, "high": difference.high, "p": difference.p},
                }
            )
        adjusted = holm([interval.p for interval in intervals])
        for row, interval, p in zip(rows, intervals, adjusted, strict=True):
            row["p_adjusted"] = p
            if row["cell_id"] == reference or reference not in self.cells:
                row["verdict"] = ""
            else:
                row["verdict"] = verdict(interval, p, self.margin, self.better, self.alpha)
        columns = [f"level.{factor}" for factor in self.factors]
        return pd.DataFrame(rows, columns=["cell_id", *columns, *ARMS])

    def _interval(self, values: Sequence[float]) -> Interval:
        return Interval.of(values, self.alpha)

    def _two_level(self) -> bool:
        return bool(self.factors) and all(len(levels) == 2 for levels in self.factors.values())

    def _sign(self, levels: Levels, term: Sequence[str]) -> int:
        """Product of -1 (first level) and +1 (second) over the term's factors."""
        return math.prod(-1 if levels[factor] == self.first[factor] else 1 for factor in term)

    def _full(self) -> bool:
        return self._two_level() and self._complete()

    def _complete(self) -> bool:
        """Whether every combination of levels is a cell."""
        return bool(self.factors) and len(self.settings) == math.prod(len(levels) for levels in self.factors.values())

    def _fraction(self) -> bool:
        """Whether the cells are a fractional design, and all of it: of a part, other terms would be aliased."""
        planned = self._two_level() and design_kind(self.plan) == "fractional_factorial"
        return planned and not any(sum(self._sign(levels, (f,)) for _, levels in self.settings) for f in self.factors)

    def _changes(self) -> dict[str, _Change]:
        """What can be compared with a factor's first level, by the name of its verdict."""
        found: dict[str, _Change] = {}
        for factor, levels in self.factors.items():
            others = [level for level in levels if level != self.first[factor]]
            found |= {factor if len(others) == 1 else f"{factor}={x}": _Change(factor, x) for x in others}
        return found

    def _seeds_with(self, cells: Iterable[str]) -> list[int]:
        """The seeds for which all these cells have a value."""
        wanted = list(cells)
        return [seed for seed in self.seeds if all((cell, seed) in self.values for cell in wanted)]

    def _contrast(self, term: Sequence[str]) -> dict[int, float]:
        """Seed -> mean of the cells with sign + minus mean of those with -, where all cells have a value."""
        signs = [(cell, self._sign(levels, term)) for cell, levels in self.settings]
        half = len(signs) / 2
        return {
            seed: math.fsum(sign * self.values[cell, seed] for cell, sign in signs) / half
            for seed in self._seeds_with(self.cells)
        }

    def _effects(self) -> pd.DataFrame:
        """Main effects and interactions of a factorial; of a fractional one aliased terms once."""
        if not self._two_level() and self._complete() and len(self.factors) > 1:
            return self._corrected(self._level_effects())
        full = self._full()
        if not full and not self._fraction():
            return pd.DataFrame(columns=list(EFFECTS))
        aliases: Mapping[str, Sequence[str]] = self.plan.get("aliases") or {}
        rows, seen = [], set()
        for order in range(1, len(self.factors) + 1 if full else min(3, len(self.factors) + 1)):
            for term in combinations(self.factors, order):
                pattern = tuple(self._sign(levels, term) for _, levels in self.settings)
                if pattern in seen or tuple(-sign for sign in pattern) in seen or abs(sum(pattern)) == len(pattern):
                    continue
                seen.add(pattern)
                values = list(self._contrast(term).values())
                if order == 1 and len(values) < len(self.seeds) and full:
                    values = self._paired(self._pairs(self.changes[term[0]]))
                name = " × ".join(term)
                found = self._interval(values)
                same = ", ".join(aliases.get(":".join(term), ()))
                rows.append((name, order, found.mean, found.low, found.high, found.p, math.nan, same))
        return self._corrected(rows)

    def _level_effects(self) -> list[tuple[Any, ...]]:
        """Each level against the first, and pairs of such changes: half of what one changes the other's effect by."""
        rows = []
        for name, change in self.comparable.items():
            rows.append((name, 1, self._interval(self._paired(self._pairs(change)))))
        for (name, one), (other_name, other) in combinations(self.comparable.items(), 2):
            if one.factor == other.factor:
                continue
            there = self._pairs(one, {other.factor: other.level})
            before = self._pairs(one, {other.factor: self.first[other.factor]})
            with_, without = self._by_seed(there), self._by_seed(before)
            complete = self._seeds_with(cell for pair in there + before for cell in pair)
            values = [(with_[seed] - without[seed]) / 2 for seed in complete]
            rows.append((f"{name} × {other_name}", 2, self._interval(values)))
        return [(name, order, i.mean, i.low, i.high, i.p, math.nan, "") for name, order, i in rows]

    def _corrected(self, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
        """The frame of effects; Holm's correction over the main effects, and over the rest."""
        frame = pd.DataFrame(rows, columns=list(EFFECTS))
        for _, group in frame.groupby(frame["order"] > 1):
            frame.loc[group.index, "p_adjusted"] = holm(group["p"].tolist())
        return frame

    def _pairs(self, change: _Change, at: Levels | None = None) -> list[tuple[str, str]]:
        """Pairs of cells that differ in this change alone, where other factors are at these levels.

        A cell is paired with itself where the change changes nothing, such as the weight of a loss that is off.
        """
        wanted = {**(at or {}), change.factor: change.level}
        pairs = []
        for cell, levels in self.settings:
            if all(levels[factor] == level for factor, level in wanted.items()):
                partner = self.cell_at.get(_key({**levels, change.factor: self.first[change.factor]}))
                if partner is not None:
                    pairs.append((cell, partner))
        return pairs

    def _compared(self) -> Compared:
        """Each change that the cells allow a verdict on: by pairs of cells, of a fraction by its balanced contrast."""
        found: dict[str, tuple[Mapping[int, float], Pairs]] = {}
        for name, change in self.comparable.items():
            pairs = self._pairs(change)
            found[name] = (self._by_seed(pairs), pairs)
        if not found and self._fraction():
            found = {factor: (self._contrast((factor,)), ()) for factor in self.factors}
        return found

    def _differences(self, compared: Compared) -> pd.DataFrame:
        """The effect of each change in each seed."""
        rows = [(name, seed, effect) for name, (by_seed, _) in compared.items() for seed, effect in by_seed.items()]
        return pd.DataFrame(rows, columns=list(DIFFERENCES))

    def _verdicts(self, compared: Compared) -> pd.DataFrame:
        """A row a factor, or a level of a factor with more than two."""
        values = {name: by_seed for name, (by_seed, _) in compared.items()}
        margin = math.nan if self.margin is None else self.margin
        strictest = self.alpha / max(1, len(values))
        rows = [
            (name, word, found.mean, found.low, found.high, p, found.n, margin, detectable(found, strictest))
            for name, (found, p, word) in judged(values, self.margin, self.better, self.alpha).items()
        ]
        return pd.DataFrame(rows, columns=list(VERDICTS))

    def _checks(self, compared: Compared) -> pd.DataFrame:
        """What would have been said with another method, without a seed, or with the missing trials."""
        sides = {
            name: [
                (self.values.get((a, seed), math.nan), self.values.get((b, seed), math.nan)) if a != b else (0.0, 0.0)
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
        for name, change in self.comparable.items() if self._complete() else ():
            for other in self.factors:
                for level in self.factors[other] if other != change.factor else ():
                    found = self._interval(self._paired(self._pairs(change, {other: level})))
                    rows.append((name, other, level, found.mean, found.low, found.high, found.n))
        return pd.DataFrame(rows, columns=list(SIMPLE))

    def _shapley(self) -> pd.DataFrame:
        """Average change of each factor over all orders of switching the factors on, a value a seed."""
        names = list(self.factors)
        if not self._full() or not 1 < len(names) <= MOST_SHAPLEY:
            return pd.DataFrame(columns=list(SHAPLEY))
        cell_of = {frozenset(f for f in names if self._sign(levels, (f,)) > 0): cell for cell, levels in self.settings}
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


def _key(levels: Levels) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(levels.items()))
