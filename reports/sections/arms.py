"""All arms: is the average hiding something?"""

from reports.answer import onset_words
from reports.document import Cell, Column, Rich, Section, Table, Text, muted, rich
from reports.estimates import bars, differences, estimate, interval_cell, number, p_cell, signed_cell
from reports.numbers import NOTHING
from reports.view import StudyView


def arms(view: StudyView) -> Section | None:
    """One row an arm: mean and spread over seeds, difference to the reference, onset, every seed a dot."""
    records = {str(row["cell_id"]): row for row in view.analysis.arms.to_dict("records")}
    shown = [arm for arm in view.arms if arm.cell_id in records]
    if not shown:
        return None
    estimates = [estimate(view, arm.label, records[arm.cell_id], "difference", differences(view, arm)) for arm in shown]
    drawn, axis = bars(view, "arm", estimates)
    many = any("verdict" in row and isinstance(row["verdict"], str) and row["verdict"] for row in records.values())
    rows = []
    for arm, bar in zip(shown, drawn, strict=True):
        row = records[arm.cell_id]
        mean, sd = number(row["mean"]), number(row["sd"])
        missing = [
            f"{int(row[key])} {word}" for key, word in (("n_diverged", "diverged"), ("n_failed", "failed")) if row[key]
        ]
        spread = f" ({view.scale.fixed(sd)})" if sd is not None else ""
        cells = [
            Cell(rich(arm.marks or arm.short), sub=rich(arm.short if arm.marks else ""), value=arm.label),
            Cell(
                rich(str(int(row["n_finished"]))),
                sub=rich("+ " + ", ".join(missing) if missing else ""),
                value=int(row["n_finished"]),
            ),
            Cell(rich(view.scale.fixed(mean), muted(spread)), value=mean),
        ]
        if arm.reference:
            cells += [Cell(rich("reference"), value=0.0), Cell(), Cell()]
        else:
            cells += [
                signed_cell(number(row["difference"]), view.scale),
                interval_cell(number(row["low"]), number(row["high"]), view.scale),
                p_cell(number(row["p_adjusted"])),
            ]
        if many:
            word = row.get("verdict")
            cells.append(
                Cell(badge=word, value=word) if isinstance(word, str) and word and not arm.reference else Cell()
            )
        onset, _, step = onset_words(view, (arm,)).partition(", ")
        cells.append(Cell(rich(onset or NOTHING), sub=rich(step)))
        cells.append(Cell() if arm.reference else Cell(drawing=bar))
        rows.append(tuple(cells))
    columns = [
        Column("arm", "Arm" + (" (● differs from its first level)" if shown[0].marks else ""), "text", 1.7),
        Column("n_finished", "Trials", "number", 0.7),
        Column("mean", f"{view.metric}, mean (sd)", "number", 1.2),
        Column("difference", "Change", "number", 0.8),
        Column("interval", "95 % interval", "number", 1.3),
        Column("p_adjusted", "p (Holm)", "number", 0.65),
    ]
    if many:
        columns.append(Column("verdict", "Verdict", "badge", 1.35))
    columns += [
        Column("degraded", "Degraded", "number", 1.15),
        Column("bar", "Change; dots: seeds", "drawing", 1.8),
    ]
    order = ", ".join(view.factors)
    signs = f" Signs stand for {order}, in this order." if shown[0].marks else ""
    table = Table(
        "arms",
        f"{view.metric} {view.summary} in each arm",
        tuple(columns),
        tuple(rows),
        rich(
            f"Change against the reference, paired by seed.{signs} sd: over seeds. "
            "Trials that diverged or failed are not averaged in."
        ),
        axis,
        look="plain" if len(rows) > 16 else "cards",
        sortable=True,
    )
    return Section("arms", "All arms", "All arms", (Text(_sentence(view)), table))


def _sentence(view: StudyView) -> Rich:
    """Best and worst arm."""
    known = view.analysis.arms[view.analysis.arms["mean"].notna()]
    if len(known) < 2:
        return rich("There is one arm with a result.")
    ordered = known.sort_values("mean", kind="stable")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    best, worst = (low, high) if view.better == "lower" else (high, low)
    names = {arm.cell_id: arm.label for arm in view.arms}
    fixed = view.scale.fixed
    return rich(
        f"Best: {names[str(best['cell_id'])]}, {fixed(float(best['mean']))}. "
        f"Worst: {names[str(worst['cell_id'])]}, {fixed(float(worst['mean']))}."
    )
