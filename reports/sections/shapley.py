"""Which factor made the change? Shapley shares of the factors, which add up to the total."""

import numpy as np

from reports.analysis.intervals import seeds_interval
from reports.charts.waterfall import Share, waterfall
from reports.page.blocks import (
    Beside,
    Cell,
    Column,
    Figure,
    Panel,
    Rich,
    Section,
    Table,
    Text,
    code,
    joined,
    rich,
    strong,
)
from reports.page.numbers import percent
from reports.view.study import StudyView
from reports.words.estimates import interval_or_words, number, signed_cell
from reports.words.units import units

TITLE = ("shapley", "Which factor made the change?", "Shares")


def shapley(view: StudyView) -> Section | None:
    """Show the Shapley shares of the factors in a waterfall and a table; None without shares."""
    frame = view.analysis.shapley
    known = frame[frame["value"].notna()] if len(frame) else frame
    if not len(known):
        return None
    if whole := [term for term in _interactions(view) if term.count(" × ") > 1]:
        return Section(*TITLE, (Text(_not_shown(whole)),))

    records = known.to_dict("records")
    total = sum(float(row["value"]) for row in records)
    clear = _total_is_clear(view)
    shares = [
        Share(
            str(row["factor"]),
            float(row["value"]),
            view.scale.signed(float(row["value"]))
            + (f" ({percent(float(row['value']) / total)})" if clear else ""),
            "fgray",
        )
        for row in records
    ]

    text = view.scale.signed(total)
    alt = (
        "Shapley shares: "
        + ", ".join(f"{s.label} {s.text}" for s in shares)
        + f"; all together {text}"
    )
    drawing = waterfall("shapley", shares, "all together", text, alt)

    rows = tuple(
        (
            Cell(rich(code(str(row["factor"]))), value=str(row["factor"])),
            signed_cell(number(row["value"]), view.scale),
            interval_or_words(view, row, "value", view.scale),
        )
        for row in records
    )
    last = (
        Cell(rich(strong("all together")), value="all together"),
        signed_cell(total, view.scale),
        Cell(),
    )

    table = Table(
        "shapley",
        "Shapley shares",
        (
            Column("factor", "Factor", "text", 1.4),
            Column("value", "Share", "number", 0.8),
            Column("interval", view.interval, "number", 1.4),
        ),
        (*rows, last),
        look="plain",
    )

    figure = Figure(
        "shapley",
        rich("They add up to the change from none to all, exactly."),
        (Panel((), drawing),),
    )

    intro = Text(
        rich(
            "The share of a factor is its average change over all orders of switching the "
            "factors on, one after another.",
            _counted(view),
            _by_convention(_interactions(view)),
        )
    )
    return Section(*TITLE, (intro, Beside((figure,), (table,), 0.6)))


def _counted(view: StudyView) -> str:
    """Say how many seeds, or networks, the shares are made of, if some lack an arm."""
    seeds = np.isfinite(view.analysis.cells.raw).all(axis=1)
    if seeds.all():
        return ""
    return f" Only the {int(seeds.sum())} of {units(view)} that have a result in every arm count."


def _interactions(view: StudyView) -> list[str]:
    """Return the established interactions."""
    return [claim.subject for claim in view.analysis.claims if claim.kind == "depends"]


def _not_shown(terms: list[str]) -> Rich:
    """Say why shares are not shown: they can't divide what three or more factors do together."""
    return rich(
        "Shares are not shown. Three or more factors act together (",
        joined(map(code, terms)),
        "), and shares would split what they do by convention.",
    )


def _by_convention(terms: list[str]) -> Rich:
    """Say that shares split equally what factors do together."""
    if not terms:
        return ()
    return rich(
        " Factors act together (",
        joined(map(code, terms)),
        "); shares split that equally, by convention.",
    )


def _total_is_clear(view: StudyView) -> bool:
    """Return whether the change from none to all differs from 0.

    Only then do percentages of the total change mean something.
    """
    cells = view.analysis.cells
    ends = [
        cells.design.cell({f: levels[i] for f, levels in cells.design.factors.items()})
        for i in (0, 1)
    ]
    if None in ends:
        return False

    none, everything = (cells.raw[:, place] for place in ends)
    change = everything - none
    interval = seeds_interval(cells, change[np.isfinite(change)].tolist(), view.alpha)
    return interval.low > 0 or interval.high < 0
