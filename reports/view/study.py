"""What every section needs to know about a study, read once from its tables."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from reports.analysis import Analysis
from reports.documents.judged import JudgedDocument
from reports.documents.labels import Labels
from reports.documents.names import ArmNames
from reports.documents.plan import PlanDocument, first_level
from reports.page.blocks import Rich, code, joined, muted, spaced, strong
from reports.page.numbers import Scale
from reports.table import StudyTable
from reports.view.patches import changing

Points = tuple[tuple[int, float], ...]
"""A curve: pairs of step and value."""


class Event(NamedTuple):
    """The event that ended a trial's good time, and its step.

    Attributes:
        kind: `degraded` or `diverged`, whichever came first.
        step: the step of the event.
    """

    kind: str
    step: int


def event_step(row: Mapping[Any, Any]) -> int:
    """Return the step of the event in a row of `onset`; for a diverged trial its last step."""
    at = row["degraded_at_step"] if row["event"] == "degraded" else row["censored_at_step"]
    return int(at) if pd.notna(at) else 0


def fall(kinds: Collection[str]) -> str:
    """Return kinds of events in words: `degraded`, `diverged` or `degraded or diverged`."""
    return " or ".join(sorted(kinds))


@dataclass(frozen=True)
class Arm:
    """One cell of the design.

    Attributes:
        cell_id: its id in the plan.
        levels: factor -> level label.
        also: other combinations of levels that give the same config, and so the same trials.
        code: its short name, such as `G+S`.
        label: the factors that are away from their first level, in words.
        words: the label where it says more than the code, else empty.
        reference: whether other arms are compared with this arm.
        focal: whether it contains the study's main culprit.
        trials: ids of its trials in the results table, by seed.
    """

    cell_id: str
    levels: Mapping[str, str]
    also: tuple[Mapping[str, str], ...]
    code: str
    label: str
    words: str
    reference: bool
    focal: bool
    trials: tuple[str, ...]

    @property
    def heading(self) -> Rich:
        """The code, and the name in words where the code doesn't say it."""
        return spaced([strong(self.code), *([muted(self.words)] if self.words else [])])


