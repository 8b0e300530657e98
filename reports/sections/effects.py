"""Main effects and interactions, in a table and in a forest plot."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.charts.half_normal import Contrast, half_normal
from reports.charts.intervals import forest
from reports.page.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Fold,
    Panel,
    Section,
    Table,
    Text,
    code,
    rich,
)
from reports.page.numbers import count
from reports.stats.lenth import lenth
from reports.view.study import StudyView
from reports.words.estimates import (
    bars,
    estimate,
    inert,
    interval_or_words,
    number,
    p_of,
    signed_cell,
)

UNFOLDED = 24
"""Maximum number of terms in one table.

With more terms, interactions of three and more factors are in a table that opens on request.
"""

FEWEST_CONTRASTS = 3
"""Lenth's margins need at least this many contrasts."""

Records = Sequence[Mapping[Any, Any]]


def effects(view: StudyView) -> Section | None:
    """Show every factorial contrast with its interval; None if the design has none."""
    records = view.analysis.effects.to_dict("records")
    if not records:
        return None
    higher = [row for row in records if int(row["order"]) > 2] if len(records) > UNFOLDED else []
    lower = [row for row in records if row not in higher]

    blocks: list[Block] = [
        Text(rich(_sentence(view))),
        _table(view, "effects", "Main effects and interactions", lower),
    ]

    if higher:
        table = _table(view, "effects-higher", "Interactions of three and more factors", higher)
        blocks.append(
            Fold(f"{count(len(higher), 'interaction')} of three and more factors", (table,))
        )

    blocks.append(_forest(view, lower))
    if (plot := _half_normal(view)) is not None:
        blocks.append(plot)
    return Section(
        "effects", "How much does each factor change, alone and together?", "Effects", tuple(blocks)
    )


def _table(view: StudyView, name: str, caption: str, records: Records) -> Table:
    """Return a table with one row for each term."""
    estimates = [estimate(str(row["term"]), row, "estimate") for row in records]
    drawn, axis = bars(view, name, estimates)
    aliased = any(_aliases(row) for row in records)

    rows = []
    for row, bar in zip(records, drawn, strict=True):
        cells = [
            Cell(rich(code(str(row["term"]))), value=str(row["term"])),
            Cell(rich(_kind(int(row["order"]))), value=int(row["order"])),
            signed_cell(number(row["estimate"]), view.effects),
            interval_or_words(view, row, "estimate"),
            p_of(row, "estimate"),
        ]
        if aliased:
            cells.append(Cell(rich(_aliases(row))))
        rows.append((*cells, Cell(drawing=bar)))

    columns = [
        Column("term", "Term", "text", 2.2),
        Column("order", "Kind", "text", 1.0),
        Column("estimate", "Estimate", "number", 0.8),
        Column("interval", view.interval, "number", 1.3),
        Column("p_adjusted", "p, corrected", "number", 0.7),
    ]
    if aliased:
        columns.append(Column("aliases", "Aliased with", "text", 1.4))
    columns.append(Column("bar", "Estimate and interval", "drawing", 2.0))

    note = rich(
        f"Main effect: change of {view.metric} when the factor leaves its first level, averaged "
        "over the others. Interaction: half of what the effect of one factor grows by when the "
        "other one leaves its first level."
    )
    if any(inert(view, row, "estimate") for row in records):
        note += rich(" Did nothing: with and without it all trials end with identical values.")

    dense = len(rows) > 16
    return Table(
        name,
        caption,
        tuple(columns),
        tuple(rows),
        note,
        axis,
        look="plain" if dense else "cards",
        sortable=True,
    )


def _forest(view: StudyView, records: Records) -> Figure:
    """Return the same estimates as one drawing, which is saved for papers."""
    estimates = [estimate(str(row["term"]), row, "estimate") for row in records]
    values = "; ".join(f"{e.label} {view.effects.signed(e.value)}" for e in estimates)
    alt = f"Effects with {view.interval}s: {values}"
    drawing = forest("effects-forest", estimates, view.margin, f"change of {view.metric}", alt)
    return Figure(
        "effects-forest",
        rich(f"Effects with {view.interval}s."),
        (Panel((), drawing),),
        shown=False,
    )


def _half_normal(view: StudyView) -> Figure | None:
    """Return a plot of which contrasts of a fraction stand out by size; None if not a fraction."""
    cells, judgement = view.analysis.cells, view.analysis.judgement
    design = cells.design
    if not design.fraction:
        return None

    known = [
        Contrast(" = ".join(term.aliases), judgement.numbers[term.name].mean)
        for term in (*design.compared, *design.interactions)
    ]
    contrasts = [one for one in known if math.isfinite(one.value)]
    if len(contrasts) < FEWEST_CONTRASTS:
        return None

    margins = lenth(np.array([one.value for one in contrasts]))
    beyond = [one.label for one in contrasts if abs(one.value) > margins.margin]
    beyond_words = (
        "beyond Lenth's margin: " + ", ".join(beyond) if beyond else "none beyond Lenth's margin"
    )

    unit = f"log {view.metric}" if cells.rule.log else view.metric
    drawing = half_normal(
        "half-normal",
        contrasts,
        margins,
        f"absolute contrast of {unit}",
        f"Half-normal plot of {count(len(contrasts), 'contrast')}; {beyond_words}",
    )

    caption = rich(
        f"Absolute contrasts of {count(len(contrasts), 'alias group')} against half-normal "
        "scores. Solid line: where noise would lie. Dashed and dotted: Lenth's 95% margins for "
        "one contrast and for all of them. Black: contrasts beyond the first margin. The plot "
        "is advice, not a test: it uses no seeds, and no verdict rests on it.",
    )
    return Figure("half-normal", caption, (Panel((), drawing),))


def _aliases(row: Mapping[Any, Any]) -> str:
    """Return the aliases of a row in words; empty without any."""
    value = row.get("aliases")
    return value if isinstance(value, str) else ""


def _kind(order: int) -> str:
    """Return the kind of a term in words, by its number of factors."""
    return {1: "main effect", 2: "interaction"}.get(order, f"{order}-way interaction")


def _sentence(view: StudyView) -> str:
    """Return which interactions are established."""
    design, frame = view.analysis.cells.design, view.analysis.effects
    if not design.interactions:
        return "This design shows main effects only."

    pairs = frame[frame["order"] > 1]
    known = pairs[pairs["p_adjusted"].notna()]
    if not len(known):
        return "The data do not allow a test of interactions."

    established = {claim.subject for claim in view.analysis.claims if claim.kind == "depends"}
    shown = known[known["term"].isin(established)]
    if not len(shown):
        return f"No interaction is established ({count(len(known), 'test')}, corrected)."

    names = ", ".join(
        f"{row['term']} ({view.effects.signed(number(row['estimate']))})"
        for row in shown.to_dict("records")
    )
    return f"Established interactions ({count(len(known), 'test')}, corrected): {names}."
