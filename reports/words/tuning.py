"""What a report says of values that every arm has chosen among tries."""

from typing import Any

from reports.page.blocks import Cell, Column, Rich, Table, code, joined, rich, strong
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.view.tuning import choices


def tuning_words(view: StudyView) -> Rich:
    """Return how every arm has chosen its value; empty if all values are given."""
    tuning = view.study.get("tuning")
    if tuning is None:
        return ()
    seeds = tuning["seeds"]
    where = (
        f"seed {seeds[0]}, which isn't a replicate"
        if len(seeds) == 1
        else f"seeds {', '.join(map(str, seeds))}, which aren't replicates"
    )
    mean = "the best mean" if len(seeds) > 1 else "the best"
    return rich(
        "Every arm's ",
        code(tuning["path"]),
        f" was chosen among {count(len(tuning['values']), 'value')} (",
        joined([code(_text(value)) for value in tuning["values"]]),
        f") on {where}: the one with {mean} ",
        code(view.metric),
        f" {view.summary}. A diverged try counts as the worst.",
    )


def tuning_table(view: StudyView) -> Table | None:
    """Return the chosen value of each arm, with the outcomes of its tries; None if none chose."""
    rows = choices(view)
    tuning = view.study.get("tuning")
    if not rows or tuning is None:
        return None
    return Table(
        "tuning",
        f"{tuning['path']} that each arm has chosen",
        (
            Column("arm", "Arm", "text", 2.0),
            Column("value", f"Chosen {tuning['path']}", "number", 1.0),
            Column("tries", f"Tries: {view.metric} {view.summary}", "text", 4.0),
        ),
        tuple(
            (
                Cell(rich(strong(one.arm.code)), value=one.arm.label),
                Cell(rich(code(_text(one.value))), value=_number(one.value)),
                Cell(rich(words := "; ".join(_tried(view, *it) for it in one.tries)), value=words),
            )
            for one in rows
        ),
        rich("The tries used ", _seeds(tuning["seeds"]), ", and no verdict uses them."),
        look="plain",
        latex=False,
    )


def edge_words(view: StudyView) -> Rich | None:
    """Return a warning about arms whose chosen value is the smallest or the largest that was tried.

    A value beyond may suit them better.
    """
    tuning = view.study.get("tuning")
    rows = [one for one in choices(view) if one.edge]
    if tuning is None or not rows:
        return None
    named = [
        rich(code(one.arm.code), f" ({one.edge}, ", code(_text(one.value)), ")")
        for one in rows[:MOST_NAMES]
    ]
    rest = f" and {count(len(rows) - MOST_NAMES, 'more arm')}" if len(rows) > MOST_NAMES else ""
    return rich(
        strong("Chosen at the edge."),
        " The best ",
        code(tuning["path"]),
        " that was tried is the smallest or the largest one in ",
        joined(named),
        f"{rest}. A value beyond it may suit such an arm better; try more values.",
    )


MOST_NAMES = 4
"""Arms at the edge that are named; if there are more, the others are counted."""


def _tried(view: StudyView, value: Any, mean: float, diverged: int) -> str:
    """Return what a value gave, in words."""
    lost = f"{diverged} diverged" if diverged else ""
    known = view.scale.fixed(mean) if mean == mean else ""
    return f"{_text(value)}: {', '.join(part for part in (known, lost) if part)}"


def _seeds(seeds: list[int]) -> str:
    """Return seeds in words."""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"


def _text(value: Any) -> str:
    """Return a value as a study file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: Any) -> Any:
    """Return a value to sort by."""
    return value if isinstance(value, int | float) else str(value)