@dataclass(frozen=True)
class StudyView:
    """A study's tables and analysis, with the names and formats that all sections share.

    Attributes:
        table: the results of all trials, and the plan.
        analysis: the statistics of the results.
    """

    table: StudyTable
    analysis: Analysis

    @property
    def study(self) -> PlanDocument:
        """The plan, as in plan.json."""
        return self.table.study

    @cached_property
    def further(self) -> "tuple[StudyView, ...]":
        """One view per further outcome, with that outcome as the primary one."""
        return tuple(StudyView(one.cells.table, one) for one in self.analysis.also.values())

    @property
    def factors(self) -> Mapping[str, Mapping[str, Any]]:
        """The factors of the plan: name -> levels and reference level."""
        factors: Mapping[str, Mapping[str, Any]] = self.study.get("factors", {})
        return factors

    @cached_property
    def names(self) -> ArmNames:
        """The names of the arms."""
        return ArmNames(self.study)

    @cached_property
    def labels(self) -> Labels:
        """The plain names of metrics, factors, and levels."""
        return Labels(self.study)

    @property
    def metric(self) -> str:
        """The name of the primary outcome."""
        return str(self.study["outcome"]["metric"])

    @property
    def better(self) -> str:
        """The better direction of the primary outcome: `lower` or `higher`."""
        return str(self.study["outcome"].get("better", "lower"))

    @property
    def margin(self) -> float | None:
        """The smallest effect that matters, in the metric's unit; None without one."""
        value = self.study["outcome"].get("smallest_effect")
        return None if value is None else float(value)

    @property
    def alpha(self) -> float:
        """The error of the intervals, which have confidence 1 - alpha.

        At an early planned look it is smaller than at the end.
        """
        return self.analysis.judgement.alpha

    @property
    def interval(self) -> str:
        """The name of the intervals: `95% interval`."""
        return f"{100 * (1 - self.alpha):.3g}% interval"

    @property
    def log(self) -> bool:
        """Whether effects are ratios because the outcome is judged on a log scale."""
        return self.analysis.cells.rule.log

    @property
    def margin_words(self) -> str:
        """The smallest effect that matters, as the report shows it: `0.010`, `10%`."""
        return self.effects.fixed(self.margin)

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of seeds after which looks are planned; empty for one analysis at the end."""
        return tuple(self.study["outcome"].get("looks", ()))

    @cached_property
    def summary(self) -> str:
        """How the outcome is taken from a curve, in words: `at step 2000`, `at its best`."""
        kind = str(self.study["outcome"].get("summary", "last"))

        # Without curves, the last step is unknown; it is not step 0.
        end = changing(self.study, "steps") or not self.last_step
        last = "the end of training" if end else f"step {self.last_step}"
        return {
            "last": f"at {last}",
            "best": "at its best",
            "mean": "averaged over the run",
            "auc": "as area under the curve",
        }.get(kind, kind)

    @cached_property
    def averaged_over(self) -> str:
        """What the effect of a factor is averaged over, in words."""
        narrow = {claim.scope.type for claim in self.analysis.claims if claim.scope.left_out}
        if "clean" in narrow:
            return "the settings in which no trial diverged"
        if narrow:
            return "the settings that have results"

        settings = sum(1 + len(arm.also) for arm in self.arms)
        crossed = settings == prod(len(entry["levels"]) for entry in self.factors.values())
        if crossed or self.analysis.cells.design.fraction:
            return (
                "the levels of the other factor"
                if len(self.factors) == 2
                else "the settings of the other factors"
            )
        return "the pairs of arms that differ in that factor alone"

    @cached_property
    def last_step(self) -> int:
        """The last step of any curve; 0 without curves."""
        if self.judged and not self.judged.get("curves"):
            return 0
        steps = self.history["step"]
        return int(steps.max()) if len(steps) else 0

    @property
    def planned_steps(self) -> int:
        """The steps of a trial whose levels do not set the steps.

        Without a base, this is the last step of any curve.
        """
        return (
            self.last_step
            if self.foreign
            else int(self.study.get("base", {}).get("steps", self.last_step))
        )

    @property
    def command(self) -> str:
        """The command that each trial runs, with names in braces; empty without a command."""
        return str((self.study.get("trainer") or {}).get("command", ""))

    @property
    def trainer(self) -> str:
        """The name of the Python object that trains the trials; empty without one."""
        return str((self.study.get("trainer") or {}).get("object", ""))

    @property
    def judged(self) -> JudgedDocument:
        """Where the trials came from, if another program made them; empty if they were run here."""
        return self.study.get("judged") or {}

    @property
    def foreign(self) -> str:
        """The word for what trains the trials, `program` or `trainer`; empty: the core."""
        return "program" if self.command or self.judged else "trainer" if self.trainer else ""

    @cached_property
    def has_onsets(self) -> bool:
        """Whether it is known which trials degraded: some programs record nothing at step 0."""
        column = f"metric0.{self.metric}"
        start = self.table.trials.get(column)
        return not self.judged or (start is not None and bool(start.notna().any()))

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the trials, sorted."""
        return tuple(sorted({int(seed) for seed in self.table.trials["seed"]}))

    @cached_property
    def history(self) -> pd.DataFrame:
        """The curves of the primary outcome, with columns trial_id, step, and value."""
        history: pd.DataFrame = self.table.history
        return history[history["name"] == f"metric/{self.metric}"]

    @cached_property
    def curves(self) -> Mapping[str, Points]:
        """The curve of the primary outcome for each trial, finite values only."""
        return self.series(f"metric/{self.metric}")

    def series(self, name: str) -> Mapping[str, Points]:
        """Return the curve of a recorded name for each trial, as pairs of step and value.

        Only finite values are kept; trials without any are left out.

        Args:
            name: a name in `history`, such as `loss/d_hinge`.
        """
        history = self.table.history
        rows = history[
            (history["name"] == name) & np.isfinite(history["value"].astype(float))
        ].sort_values(["trial_id", "step"])
        return {
            str(trial): tuple(
                (int(s), float(v)) for s, v in zip(part["step"], part["value"], strict=True)
            )
            for trial, part in rows.groupby("trial_id", sort=True)
        }

    @cached_property
    def scale(self) -> Scale:
        """The digits of the primary outcome: those of the margin or the largest differences."""
        if self.margin and not self.log:
            return Scale.of(self.margin)
        arms = self.analysis.arms
        sizes = [float(v) for v in arms["difference"] if pd.notna(v) and v]
        return (
            Scale.of(max(map(abs, sizes)))
            if sizes
            else Scale.of(*(float(v) for v in arms["mean"] if pd.notna(v)))
        )

    @cached_property
    def effects(self) -> Scale:
        """The scale of effects: that of the outcome, or percent where effects are ratios."""
        return replace(self.scale, ratio=self.log)

    @cached_property
    def culprit(self) -> str | None:
        """The factor or level that harms most, named as in its verdict.

        If nothing harms, this is what has the largest effect; None if no effect is known.
        """
        verdicts = self.analysis.verdicts
        known = verdicts[verdicts["effect"].notna()]
        if known.empty:
            return None

        harmful = known[known["verdict"].isin(("harms", "harms on average", "depends"))]
        pool = harmful if len(harmful) else known
        return str(pool.sort_values("effect", key=abs, kind="stable").iloc[-1]["factor"])

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """All arms in the plan's order, but the reference first.

        Cells with the same config share their trials, and are one arm.
        """
        settings: dict[str, list[Mapping[str, str]]] = {}
        for cell in self.study["cells"]:
            levels = {str(factor): str(level) for factor, level in cell["levels"].items()}
            settings.setdefault(str(cell["cell_id"]), []).append(levels)

        by_cell = {
            str(cell): tuple(str(t) for t in part.sort_values("seed")["trial_id"])
            for cell, part in self.table.trials.groupby("cell_id", sort=False)
        }

        arms = [
            Arm(
                cell,
                levels,
                tuple(also),
                self.names.code(levels),
                self.names.words(levels),
                self.names.words(levels) if self.names.says_more(levels) else "",
                cell == str(self.study.get("reference_cell")),
                self.culprit is not None and self.has(levels, self.culprit),
                by_cell.get(cell, ()),
            )
            for cell, (levels, *also) in settings.items()
        ]
        return tuple(sorted(arms, key=lambda arm: not arm.reference))

    @cached_property
    def arm_of(self) -> Mapping[str, Arm]:
        """The arm of each cell id."""
        return {arm.cell_id: arm for arm in self.arms}

    @property
    def reference(self) -> Arm | None:
        """The arm that others are compared with; None if there is none."""
        return next((arm for arm in self.arms if arm.reference), None)

    def first(self, factor: str) -> str:
        """Return the first level of a factor."""
        return first_level(self.study, factor)

    def is_switch(self, factor: str) -> bool:
        """Return whether the levels of a factor only say that something is off or on."""
        return self.names.is_switch(factor)

    def _at_first(self, factor: str, levels: Mapping[str, str]) -> bool:
        """Return whether a factor is at its first level, or not among the levels at all."""
        return factor not in levels or levels[factor] == self.first(factor)

    def levels_of(self, arm: Arm, factor: str) -> frozenset[str]:
        """Return the levels of a factor that an arm has.

        There are several where different levels give the same config, and so share their trials.
        """
        return frozenset(
            levels.get(factor, self.first(factor)) for levels in (arm.levels, *arm.also)
        )

    def split(self, name: str) -> tuple[str, str | None]:
        """Return the factor and the level that the name of a verdict contains.

        `long_fm` is a factor, whose level is None; `restore=generator` is one level of a factor.
        """
        if name in self.factors:
            return name, None
        factor, _, level = name.partition("=")
        return factor, level or None

    def has(self, levels: Mapping[str, str], name: str) -> bool:
        """Return whether an arm's levels contain what a verdict is about.

        A verdict is about a factor away from its first level, or about one level.
        """
        factor, level = self.split(name)
        if factor not in self.factors:
            return False
        return not self._at_first(factor, levels) if level is None else levels.get(factor) == level

    def alone(self, name: str) -> tuple[Arm, ...]:
        """Return the arms in which only one factor is away from its first level.

        Args:
            name: a factor, or `factor=level` for arms with this level.
        """
        factor, _ = self.split(name)
        return tuple(
            arm
            for arm in self.arms
            if self.has(arm.levels, name)
            and all(self._at_first(other, arm.levels) for other in self.factors if other != factor)
        )

    def factor_list(self) -> Rich:
        """Return the names of the factors in code font."""
        return joined(code(factor) for factor in self.factors)

    @cached_property
    def events(self) -> Mapping[str, Event]:
        """The event of each trial, as in onset.csv; trials without an event are left out."""
        return {
            str(row["trial_id"]): Event(str(row["event"]), event_step(row))
            for row in self.analysis.onset.to_dict("records")
            if row["event"] != "none"
        }

    def onset(self, trial: str) -> int | None:
        """Return the step at which a trial degraded or diverged; None if it did neither."""
        return self.events[trial].step if trial in self.events else None

    @property
    def fall(self) -> str:
        """What counts as an event: `degraded`, or `degraded or diverged` where a trial diverged."""
        return fall({"degraded", *({"diverged"} & set(self.table.trials["status"]))})

    def described(self, metric: str) -> Mapping[str, Any]:
        """Return direction, unit, and description of a metric; empty if the plan has none."""
        entry: Mapping[str, Any] = self.study.get("metrics", {}).get(metric, {})
        return entry
