"""How long do trials stay good? Survival curves by the level of one factor."""

from collections.abc import Sequence
from math import inf
from typing import TypeAlias

import pandas as pd

from reports.charts.survival import Survivors, survival_chart, ticks_until
from reports.claims import divergence
from reports.claims.budget import ERROR
from reports.page.blocks import (
    Beside,
    Cell,
    Column,
    Figure,
    Panel,
    Section,
    Table,
    Text,
    code,
    rich,
)
from reports.page.numbers import NOTHING, p_words
from reports.stats.survival import kaplan_meier, restricted_mean, stratified_logrank
from reports.view.study import StudyView, event_step

FEWEST_SEEDS = 4
"""With fewer no p is given: no exact test on pairs of them could be small."""

Group: TypeAlias = tuple[str, pd.DataFrame, str]
"""Label, rows of `onset`, class of the line."""


def survival(view: StudyView) -> Section | None:
    """Kaplan-Meier curves by level of the factor that tells most; None when no trial has a
    curve."""
    onset = view.analysis.onset
    if not len(onset) or view.last_step == 0:
        return None
    groups = groups_of(view)
    if not groups:
        return None
    ticks = ticks_until(view.last_step)
    curves = [_survivors(label, rows, css, ticks) for label, rows, css in groups]
    words = ", ".join(
        f"{curve.label}: {100 * (curve.shares[-1] if curve.shares else 1):.0f}% still good at the end"
        for curve in curves
    )
    drawing = survival_chart(
        "survival",
        curves,
        float(view.last_step),
        f"Share of trials not yet {view.fall} by step; {words}",
    )
    until = min([view.last_step, *(_watched(part) for _, part, _ in groups)])
    rows, test = tuple(_row(label, part, until) for label, part, _ in groups), _test(compared(view))
    table = Table(
        "survival",
        f"Time until trials {view.fall}",
        (
            Column("group", "Trials", "text", 2.0),
            Column("n", "n", "number", 0.5),
            Column("degraded", view.fall.capitalize(), "number", 0.8),
            Column("median", "Half by step", "number", 1.0),
            Column("good", "Mean good steps", "number", 1.1),
        ),
        rows,
        rich(f"Mean good steps: of {until:g}, until the event or the end (restricted mean).{test}"),
        look="plain",
    )
    caption = rich(
        f"Share of trials not yet {view.fall} (Kaplan-Meier). Ticks: trials that ended good."
    )
    figure = Figure("survival", caption, (Panel((), drawing),))
    factor, _ = grouping(view)
    by = (
        rich(
            "By the level of ",
            code(factor),
            ", over all settings of the other factors." if len(view.factors) > 1 else ".",
        )
        if factor
        else rich("All trials.")
    )
    return Section(
        "survival",
        "How long do trials stay good?",
        "Survival",
        (Text(by), Beside((figure,), (table,), 0.52)),
    )


def grouping(view: StudyView) -> tuple[str | None, str | None]:
    """Factor whose levels are compared, and the level that tells: where trials diverge, else what
    the culprit is."""
    factor, level = view.split(view.culprit) if view.culprit else (None, None)
    if lost := _losing(view):
        _, worst, level = min(lost, key=lambda entry: (entry[0], entry[1] != factor))
        return worst, level
    return (factor, level) if factor in view.factors else (None, None)


def _losing(view: StudyView) -> list[tuple[float, str, str]]:
    """p, factor and level where a level lost more trials than chance does, taken alone: it only
    picks the curves."""
    cells = view.analysis.cells
    found = []
    for term in cells.design.compared:
        p = divergence.p_value(cells.trials, cells.design, term)
        if p < ERROR:
            change, counts = term.changes[0], divergence.counts(cells.trials, cells.design, term)
            more = counts.diverged * counts.ended_first > counts.diverged_first * counts.ended
            found.append((p, change.factor, change.level if more else change.first))
    return found


