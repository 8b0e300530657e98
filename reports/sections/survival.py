"""How long do trials stay good? Survival curves by the level of one factor."""

from collections.abc import Sequence

import pandas as pd

from reports.charts.survival import Survivors, survival_chart, ticks_until
from reports.document import Beside, Cell, Column, Figure, Panel, Section, Table, Text, code, rich
from reports.numbers import NOTHING, p_words
from reports.stats.survival import kaplan_meier, restricted_mean, stratified_logrank
from reports.view import StudyView


def survival(view: StudyView) -> Section | None:
    """Kaplan-Meier curves with and without the main culprit; None when no trial has a curve."""
    onset = view.analysis.onset
    if not len(onset) or view.last_step == 0:
        return None
    groups = groups_of(view)
    if not groups:
        return None
    ticks = ticks_until(view.last_step)
    curves = [_survivors(label, rows, css, ticks) for label, rows, css in groups]
    words = ", ".join(
        f"{curve.label}: {100 * (curve.shares[-1] if curve.shares else 1):.0f} % still good at the end"
        for curve in curves
    )
    drawing = survival_chart(
        "survival", curves, float(view.last_step), f"Share of trials not yet degraded by step; {words}"
    )
    rows = tuple(_row(label, part, view.last_step) for label, part, _ in groups)
    table = Table(
        "survival",
        "Time until degradation",
        (
            Column("group", "Trials", "text", 2.0),
            Column("n", "n", "number", 0.5),
            Column("degraded", "Degraded", "number", 0.8),
            Column("median", "Half by step", "number", 1.0),
            Column("good", "Mean good steps", "number", 1.1),
        ),
        rows,
        rich(f"Mean good steps: of {view.last_step}, until degradation or the end (restricted mean).{_test(groups)}"),
        look="plain",
    )
    caption = rich(
        "Share of trials not yet degraded (Kaplan-Meier). Ticks: trials that ended good. "
        "Divergence counts as degradation."
    )
    figure = Figure("survival", caption, (Panel((), drawing),))
    by = (
        rich("By the level of ", code(view.split(view.culprit)[0]), ", over all settings of the other factors.")
        if view.culprit
        else rich("All trials.")
    )
    return Section(
        "survival", "How long do trials stay good?", "Survival", (Text(by), Beside((figure,), (table,), 0.52))
    )


def groups_of(view: StudyView) -> list[tuple[str, pd.DataFrame, str]]:
    """Label, onset rows and class of each group: the levels of the culprit, else all trials."""
    onset = view.analysis.onset
    culprit = view.split(view.culprit)[0] if view.culprit else None
    if culprit is None or culprit not in view.factors:
        return [("all trials", onset, "off")]
    styles = ("off", "on", "on dash", "on dots", "neutral", "neutral dash")
    out = []
    for index, level in enumerate(view.factors[culprit]["levels"]):
        cells = {arm.cell_id for arm in view.arms if arm.levels.get(culprit, view.first(culprit)) == str(level)}
        rows = onset[onset["cell_id"].isin(cells)]
        if len(rows):
            out.append((str(level), rows, styles[min(index, len(styles) - 1)]))
    return out


def times_of(rows: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Steps of events (degraded or diverged), and steps at which good trials ended."""
    events, censored = [], []
    for row in rows.to_dict("records"):
        at, end = row["degraded_at_step"], row["censored_at_step"]
        if row["event"] == "degraded" and pd.notna(at):
            events.append(float(at))
        elif row["event"] == "diverged":
            events.append(float(at if pd.notna(at) else end if pd.notna(end) else 0))
        elif pd.notna(end):
            censored.append(float(end))
    return events, censored


def _survivors(label: str, rows: pd.DataFrame, css: str, ticks: Sequence[float]) -> Survivors:
    events, censored = times_of(rows)
    steps, shares = kaplan_meier(events, censored)
    at_risk = tuple(sum(t >= tick for t in (*events, *censored)) for tick in ticks)
    return Survivors(label, steps, shares, tuple(sorted(set(censored))), at_risk, css)


def _test(groups: Sequence[tuple[str, pd.DataFrame, str]]) -> str:
    """The log-rank test of the first two groups; seeds are strata, divergence is an event."""
    if len(groups) < 2:
        return ""
    times: list[float] = []
    events: list[bool] = []
    second: list[bool] = []
    strata: list[int] = []
    for index, (_, rows, _) in enumerate(groups[:2]):
        for seed, part in rows.groupby("seed"):
            happened, ended = times_of(part)
            times += [*happened, *ended]
            events += [True] * len(happened) + [False] * len(ended)
            second += [index == 1] * (len(happened) + len(ended))
            strata += [int(str(seed))] * (len(happened) + len(ended))
    found = stratified_logrank(times, events, second, strata)
    if found.p != found.p:
        return ""
    return f" Log-rank test of {groups[0][0]} against {groups[1][0]}, stratified by seed: {p_words(found.p)}."


def _row(label: str, rows: pd.DataFrame, last: int) -> tuple[Cell, ...]:
    events, censored = times_of(rows)
    steps, shares = kaplan_meier(events, censored)
    median = next((step for step, share in zip(steps, shares, strict=True) if share <= 0.5), None)
    good = restricted_mean(events, censored, last)
    counts = rows["event"].value_counts()
    degraded, diverged = int(counts.get("degraded", 0)), int(counts.get("diverged", 0))
    return (
        Cell(rich(label), value=label),
        Cell(rich(str(len(rows))), value=len(rows)),
        Cell(rich(str(degraded)), sub=rich(f"+ {diverged} diverged" if diverged else ""), value=degraded),
        Cell(rich(f"{median:.0f}" if median is not None else NOTHING), value=median),
        Cell(rich(f"{good:.0f}"), value=round(good)),
    )
