"""The first page: the question is the title, the answer the first sentence, the numbers right behind it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reports.document import (
    Beside,
    Block,
    Cell,
    Column,
    Rich,
    Section,
    Table,
    Text,
    code,
    rich,
    strong,
)
from reports.estimates import (
    bars,
    estimate,
    fixed_cell,
    interval_or_words,
    number,
    p_of,
    signed_cell,
)
from reports.numbers import count, duration
from reports.sections.curves import first_page_curve
from reports.sections.images import end_pictures
from reports.shared import lengths
from reports.view import StudyView
from reports.words.answer import lead, onset_words, others, status_words
from reports.words.facts import rule_fixed
from reports.words.names import aliases


def answer(view: StudyView) -> Section:
    """Verdict, effect, interval and onset of each factor, in words and in a table."""
    words: list[Block] = [Text(lead(view), "lead")]
    words += [Text(one) for one in others(view)]
    words.append(Text(facts(view), "note"))
    curve = first_page_curve(view)
    if curve is not None:
        words.append(curve)
    pictures = end_pictures(view)
    top: tuple[Block, ...] = (Beside(tuple(words), (pictures,), 0.7),) if pictures else tuple(words)
    table = verdict_table(view)
    return Section("answer", "Answer", "Answer", (*top, *((table,) if table else ())))


def facts(view: StudyView) -> Rich:
    """How big the study is, and what it cost."""
    seconds = view.table.trials["seconds"].sum() if "seconds" in view.table.trials else 0.0
    cost = rich(" Training: ", lengths(view), f"; {duration(float(seconds))} in all.") if seconds else ()
    return rich(status_words(view), cost)


def verdict_table(view: StudyView) -> Table | None:
    """One row a factor; None when no factor has a verdict."""
    verdicts = view.analysis.verdicts
    if not len(verdicts):
        return None
    records = verdicts.to_dict("records")
    dots = {name: part["effect"].tolist() for name, part in view.analysis.differences.groupby("factor")}
    estimates = [estimate(view, name := str(row["factor"]), row, "effect", dots.get(name, ())) for row in records]
    drawn, axis = bars(view, "verdict", estimates)
    rows = []
    for row, bar in zip(records, drawn, strict=True):
        name = str(row["factor"])
        onset = onset_words(view, view.alone(name))
        rows.append(
            (
                Cell(rich(code(name)), sub=_says(view, name), value=name),
                Cell(
                    badge=str(row["verdict"]), value=str(row["verdict"]), sub=rich(f"alone: {onset}" if onset else "")
                ),
                signed_cell(number(row["effect"]), view.effects),
                _interval(view, row),
                p_of(row, "effect"),
                fixed_cell(number(row["detectable_effect"]), view.effects),
                Cell(drawing=bar),
            )
        )
    return Table(
        "verdicts",
        "Verdict for each factor",
        (
            Column("factor", "Factor", "text", 1.5),
            Column("verdict", "Verdict", "badge", 1.75),
            Column("effect", f"Effect on {view.metric}", "number", 0.9),
            Column("interval", view.interval, "number", 1.35),
            Column("p_adjusted", "p, corrected", "number", 0.7),
            Column("detectable_effect", "Detectable effect", "number", 0.8),
            Column("bar", "Effect and interval (dots: seeds)", "drawing", 2.2),
        ),
        tuple(rows),
        rule(view),
        axis,
    )


def _interval(view: StudyView, row: Mapping[Any, Any]) -> Cell:
    """The interval of an effect, and where seeds were added after a look the usual one below it."""
    cell = interval_or_words(view, row, "effect")
    if not view.analysis.cells.rule.peeked:
        return cell
    usual = view.effects.interval(number(row["usual_low"]), number(row["usual_high"]))
    return replace(cell, sub=rich(f"as if never looked at: {usual}"))


def _says(view: StudyView, name: str) -> Rich:
    """What a factor is: the description of the loss of that name, else its levels."""
    factor, _ = view.split(name)
    described = view.study.get("losses", {}).get(factor)
    levels = " / ".join(str(level) for level in view.factors.get(factor, {}).get("levels", ()))
    others = aliases(view, name)
    return rich(str(described or levels), f"; aliased with {', '.join(others)}" if others else "")


def rule(view: StudyView) -> Rich:
    """How the words of the verdict come about."""
    up, down = ("above", "below") if view.better == "lower" else ("below", "above")
    band = (strong("Gray band:"), f" ±{view.margin_words}, too small to matter. ") if view.margin else ()
    several = len(view.factors) > 1
    every = " in every setting" if several else ""
    same = f" less than the margin{every}. " if view.margin else " never said, since the study names no margin. "
    return rich(
        strong("Effect:"),
        f" the change of {view.metric} {view.summary} ({view.better} is better), compared within each seed"
        + (f" and averaged over {view.averaged_over}. " if several else ". "),
        *band,
        strong("Equivalent:"),
        same,
        *(
            (strong("Depends:"), " an interaction with another factor is established; its average is not a verdict. ")
            if several
            else ()
        ),
        strong("Harms, helps:"),
        f" the effect is {up} ({down}) zero"
        + (" and in no setting opposite by the margin. " if several and view.margin else ". "),
        *((strong("No harm, no benefit:"), " nowhere worse (better) by the margin. ") if view.margin else ()),
        strong("Not enough data:"),
        " none of these. ",
        f"Verdicts are corrected for all claims of this report (error 5%), p with them; intervals are usual "
        f"{100 * (1 - view.alpha):.3g}% intervals. ",
        strong("Detectable effect:"),
        f" what a study of this size finds in 8 of 10 repetitions. {rule_fixed(view)}{_looked(view)}",
    )


def _looked(view: StudyView) -> str:
    """After how many seeds one looked, and that the level pays for it."""
    if not view.looks:
        return ""
    *before, last = map(str, view.looks)
    there, open_ = len(view.seeds), view.analysis.waiting
    if there == view.looks[-1]:
        ended = "went on to the last"
    elif open_:
        ended = f"has {count(there, 'seed')} so far"
    elif view.analysis.futile:
        ended = f"stopped after {there}, since the seeds left could not decide what was open"
    else:
        ended = f"stopped after {there}, when every factor had a verdict"
    return (
        f" Looks were planned after {', '.join(before)} and {last} seeds; the study {ended}. The error is spent over "
        "the looks, so that several cause no more false alarms than one; intervals are wider to match."
    )
