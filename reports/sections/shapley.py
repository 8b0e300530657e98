"""Who made the change: Shapley shares of the factors, which add up to the total."""

from reports.charts.waterfall import Share, waterfall
from reports.document import Beside, Cell, Column, Figure, Panel, Section, Table, Text, code, rich, strong
from reports.estimates import interval_or_words, number, signed_cell
from reports.numbers import percent
from reports.view import StudyView


def shapley(view: StudyView) -> Section | None:
    """The waterfall and its numbers; None without Shapley values."""
    frame = view.analysis.shapley
    known = frame[frame["value"].notna()] if len(frame) else frame
    if not len(known):
        return None
    records = known.to_dict("records")
    total = sum(float(row["value"]) for row in records)
    worse = 1 if view.better == "lower" else -1
    shares = [
        Share(
            str(row["factor"]),
            float(row["value"]),
            view.scale.signed(float(row["value"])) + (f" ({percent(float(row['value']) / total)})" if total else ""),
            "fon" if worse * float(row["value"]) > 0 else "foff",
        )
        for row in records
    ]
    text = view.scale.signed(total)
    alt = "Shapley shares: " + ", ".join(f"{s.label} {s.text}" for s in shares) + f"; all together {text}"
    drawing = waterfall("shapley", shares, "all together", text, alt)
    rows = tuple(
        (
            Cell(rich(code(str(row["factor"]))), value=str(row["factor"])),
            signed_cell(number(row["value"]), view.scale),
            interval_or_words(view, row, "value"),
        )
        for row in records
    )
    last = (Cell(rich(strong("all together")), value="all together"), signed_cell(total, view.scale), Cell())
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
    figure = Figure("shapley", rich("They add up to the change from none to all, exactly."), (Panel((), drawing),))
    intro = Text(
        rich(
            "The share of a factor is its average change over all orders of switching the factors on, "
            "one after another."
        )
    )
    return Section("shapley", "Which factor made the change?", "Shares", (intro, Beside((figure,), (table,), 0.6)))
