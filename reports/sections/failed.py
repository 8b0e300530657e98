"""Which trials have no result? Trials that diverged, failed, or were interrupted, with errors."""

from reports.page.blocks import Block, Cell, Column, Section, Table, Text, code, rich
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.words.names import key

MEANING = {
    "diverged": "an outcome: an event, like degraded, and part of no mean",
    "failed": "left out; the comparison rests on the other seeds",
    "interrupted": "left out until the study is run again",
    "running": "not ended yet",
    "planned": "not started",
}
"""What the statistics do with a trial, by its status."""


def failed(view: StudyView) -> Section | None:
    """Show each trial that did not finish, why, and how it is counted; None if all finished."""
    trials = view.table.trials
    rest = trials[trials["status"] != "finished"]
    if not len(rest):
        return None

    rows = []
    for row in rest.to_dict("records"):
        arm = view.arm_of.get(str(row["cell_id"]))
        error = row.get("error")
        status = str(row["status"])
        rows.append(
            (
                Cell(rich(code(str(row["trial_id"]))), value=str(row["trial_id"])),
                Cell(
                    rich(arm.code if arm else str(row["cell_id"])),
                    sub=rich(arm.words if arm else ""),
                    value=arm.code if arm else "",
                ),
                Cell(rich(str(row["seed"])), value=int(row["seed"])),
                Cell(badge=status, value=status),
                Cell(rich(str(row.get("steps_done", ""))), value=_int(row.get("steps_done"))),
                Cell(rich(str(error) if isinstance(error, str) else "no reason recorded")),
                Cell(rich(MEANING.get(status, ""))),
            )
        )

    table = Table(
        "failed",
        "Trials without a result",
        (
            Column("trial_id", "Trial", "text", 1.3),
            Column("arm", "Arm", "text", 1.5),
            Column("seed", "Seed", "number", 0.5),
            Column("status", "Status", "badge", 1.0),
            Column("steps_done", "Steps done", "number", 0.6),
            Column("error", "What happened", "text", 2.5),
            Column("meaning", "In the statistics", "text", 1.7),
        ),
        tuple(rows),
        look="plain" if len(rows) > 12 else "cards",
        sortable=True,
    )

    intro = Text(rich(f"{len(rest)} of {count(len(trials), 'trial')} did not finish."))
    blocks: tuple[Block, ...] = (intro, *key(view), table)
    return Section("failed", "Trials that did not finish", "Failed trials", blocks)


def _int(value: object) -> float | None:
    """Return a number of steps for sorting; None if it isn't a number."""
    try:
        return float(str(value))
    except ValueError:
        return None
