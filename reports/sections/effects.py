"""Main effects and interactions: the forest plot."""

from reports.charts.intervals import forest
from reports.document import Block, Cell, Column, Figure, Panel, Section, Table, Text, code, rich
from reports.estimates import bars, estimate, interval_cell, number, p_cell, signed_cell
from reports.numbers import count
from reports.view import StudyView


def effects(view: StudyView) -> Section | None:
    """Every factorial contrast with its interval; None when the design has none."""
    frame = view.analysis.effects
    if not len(frame):
        return None
    records = frame.to_dict("records")
    estimates = [estimate(view, str(row["term"]), row, "estimate") for row in records]
    drawn, axis = bars(view, "effect", estimates)
    aliased = any(isinstance(row.get("aliases"), str) and row["aliases"] for row in records)
    rows = []
    for row, bar in zip(records, drawn, strict=True):
        cells = [
            Cell(rich(code(str(row["term"]))), value=str(row["term"])),
            Cell(rich(_kind(int(row["order"]))), value=int(row["order"])),
            signed_cell(number(row["estimate"]), view.scale),
            interval_cell(number(row["low"]), number(row["high"]), view.scale),
            p_cell(number(row["p_adjusted"])),
        ]
        if aliased:
            cells.append(Cell(rich(str(row["aliases"]) if isinstance(row["aliases"], str) else "")))
        rows.append((*cells, Cell(drawing=bar)))
    columns = [
        Column("term", "Term", "text", 2.2),
        Column("order", "Kind", "text", 1.0),
        Column("estimate", "Estimate", "number", 0.8),
        Column("interval", "95 % interval", "number", 1.3),
        Column("p_adjusted", "p (Holm)", "number", 0.7),
    ]
    if aliased:
        columns.append(Column("aliases", "Can't be told from", "text", 1.4))
    columns.append(Column("bar", "Estimate and interval", "drawing", 2.0))
    table = Table(
        "effects",
        "Main effects and interactions",
        tuple(columns),
        tuple(rows),
        rich(
            f"Main effect: change of {view.metric} when the factor leaves its first level, averaged over the others. "
            "Interaction: half of what the effect of one factor grows by when the other one leaves its first level."
        ),
        axis,
        look="plain" if len(rows) > 16 else "cards",
        sortable=True,
    )
    alt = "; ".join(f"{e.label} {view.scale.signed(e.value)}" for e in estimates)
    plot = forest(
        "effects-forest", estimates, view.margin, f"change of {view.metric}", f"Effects with 95 % intervals: {alt}"
    )
    figure = Figure("effects-forest", rich("Effects with 95 % intervals."), (Panel((), plot),), shown=False)
    blocks: tuple[Block, ...] = (Text(rich(_sentence(view))), table, figure)
    return Section("effects", "How much does each factor change, alone and together?", "Effects", blocks)


def _kind(order: int) -> str:
    return {1: "main effect", 2: "interaction"}.get(order, f"{order}-way interaction")


def _sentence(view: StudyView) -> str:
    """How many interactions are established after correction."""
    frame = view.analysis.effects
    pairs = frame[frame["order"] > 1]
    if not len(pairs):
        return "The design tells main effects only."
    found = pairs[pairs["p_adjusted"] < 0.05]
    if not len(found):
        return f"No interaction is established after correction for {count(len(pairs), 'test')}."
    names = ", ".join(
        f"{row['term']} ({view.scale.signed(number(row['estimate']))})" for row in found.to_dict("records")
    )
    return f"Established after correction for {count(len(pairs), 'test')}: {names}."
