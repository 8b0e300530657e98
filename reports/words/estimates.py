"""Cells of a table that show an estimate: the number, its interval, its p, its bar."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from reports.charts.intervals import Estimate, effect_axis, interval_axis, interval_bar
from reports.charts.svg import Axis
from reports.page.blocks import Cell, Drawing, rich, strong
from reports.page.numbers import NOTHING, Scale, p_value
from reports.view.study import Arm, StudyView


def number(value: Any) -> float | None:
    """A float, or None for what is missing."""
    return None if value is None or pd.isna(value) else float(value)


def signed_cell(value: float | None, scale: Scale, bold: bool = True) -> Cell:
    """An effect with its sign."""
    text = scale.signed(value)
    return Cell(rich(strong(text) if bold and text != NOTHING else text), value=value)


def fixed_cell(value: float | None, scale: Scale) -> Cell:
    """A plain number."""
    return Cell(rich(scale.fixed(value)), value=value)


def interval_cell(low: float | None, high: float | None, scale: Scale) -> Cell:
    """An interval; sorted by its low end."""
    return Cell(rich(scale.interval(low, high)), value=low)


def nothing(row: Mapping[Any, Any], value: str) -> bool:
    """Whether the estimate of a row is exactly 0 in all seeds."""
    ends = {number(row[key]) for key in ("low", "high")}
    return number(row[value]) == 0 and ends in ({0.0}, {None})


def inert(view: StudyView, row: Mapping[Any, Any], value: str) -> bool:
    """Whether a row is of a factor, or a level of one, that did nothing: opposite effects may add
    up to 0 as well."""
    return str(row.get("factor", row.get("term"))) in view.analysis.idle and nothing(row, value)


def interval_or_words(
    view: StudyView, row: Mapping[Any, Any], value: str, scale: Scale | None = None
) -> Cell:
    """The interval of a row; words of a factor that did nothing, and a plain 0 where all seeds have
    just that.

    Args:
        view: the study.
        row: of a frame with `low` and `high`.
        value: the column of the estimate.
        scale: of the numbers; None: that of effects.
    """
    scale = scale or view.effects
    cell = interval_cell(low := number(row["low"]), number(row["high"]), scale)
    if inert(view, row, value):
        return replace(cell, spans=rich("did nothing"))
    return replace(cell, spans=rich(scale.fixed(low))) if nothing(row, value) else cell


def p_of(row: Mapping[Any, Any], value: str) -> Cell:
    """The corrected p of a row; none is shown where nothing was tested."""
    cell = p_cell(number(row["p_adjusted"]))
    return replace(cell, spans=rich(NOTHING)) if nothing(row, value) else cell


def p_cell(value: float | None) -> Cell:
    """A p value."""
    return Cell(rich(p_value(value)), value=value)


def tone_of(view: StudyView, value: float | None, low: float | None, high: float | None) -> Any:
    """Orange when the whole interval is on the bad side of zero, else blue."""
    if value is None or low is None or high is None:
        return "off"
    worse = low > 0 if view.better == "lower" else high < 0
    return "on" if worse else "off"


def estimate(
    view: StudyView, label: str, row: Mapping[Any, Any], value: str, dots: Sequence[float] = ()
) -> Estimate:
    """The estimate of a row of `arms`, `effects` or `verdicts`; `value` is its column."""
    middle, low, high = number(row[value]), number(row["low"]), number(row["high"])
    return Estimate(label, middle, low, high, tone_of(view, middle, low, high), tuple(dots))


def bars(view: StudyView, name: str, rows: Sequence[Estimate]) -> tuple[list[Drawing], Drawing]:
    """A bar for each row on one axis, and the axis."""
    axis: Axis = effect_axis(rows, view.margin)
    drawn = []
    for index, row in enumerate(rows):
        margin = (
            f"; grey band: too small to matter, plus or minus {view.effects.fixed(view.margin)}"
            if view.margin
            else ""
        )
        numbers = f"{view.effects.signed(row.value)}, {view.interval} {view.effects.interval(row.low, row.high)}"
        told = "exactly 0 in all seeds" if row.value == row.low == row.high == 0 else numbers
        alt = f"{row.label}: {told}{margin}"
        drawn.append(interval_bar(f"{name}-{index}", row, axis, view.margin, alt))
    return drawn, interval_axis(f"{name}-axis", axis, f"change of {view.metric}")


def outcomes(view: StudyView, arm: Arm) -> dict[int, float]:
    """Seed -> primary outcome of the finished trials of an arm."""
    rows = view.table.trials
    rows = rows[(rows["cell_id"] == arm.cell_id) & (rows["status"] == "finished")]
    column = f"metric.{view.metric}"
    if column not in rows:
        return {}
    return {
        int(s): float(v) for s, v in zip(rows["seed"], rows[column], strict=True) if pd.notna(v)
    }


def differences(view: StudyView, arm: Arm) -> list[float]:
    """Paired differences of an arm to the reference, one per seed that both have."""
    cells = view.analysis.cells
    places = [
        cells.design.index.get(one.cell_id) for one in (arm, view.reference) if one is not None
    ]
    if arm.reference or len(places) < 2 or places[0] is None or places[1] is None:
        return []
    return [cells.shown(value) for value in cells.by_seed([(places[0], places[1])]).values()]
