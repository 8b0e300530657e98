"""All arms: does the average hide something?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from reports.charts.intervals import Estimate
from reports.page.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Fold,
    Rich,
    Section,
    Table,
    Text,
    joined,
    muted,
    plain,
    rich,
    strong,
)
from reports.page.numbers import NOTHING, count, p_words
from reports.view.study import Arm, StudyView
from reports.words.estimates import bars, differences, estimate, nothing, number, signed_cell
from reports.words.names import key
from reports.words.onset import onset_parts
from reports.words.picked import Ranked, picked_words, ranking
from reports.words.tuning import tuning_table
from reports.words.units import unit

UNFOLDED = 24
"""Maximum number of arms in one open table.

With more arms, the strongest are shown, and the whole table opens on request.
"""
STRONGEST = 12
"""Number of arms with the largest differences that are shown of a long table."""
MOST_ON_A_PHONE = 8
"""Arms up to which a phone shows the table unfolded."""
MOST_NAMES = 4
"""Arms without a result that are named; if there are more, they are counted."""


def arms(view: StudyView) -> Section | None:
    """Show each arm: mean and spread, difference from the reference, onset, and every seed."""
    records = {str(row["cell_id"]): row for row in view.analysis.arms.to_dict("records")}
    shown = [arm for arm in view.arms if arm.cell_id in records]
    if not shown:
        return None

    caption = f"{view.metric} {view.summary} in each arm"
    table = _table(view, "arms", caption, shown, records)
    blocks: list[Block] = [Text(_sentence(view)), *key(view)]
    if len(shown) > UNFOLDED:
        size = {
            arm.cell_id: abs(number(records[arm.cell_id]["difference"]) or 0.0) for arm in shown
        }
        strongest = sorted(shown, key=lambda arm: (not arm.reference, -size[arm.cell_id]))[
            : STRONGEST + 1
        ]
        title = f"The {STRONGEST} arms that differ most from the reference"
        blocks.append(_table(view, "arms-strongest", title, strongest, records))
        blocks.append(Fold(f"All {count(len(shown), 'arm')}", (table,)))
    elif len(shown) > MOST_ON_A_PHONE:
        blocks.append(Fold(f"The table of {count(len(shown), 'arm')}", (table,), only_phone=True))
    else:
        blocks.append(table)
    if (chosen := tuning_table(view)) is not None:
        blocks.append(chosen)
    return Section("arms", "Arms", "Arms", tuple(blocks))


def _table(
    view: StudyView,
    name: str,
    caption: str,
    shown: Sequence[Arm],
    records: Mapping[str, Mapping[Any, Any]],
) -> Table:
    """Return a table with one row per arm."""
    estimates: list[Estimate] = []
    for arm in shown:
        row = records[arm.cell_id]
        word = row.get("verdict")
        verdict = word if isinstance(word, str) else ""
        dots = differences(view, arm)
        estimates.append(estimate(arm.label, row, "difference", dots, verdict))
    drawn, axis = bars(view, name, estimates)

    return Table(
        name,
        caption,
        (
            Column("arm", "Arm", "text", 2.0),
            Column("n_finished", "Trials", "number", 0.7),
            Column("mean", f"{view.metric}, mean (sd)", "number", 1.2),
            Column("difference", "Change", "number", 0.8),
            Column("interval", f"{view.interval}; p (Holm)", "number", 1.3),
            Column("verdict", "Verdict", "badge", 1.35),
            Column("degraded", view.fall.capitalize(), "number", 1.15),
            Column("bar", f"Change; dots: {unit(view)}s", "drawing", 1.8),
        ),
        tuple(
            _row(view, arm, records[arm.cell_id], bar)
            for arm, bar in zip(shown, drawn, strict=True)
        ),
        rich(
            f"Change against the reference, paired by seed. sd: over {unit(view)}s. "
            "Trials that diverged or failed are not averaged in."
        ),
        axis,
        look="plain" if len(shown) > 16 else "cards",
        sortable=True,
    )


def _row(view: StudyView, arm: Arm, row: Mapping[Any, Any], bar: Drawing) -> tuple[Cell, ...]:
    """Return the row of one arm."""
    mean, sd, n = number(row["mean"]), number(row["sd"]), int(row["n_finished"])
    missing = [
        f"{int(row[f'n_{word}'])} {word}" for word in ("diverged", "failed") if row[f"n_{word}"]
    ]
    spread = f" ({view.scale.fixed(sd)})" if sd is not None else ""

    onset, *step = onset_parts(view, (arm,))
    names = [
        *([arm.words] if arm.words else []),
        *(f"also {view.names.words(levels)}" for levels in arm.also),
    ]

    head = (
        Cell(rich(strong(arm.code)), sub=rich("; ".join(names)), value=arm.label),
        Cell(rich(str(n)), sub=rich("+ " + ", ".join(missing) if missing else ""), value=n),
        Cell(rich(view.scale.fixed(mean), muted(spread)), value=mean),
    )

    degraded = Cell(rich(onset or NOTHING), sub=rich(*step))

    if arm.reference:
        return (*head, Cell(rich("reference"), value=0.0), Cell(), Cell(), degraded, Cell())

    low, high, p = number(row["low"]), number(row["high"]), number(row["p_adjusted"])
    equal = nothing(row, "difference")
    interval = Cell(rich("equal trials" if equal else view.effects.interval(low, high)), value=low)
    interval = interval if equal else replace(interval, sub=rich(_p_words(p)))

    word = row.get("verdict")
    verdict = Cell(badge=word, value=word) if isinstance(word, str) and word else Cell()
    return (
        *head,
        signed_cell(number(row["difference"]), view.effects),
        interval,
        verdict,
        degraded,
        Cell(drawing=bar),
    )


def _p_words(p: float | None) -> str:
    """Return p in words, `p = 0.012` or `p < 0.001`; empty without a value."""
    return "" if p is None else p_words(p)


def _sentence(view: StudyView) -> Rich:
    """Return the arms with the lowest and the highest mean, and those without one.

    An arm has no mean if none of its trials finished because of divergence.
    """
    arms, ranked = view.analysis.arms, ranking(view)
    lost = arms[(arms["n_diverged"] > 0) & (arms["n_diverged"] + arms["n_failed"] == arms["n"])]
    if len(ranked) + len(lost) < 2 or not ranked:
        return rich("There is one arm with a result." if ranked else "No arm has a result.")

    sentences = [picked] if (picked := picked_words(view)) else []
    if len(ranked) == 1:
        sentences.append(rich(f"One arm has a mean: {_mean_words(view, ranked[0])}."))
    elif ranked[0].mean == ranked[-1].mean:
        sentences.append(
            rich(f"All {count(len(ranked), 'mean')} are equal: {_mean_words(view, ranked[0])}.")
        )
    else:
        ends = ("Lowest", "Highest") if view.better == "lower" else ("Highest", "Lowest")
        first, last = (
            f"{end} mean: {_mean_words(view, ranked[at])}."
            for end, at in zip(ends, (0, -1), strict=True)
        )
        sentences += [rich(last)] if picked else [rich(first), rich(last)]

    if len(lost):
        sentences.append(rich(f"No mean: {_lost_words(view, lost)}."))
    return joined(sentences, comma=" ", last=" ")


def _mean_words(view: StudyView, one: Ranked) -> str:
    """Return label and mean of an arm, and how many of its trials diverged."""
    missing = f" ({one.diverged} of {count(one.trials, 'trial')} diverged)" if one.diverged else ""
    return f"{one.arm.label}, {view.scale.fixed(one.mean)}{missing}"


def _lost_words(view: StudyView, rows: pd.DataFrame) -> str:
    """Return the labels of arms without a result, and how many of their trials diverged."""
    labels = [view.arm_of[str(cell)].label for cell in rows["cell_id"]]
    names = plain(joined(labels)) if len(labels) <= MOST_NAMES else f"{len(labels)} arms"
    diverged, n = int(rows["n_diverged"].sum()), int(rows["n"].sum())
    all_, rest = ("all ", "") if diverged == n else (f"{diverged} of ", ", none finished")
    return f"{names}, {all_}{count(n, 'trial')} diverged{rest}"