def compared(view: StudyView) -> list[Group]:
    """The two groups of the log-rank test: the first level, and the one that tells; of two levels
    both."""
    factor, level = grouping(view)
    groups = groups_of(view)
    if factor is None:
        return []
    first = [group for group in groups if group[0] == view.first(factor)]
    others = [group for group in groups if group[0] != view.first(factor)]
    return first + ([group for group in others if group[0] == level] or others)[:1]


def groups_of(view: StudyView) -> list[Group]:
    """Label, onset rows and class of each group: the levels of the factor that tells most, else all
    trials."""
    onset = view.analysis.onset
    factor, _ = grouping(view)
    if factor is None:
        return [("all trials", onset, "off")]
    styles = ("off", "on", "on dash", "on dots", "neutral", "neutral dash")
    out = []
    for index, level in enumerate(view.factors[factor]["levels"]):
        cells = {arm.cell_id for arm in view.arms if str(level) in view.levels_of(arm, factor)}
        rows = onset[onset["cell_id"].isin(cells)]
        if len(rows):
            out.append((str(level), rows, styles[min(index, len(styles) - 1)]))
    return out


def times_of(rows: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Steps of events (degraded or diverged), and steps at which good trials ended."""
    events, censored = [], []
    for row in rows.to_dict("records"):
        if row["event"] != "none":
            events.append(float(event_step(row)))
        elif pd.notna(row["censored_at_step"]) and row["censored_at_step"] > 0:
            censored.append(float(row["censored_at_step"]))
    return events, censored


def _survivors(label: str, rows: pd.DataFrame, css: str, ticks: Sequence[float]) -> Survivors:
    events, censored = times_of(rows)
    steps, shares = kaplan_meier(events, censored)
    at_risk = tuple(sum(t >= tick for t in (*events, *censored)) for tick in ticks)
    return Survivors(label, steps, shares, tuple(sorted(set(censored))), at_risk, css)


def _watched(rows: pd.DataFrame) -> float:
    """The step up to which the share of good trials is known: for ever once none is left, else the
    last one seen."""
    events, censored = times_of(rows)
    return max(events + censored, default=0.0) if censored else inf


def _test(groups: Sequence[Group]) -> str:
    """The log-rank test of two groups; seeds are strata, divergence is an event."""
    if len(groups) < 2 or groups[0][1]["seed"].nunique() < FEWEST_SEEDS:
        return ""
    times: list[float] = []
    events: list[bool] = []
    second: list[bool] = []
    strata: list[int] = []
    for index, (_, rows, _) in enumerate(groups):
        for seed, part in rows.groupby("seed"):
            happened, ended = times_of(part)
            times += [*happened, *ended]
            events += [True] * len(happened) + [False] * len(ended)
            second += [index == 1] * (len(happened) + len(ended))
            strata += [int(str(seed))] * (len(happened) + len(ended))
    found = stratified_logrank(times, events, second, strata)
    if found.p != found.p:
        return ""
    return (
        f" Log-rank test of {groups[0][0]} against {groups[1][0]}, stratified by seed: {p_words(found.p)}; it takes "
        "the arms of a seed for independent, so it describes more than it proves."
    )


def _row(label: str, rows: pd.DataFrame, last: float) -> tuple[Cell, ...]:
    events, censored = times_of(rows)
    steps, shares = kaplan_meier(events, censored)
    median = next((step for step, share in zip(steps, shares, strict=True) if share <= 0.5), None)
    good = restricted_mean(events, censored, last)
    diverged, watched = int((rows["event"] == "diverged").sum()), len(events) + len(censored)
    return (
        Cell(rich(label), value=label),
        Cell(rich(str(watched)), value=watched),
        Cell(
            rich(str(len(events))),
            sub=rich(f"{diverged} diverged first" if diverged else ""),
            value=len(events),
        ),
        Cell(rich(f"{median:.0f}" if median is not None else NOTHING), value=median),
        Cell(rich(f"{good:.1f}".removesuffix(".0")), value=round(good, 1)),
    )
