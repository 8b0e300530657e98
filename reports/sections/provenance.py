"""How can I repeat the study? Plan, versions, methods, and the command for each trial."""

import json
from collections.abc import Mapping
from typing import Any

from reports.charts.bars import Bar, bars
from reports.page.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Facts,
    Figure,
    Fold,
    Panel,
    Rich,
    Section,
    Table,
    Text,
    code,
    rich,
)
from reports.page.numbers import NOTHING, duration
from reports.view.cost import cost
from reports.view.study import Event, StudyView
from reports.words.devices import computing_words
from reports.words.estimates import number
from reports.words.judged import guessed_words, source_words
from reports.words.methods import methods
from reports.words.names import key

UNFOLDED = 60
"""Maximum number of trials in an open table; a longer table opens on request."""


def provenance(view: StudyView) -> Section:
    """Show how to repeat the study: plan, versions, methods, and all trials with commands."""
    facts = Facts(tuple((rich(term), fact) for term, fact in _facts(view) if fact))
    trials = _trials(view)
    table: tuple[Block, ...] = (*key(view), trials)
    shown = (Fold(f"All {len(trials.rows)} trials", table),)

    blocks: tuple[Block, ...] = (
        facts,
        *_again(view),
        *_steps(view),
        Fold("Methods, for a paper", tuple(Text(paragraph) for paragraph in methods(view))),
        *(shown if len(trials.rows) > UNFOLDED else table),
    )
    return Section("repeat", "Repeat it", "Repeat it", blocks)


def _again(view: StudyView) -> tuple[Block, ...]:
    """Return how to make the study again, or, for runs of another program, the report."""
    if view.judged:
        where = (rich(source_words(view), " "), guessed_words(view))
        return (
            Text(rich(*where)),
            Text(rich("The same judgement again, from the study's folder:")),
            Code("g2g-ablate judge judge.yaml"),
        )
    return (
        Text(rich("The whole study again, from its folder:")),
        Code("g2g-ablate run study.resolved.yaml --out again"),
    )


def _facts(view: StudyView) -> list[tuple[str, Rich]]:
    """Return the facts that another machine needs, as pairs of a term and its value."""
    study = view.study
    versions = study.get("versions") or {}
    outcome = study["outcome"]
    excluded = study.get("excluded") or ()
    equal = study.get("equal_cells") or ()

    return [
        ("Study", rich(code(str(study["name"])))),
        ("Plan hash", rich(code(str(study.get("hash", ""))))),
        ("Design", rich(_flat(study.get("design", "")))),
        ("Seeds", rich(", ".join(map(str, view.seeds)))),
        ("Outcome and rule", rich(_flat(outcome))),
        ("Versions", rich(_flat(versions))),
        ("Computed in", computing_words(view)),
        ("Left out", rich("; ".join(_flat(cell) for cell in excluded))),
        (
            "Equal cells, run once",
            rich("; ".join(" = ".join(map(_flat, group)) for group in equal)),
        ),
        ("Cost", _cost(view)),
        ("Predicted before", _predicted(view)),
    ]


def _cost(view: StudyView) -> Rich:
    """Return the training time of all trials; empty if another program didn't record it."""
    seconds = _seconds(view)
    if view.judged and seconds is None:
        return ()
    return rich(duration(seconds), " of training in all")


def _predicted(view: StudyView) -> Rich:
    """Return what `plan --pilot` expected, next to the true cost; empty without a pilot."""
    pilot = view.study.get("pilot")
    if not pilot:
        return ()
    text = f"{duration(pilot['seconds'])} of training for {pilot['trials']} trials"
    spent = _seconds(view)
    if spent and pilot["seconds"] and pilot["trials"] == len(view.table.trials):
        text += f", {pilot['seconds'] / spent:.2f} times what it took"
    return rich(f"{text}; {pilot['memory_mb']:.0f} MB of memory, {pilot['disk_mb']:.0f} MB of disk")


