"""Table cells that show an estimate: the number, its interval, its p value, and its bar."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from reports.charts.intervals import Estimate, effect_axis, interval_axis, interval_bar
from reports.charts.svg import Axis
from reports.page.blocks import Cell, Drawing, rich, strong
from reports.page.numbers import NOTHING, Scale, p_value
from reports.page.theme import TONES
from reports.view.study import Arm, StudyView
from reports.words.units import unit


def number(value: Any) -> float | None:
    """Return a float, or None for a missing value."""
    return None if value is None or pd.isna(value) else float(value)


def signed_cell(value: float | None, scale: Scale, bold: bool = True) -> Cell:
    """Return the cell of an effect, with its sign."""
    text = scale.signed(value)
    return Cell(rich(strong(text) if bold and text != NOTHING else text), value=value)


def fixed_cell(value: float | None, scale: Scale) -> Cell:
    """Return the cell of a number without a sign."""
    return Cell(rich(scale.fixed(value)), value=value)


def interval_cell(low: float | None, high: float | None, scale: Scale) -> Cell:
    """Return the cell of an interval, which is sorted by its low end."""
    return Cell(rich(scale.interval(low, high)), value=low)


def nothing(row: Mapping[Any, Any], value: str) -> bool:
    """Return whether the estimate of a row is exactly 0 in all seeds.

    Args:
        row: of a frame with `low` and `high`.
        value: the column of the estimate.
    """
    ends = {number(row[key]) for key in ("low", "high")}
    return number(row[value]) == 0 and ends in ({0.0}, {None})


def inert(view: StudyView, row: Mapping[Any, Any], value: str) -> bool:
    """Return whether a row is of a factor, or a level, that did nothing.

    An estimate of 0 alone isn't enough, because opposite effects may add up to 0.
    """
    return str(row.get("factor", row.get("term"))) in view.analysis.idle and nothing(row, value)


def interval_or_words(
    view: StudyView, row: Mapping[Any, Any], value: str, scale: Scale | None = None
) -> Cell:
    """Return the cell with the interval of a row.

    The cell has words for a factor that did nothing, and a plain 0 where the effect is 0 in all
    seeds.

    Args:
        view: the study.
        row: of a frame with `low` and `high`.
        value: the column of the estimate.
        scale: the scale of the numbers; None: the scale of effects.
    """
    scale = scale or view.effects
    cell = interval_cell(low := number(row["low"]), number(row["high"]), scale)
    if inert(view, row, value):
        return replace(cell, spans=rich("did nothing"))
    return replace(cell, spans=rich(scale.fixed(low))) if nothing(row, value) else cell


def p_of(row: Mapping[Any, Any], value: str) -> Cell:
    """Return the cell with the corrected p value of a row, or a dash where nothing was tested."""
    cell = p_cell(number(row["p_adjusted"]))
    return replace(cell, spans=rich(NOTHING)) if nothing(row, value) else cell


def p_cell(value: float | None) -> Cell:
    """Return the cell of a p value."""
    return Cell(rich(p_value(value)), value=value)


def estimate(
    label: str,
    row: Mapping[Any, Any],
    value: str,
    dots: Sequence[float] = (),
    verdict: str = "",
) -> Estimate:
    """Return the estimate of a row of `arms`, `effects`, or `verdicts`.

    Args:
        label: the name of the estimate.
        row: the row, with `low` and `high`.
        value: the column of the estimate.
        dots: the effects of single seeds.
        verdict: the verdict that colors the bar; without one the bar is ink.
    """
    middle, low, high = number(row[value]), number(row["low"]), number(row["high"])
    tone: Any = TONES.get(verdict, "mute") if verdict else "neutral"
    return Estimate(label, middle, low, high, tone, tuple(dots))


def bars(view: StudyView, name: str, rows: Sequence[Estimate]) -> tuple[list[Drawing], Drawing]:
    """Return a bar for each row, all on one axis, and the axis.

    Args:
        view: the study.
        name: start of the names of the drawings.
        rows: the estimates.
    """
    axis: Axis = effect_axis(rows, view.margin)

    drawn = []
    for index, row in enumerate(rows):
        margin = (
            f"; grey band: too small to matter, plus or minus {view.effects.fixed(view.margin)}"
            if view.margin
            else ""
        )

        numbers = (
            f"{view.effects.signed(row.value)}, {view.interval} "
            f"{view.effects.interval(row.low, row.high)}"
        )
        words = (
            f"exactly 0 in all {unit(view)}s" if row.value == row.low == row.high == 0 else numbers
        )
        alt = f"{row.label}: {words}{margin}"
        drawn.append(interval_bar(f"{name}-{index}", row, axis, view.margin, alt))
    return drawn, interval_axis(f"{name}-axis", axis, f"change of {view.metric}")


def outcomes(view: StudyView, arm: Arm) -> dict[int, float]:
    """Return the primary outcome of an arm's finished trials by seed."""
    rows = view.table.trials
    rows = rows[(rows["cell_id"] == arm.cell_id) & (rows["status"] == "finished")]
    column = f"metric.{view.metric}"
    if column not in rows:
        return {}
    return {
        int(s): float(v) for s, v in zip(rows["seed"], rows[column], strict=True) if pd.notna(v)
    }


def differences(view: StudyView, arm: Arm) -> list[float]:
    """Return the paired differences of an arm from the reference, for each seed that both have."""
    cells = view.analysis.cells
    places = [
        cells.design.index.get(one.cell_id) for one in (arm, view.reference) if one is not None
    ]
    if arm.reference or len(places) < 2 or places[0] is None or places[1] is None:
        return []
    return [cells.shown(value) for value in cells.by_unit([(places[0], places[1])]).values()]
