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
"""With fewer seeds no p is given, because no exact test on their pairs could be small."""

Group: TypeAlias = tuple[str, pd.DataFrame, str]
"""Label, rows of `onset`, and CSS class of the line."""


def survival(view: StudyView) -> Section | None:
    """Show how long trials stay good, by level of the most telling factor; None without curves."""
    onset = view.analysis.onset
    if not len(onset) or view.last_step == 0 or not view.has_onsets:
        return None
    groups = groups_of(view)
    if not groups:
        return None

    ticks = ticks_until(view.last_step)
    curves = [_survivors(label, rows, css, ticks) for label, rows, css in groups]
    words = ", ".join(
        f"{curve.label}: {100 * (curve.shares[-1] if curve.shares else 1):.0f}% still good at the "
        "end"
        for curve in curves
    )
    drawing = survival_chart(
        "survival",
        curves,
        float(view.last_step),
        f"Share of trials not yet {view.fall} by step; {words}",
    )

    until = min([view.last_step, *(_known_until(part) for _, part, _ in groups)])
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
    """Return the factor whose levels are compared, and its decisive level.

    This is a factor whose level makes trials diverge, else the factor of the culprit; None and None
    without either.
    """
    factor, level = view.split(view.culprit) if view.culprit else (None, None)
    if lost := _levels_that_diverge(view):
        _, worst, level = min(lost, key=lambda entry: (entry[0], entry[1] != factor))
        return worst, level
    return (factor, level) if factor in view.factors else (None, None)


def _levels_that_diverge(view: StudyView) -> list[tuple[float, str, str]]:
    """Return p, factor, and level where a level lost more trials than chance explains.

    Each factor is tested alone, without correction, because the result only selects the curves.
    """
    cells = view.analysis.cells
    losing = []
    for term in cells.design.compared:
        p = divergence.p_value(cells.trials, cells.design, term)
        if p < ERROR:
            change, counts = term.changes[0], divergence.counts(cells.trials, cells.design, term)
            more = counts.diverged * counts.ended_first > counts.diverged_first * counts.ended
            losing.append((p, change.factor, change.level if more else change.first))
    return losing


def compared(view: StudyView) -> list[Group]:
    """Return the two groups of the log-rank test: the first level and the decisive one.

    Of a factor with two levels, these are both levels.
    """
    factor, level = grouping(view)
    groups = groups_of(view)
    if factor is None:
        return []

    first = [group for group in groups if group[0] == view.first(factor)]
    others = [group for group in groups if group[0] != view.first(factor)]
    return first + ([group for group in others if group[0] == level] or others)[:1]


def groups_of(view: StudyView) -> list[Group]:
    """Return label, onset rows, and CSS class of each group.

    The groups are the levels of the most telling factor, else all trials together.
    """
    onset = view.analysis.onset
    factor, _ = grouping(view)
    if factor is None:
        return [("all trials", onset, "neutral")]

    styles = ("gray", "neutral", "neutral dash", "neutral dots", "gray dash", "gray dots")
    out = []
    for index, level in enumerate(view.factors[factor]["levels"]):
        cells = {arm.cell_id for arm in view.arms if str(level) in view.levels_of(arm, factor)}
        rows = onset[onset["cell_id"].isin(cells)]
        if len(rows):
            out.append((str(level), rows, styles[min(index, len(styles) - 1)]))
    return out


def times_of(rows: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Return the steps of events (degraded or diverged), and those at which good trials ended."""
    events, censored = [], []
    for row in rows.to_dict("records"):
        if row["event"] != "none":
            events.append(float(event_step(row)))
        elif pd.notna(row["censored_at_step"]) and row["censored_at_step"] > 0:
            censored.append(float(row["censored_at_step"]))
    return events, censored


def _survivors(label: str, rows: pd.DataFrame, css: str, ticks: Sequence[float]) -> Survivors:
    """Return the survival curve of a group, with the number at risk at each tick."""
    events, censored = times_of(rows)
    steps, shares = kaplan_meier(events, censored)
    at_risk = tuple(sum(t >= tick for t in (*events, *censored)) for tick in ticks)
    return Survivors(label, steps, shares, tuple(sorted(set(censored))), at_risk, css)


def _known_until(rows: pd.DataFrame) -> float:
    """Return the step up to which the share of good trials is known.

    Once no good trial is left, this is infinity, else it is the last step of any trial.
    """
    events, censored = times_of(rows)
    return max(events + censored, default=0.0) if censored else inf


def _test(groups: Sequence[Group]) -> str:
    """Return the log-rank test of two groups in words; empty with too few seeds.

    Seeds are strata; divergence counts as an event.
    """
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

    result = stratified_logrank(times, events, second, strata)
    if result.p != result.p:
        return ""
    return (
        f" Log-rank test of {groups[0][0]} against {groups[1][0]}, stratified by seed: "
        f"{p_words(result.p)}; it takes the arms of a seed for independent, so it describes more "
        "than it proves."
    )


def _row(label: str, rows: pd.DataFrame, last: float) -> tuple[Cell, ...]:
    """Return the table row of a group: trials, events, median, and mean good steps."""
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