def _steps(view: StudyView) -> tuple[Block, ...]:
    """Return what looks and common parts have saved, and tries have cost; empty without these."""
    spent = cost(view.table)
    if spent is None or not (spent.shared or spent.run < spent.fixed or spent.tuning):
        return ()

    amounts = [Bar("all arms, all seeds, nothing shared", spent.fixed, f"{spent.fixed:,} steps")]
    words = []
    if spent.run < spent.fixed:
        text = f"{spent.run:,} steps (−{spent.by_looks:.0%})"
        amounts.append(Bar("without the trials that looks made needless", spent.run, text))
        words.append(f"looks saved {spent.by_looks:.0%}")
    if spent.shared:
        share = 1 - spent.trained / spent.fixed
        text = f"{spent.trained:,} steps (−{share:.0%})"
        amounts.append(Bar("with common steps trained once", spent.trained, text))
        words.append(f"steps that arms have in common saved {spent.by_forks:.0%}")
    if spent.pretraining:
        text = f"{spent.pretraining:,} steps"
        amounts.append(Bar("pre-training, which other studies may share", spent.pretraining, text))
    if spent.tuning:
        text = f"{spent.tuning:,} steps"
        amounts.append(Bar("tries, among which arms chose a value", spent.tuning, text))
    saved = f"Of the fixed design's steps, {' and '.join(words)}." if words else ""
    tried = f"Tries took {spent.tuning / max(1, spent.trained):.0%} more." if spent.tuning else ""
    told = " ".join(part for part in ("Training steps of this study.", saved, tried) if part)
    drawing = bars("steps", amounts, told)
    return (Figure("steps", rich(told), (Panel((), drawing),)),)


def _seconds(view: StudyView) -> float | None:
    """Return the training time of all trials in seconds; None if it was not recorded."""
    trials = view.table.trials
    seconds = float(trials["seconds"].sum()) if "seconds" in trials else None
    return None if view.judged and not seconds else seconds


def _flat(value: Any) -> str:
    """Return a mapping as `key value, key value`, and anything else as short JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list | tuple):
        return ", ".join(_flat(item) for item in value)
    return json.dumps(value)


def _onset(event: Event | None) -> Cell:
    """Return the cell with the step of a trial's event, which names a divergence."""
    if event is None:
        return Cell(rich(NOTHING))
    return Cell(
        rich(str(event.step)),
        sub=rich("diverged" if event.kind == "diverged" else ""),
        value=event.step,
    )


def verify(trial: str) -> str:
    """Return the command that repeats a trial, from the study's folder."""
    return f"g2g-ablate verify . {trial}"


def _trials(view: StudyView) -> Table:
    """Return the table of all trials with the command that repeats each, or their runs' names."""
    column = f"metric.{view.metric}"
    rows = []
    for row in view.table.trials.to_dict("records"):
        arm = view.arm_of.get(str(row["cell_id"]))
        trial, status = str(row["trial_id"]), str(row["status"])
        value, event = number(row.get(column)), view.events.get(trial)
        label = arm.code if arm else str(row["cell_id"])
        seconds = number(row.get("seconds")) if _seconds(view) is not None else None
        rows.append(
            (
                Cell(rich(code(trial)), value=trial),
                Cell(rich(label), value=label),
                Cell(rich(str(row["seed"])), value=int(row["seed"])),
                Cell(badge=status, value=status),
                Cell(rich(view.scale.fixed(value)), value=value),
                _onset(event),
                Cell(rich(duration(seconds)), value=seconds),
                Cell(rich(code(str(row.get("run", "")) if view.judged else verify(trial)))),
            )
        )

    return Table(
        "trials",
        "All trials, and the runs that they are"
        if view.judged
        else "All trials, and the command that repeats each, from the study's folder",
        (
            Column("trial_id", "Trial", "code", 1.25),
            Column("arm", "Arm", "text", 1.9),
            Column("seed", "Seed", "number", 0.5),
            Column("status", "Status", "badge", 0.95),
            Column("outcome", view.metric, "number", 0.8),
            Column("onset", "Onset", "number", 0.65),
            Column("seconds", "Time", "number", 0.6),
            Column("command", "Run" if view.judged else "Command", "code", 2.6),
        ),
        tuple(rows),
        look="plain",
        sortable=True,
        filterable=("arm", "status"),
        latex=False,
    )
