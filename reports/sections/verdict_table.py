"""The verdicts in full: every sentence, the table of the factors, and the rule of verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports.charts.intervals import Estimate
from reports.claims.claim import Claim
from reports.claims.rule import OPEN
from reports.page.blocks import (
    Cell,
    Column,
    Drawing,
    Rich,
    Section,
    Table,
    Text,
    code,
    plain,
    rich,
    strong,
)
from reports.page.numbers import NOTHING, count
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.estimates import (
    bars,
    estimate,
    fixed_cell,
    interval_or_words,
    number,
    p_cell,
    p_of,
    signed_cell,
)
from reports.words.facts import blocked, rule_fixed
from reports.words.names import aliases, at_levels
from reports.words.onset import onset_words
from reports.words.replicates import interval_words
from reports.words.units import unit

Record = Mapping[Any, Any]


@dataclass(frozen=True)
class _Row:
    """A factor, or its effect at one level of another factor.

    Attributes:
        record: its row of `verdicts`.
        claim: the claim at one level; None if the row is the factor's own.
    """

    record: Record
    claim: Claim | None = None

    @property
    def name(self) -> str:
        """The name of the factor, or of one of its levels."""
        return str(self.record["factor"])


def verdicts(view: StudyView) -> Section | None:
    """Show all that is claimed, in sentences and in a table; None if no factor has a verdict."""
    table = verdict_table(view)
    if table is None:
        return None
    sentences = [Text(words) for words in (lead(view), *others(view))]
    return Section("verdicts", "The verdicts in full", "Verdicts", (*sentences, table))


def verdict_table(view: StudyView) -> Table | None:
    """Return one row per factor; None if no factor has a verdict.

    Below a factor that depends on others, there is one row for each of its effects at single
    levels.
    """
    records = view.analysis.verdicts.to_dict("records")
    if not records:
        return None

    shown = [row for record in records for row in _rows(view, record)]
    drawn, axis = bars(view, "verdict", [_estimate(view, row) for row in shown])

    return Table(
        "verdicts",
        "Verdict for each factor",
        (
            Column("factor", "Factor", "text", 1.9),
            Column("verdict", "Verdict", "badge", 1.75),
            Column("effect", f"Effect on {view.metric}", "number", 0.9),
            Column("interval", view.interval, "number", 1.35),
            Column("p_adjusted", "p, corrected", "number", 0.7),
            Column("detectable_effect", "Detectable effect", "number", 0.8),
            Column("bar", f"Effect and interval (dots: {unit(view)}s)", "drawing", 2.2),
        ),
        tuple(_cells(view, row, bar) for row, bar in zip(shown, drawn, strict=True)),
        rule(view),
        axis,
    )


def _rows(view: StudyView, record: Record) -> Sequence[_Row]:
    """Return the row of a factor.

    If its average is not a verdict, the rows of its effects at single levels follow.
    """
    if record["verdict"] != "depends":
        return (_Row(record),)
    claims = [c for c in view.analysis.claims if c.gate and c.subject == record["factor"]]
    # Where one setting is left, two interactions can allow the same effect, which gets one row.
    once = {(claim.word, frozenset(claim.scope.at.items())): claim for claim in reversed(claims)}
    return (_Row(record), *(_Row(record, claim) for claim in reversed(once.values())))


def _has_number(row: _Row) -> bool:
    """Return whether a row has its own number; a factor that depends on others has none."""
    return row.claim is not None or row.record["verdict"] != "depends"


def _estimate(view: StudyView, row: _Row) -> Estimate:
    """Return what the bar of a row shows."""
    if row.claim is not None:
        claim = row.claim
        numbers = {"value": claim.estimate, "low": claim.low, "high": claim.high}
        return estimate(
            f"{row.name} {plain(at_levels(view, claim.scope.at))}",
            numbers,
            "value",
            verdict=claim.word,
        )

    if not _has_number(row):
        return Estimate(row.name, None, None, None)

    differences = view.analysis.differences
    dots = differences.loc[differences["factor"] == row.name, "effect"].tolist()
    return estimate(row.name, row.record, "effect", dots, str(row.record["verdict"]))


def _cells(view: StudyView, row: _Row, bar: Drawing) -> tuple[Cell, ...]:
    """Return the cells of a row."""
    if row.claim is not None:
        return _conditional(view, row.claim, bar)

    name, record, word = row.name, row.record, str(row.record["verdict"])
    onset = onset_words(view, view.alone(name))
    note = f"alone: {onset}" if onset else ""
    if word == OPEN and name in blocked(view):
        note = "a group of pairs with it acts; more seeds don't separate the pairs"
    head = (
        Cell(rich(code(name)), sub=_description(view, name), value=name),
        Cell(badge=word, value=word, sub=rich(note)),
    )

    if not _has_number(row):
        nothing = Cell(rich(NOTHING))
        return (*head, nothing, nothing, p_cell(number(record["p_adjusted"])), nothing, Cell())
    return (
        *head,
        signed_cell(number(record["effect"]), view.effects),
        _interval(view, record),
        p_of(record, "effect"),
        fixed_cell(number(record["detectable_effect"]), view.effects),
        Cell(drawing=bar),
    )


def _conditional(view: StudyView, claim: Claim, bar: Drawing) -> tuple[Cell, ...]:
    """Return the cells of an effect at single levels of other factors."""
    low, high = number(claim.low), number(claim.high)
    return (
        Cell(rich("… ", at_levels(view, claim.scope.at)), value=claim.subject),
        Cell(badge=claim.word, value=claim.word),
        signed_cell(number(claim.estimate), view.effects),
        Cell(rich(view.effects.interval(low, high)), value=low),
        p_cell(number(claim.p_adjusted)),
        Cell(rich(NOTHING)),
        Cell(drawing=bar),
    )


def _interval(view: StudyView, row: Mapping[Any, Any]) -> Cell:
    """Return the interval of an effect.

    Where seeds were added after a look, the usual interval is below it.
    """
    cell = interval_or_words(view, row, "effect")
    if not view.analysis.cells.rule.peeked:
        return cell
    usual = view.effects.interval(number(row["usual_low"]), number(row["usual_high"]))
    return replace(cell, sub=rich(f"as if never looked at: {usual}"))


def _description(view: StudyView, name: str) -> Rich:
    """Return what a factor is: the description of the loss with its name, else its levels."""
    factor, _ = view.split(name)
    described = view.study.get("losses", {}).get(factor)
    levels = " / ".join(str(level) for level in view.factors.get(factor, {}).get("levels", ()))
    others = aliases(view, name)
    return rich(str(described or levels), f"; aliased with {', '.join(others)}" if others else "")


def rule(view: StudyView) -> Rich:
    """Return how the words of the verdicts are decided."""
    up, down = ("above", "below") if view.better == "lower" else ("below", "above")
    band = (
        (strong("Gray band:"), f" ±{view.margin_words}, too small to matter. ")
        if view.margin
        else ()
    )

    several = len(view.factors) > 1
    network = f", {words}" if (words := interval_words(view)) else ""
    every = " in every setting" if several else ""

    same = (
        f" less than the margin{every}. "
        if view.margin
        else " never said, since the study names no margin. "
    )

    return rich(
        strong("Effect:"),
        f" the change of {view.metric} {view.summary} ({view.better} is better), compared within "
        f"each {unit(view)}" + (f" and averaged over {view.averaged_over}. " if several else ". "),
        *band,
        strong("Equivalent:"),
        same,
        *(
            (
                strong("Depends:"),
                " an interaction with another factor is established; its average is not a "
                "verdict. ",
            )
            if several
            else ()
        ),
        strong("Harms, helps:"),
        f" the effect is {up} ({down}) zero"
        + (" and in no setting opposite by the margin. " if several and view.margin else ". "),
        *(
            (strong("No harm, no benefit:"), " nowhere worse (better) by the margin. ")
            if view.margin
            else ()
        ),
        strong("Not enough data:"),
        " none of these. ",
        "Verdicts are corrected for all claims of this report (error 5%), p with them; intervals "
        f"are usual {100 * (1 - view.alpha):.3g}% intervals{network}. ",
        strong("Detectable effect:"),
        " what a study of this size finds in 8 of 10 repetitions. "
        f"{rule_fixed(view)}{_looked(view)}",
    )


def _looked(view: StudyView) -> str:
    """Return after how many seeds looks were planned, and when the study stopped."""
    if not view.looks:
        return ""

    *before, last = map(str, view.looks)
    seeds, open_, one = len(view.analysis.cells.units), view.analysis.waiting, unit(view)

    if seeds == view.looks[-1]:
        ended = "went on to the last"
    elif open_:
        ended = f"has {count(seeds, one)} so far"
    elif view.analysis.futile:
        ended = f"stopped after {seeds}, since the {one}s left could not decide what was open"
    else:
        ended = f"stopped after {seeds}, when every factor had a verdict"
    return (
        f" Looks were planned after {', '.join(before)} and {last} {one}s; the study {ended}. The "
        "error is spent over the looks, so that several cause no more false alarms than one; "
        "intervals are wider to match."
    )
