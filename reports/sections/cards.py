"""A card for each change: verdict, effect, interval, and how firm the verdict is."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from reports.analysis.robustness import DIRECTIONS
from reports.charts.intervals import Estimate, effect_axis, interval_axis, interval_bar
from reports.charts.svg import Axis
from reports.claims.claim import Claim, ranked
from reports.claims.rule import OPEN
from reports.page.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Drawing,
    Fold,
    Rich,
    Table,
    code,
    joined,
    plain,
    rich,
    spaced,
    strong,
)
from reports.page.numbers import NOTHING, count
from reports.page.theme import DOTS, TONES
from reports.view.study import StudyView
from reports.words.estimates import number
from reports.words.facts import unseparated
from reports.words.findings import SAME, Finding, findings
from reports.words.names import amount
from reports.words.onset import onset_words
from reports.words.plainly import (
    at_plainly,
    capital,
    confidence_words,
    factor_words,
    interval_of,
    margin_percent,
    reference_mean,
    signed_size,
    whole,
)

MOST_CARDS = 3
"""Cards of changes that make no difference; more of them become rows."""
MOST_SEEDS = 3
"""Seeds that a card names; more of them are counted."""
MOST_ON_A_PHONE = 8
"""Arms of a study up to which a phone shows every row unfolded."""


def cards(view: StudyView) -> tuple[Block, ...]:
    """Return the cards, and a row for each further change that makes no difference."""
    every = findings(view)
    apart = unseparated(view)
    known = [one for one in every if one.name not in apart]
    pairs = _pairs(view)
    if not known:
        return pairs
    shown = [one for at, one in enumerate(known) if at < MOST_CARDS or one.acts]
    rest = [one for one in known if one not in shown]

    percent = all(math.isfinite(claim.percent) for one in shown for claim in _drawn(one))
    rows = {one.name: _estimates(view, one, percent) for one in shown}
    drawn = [estimate for of_one in rows.values() for estimate, _ in of_one]
    axis = effect_axis(drawn, _band(view, None, percent)) if drawn else None

    made = tuple(_card(view, one, rows[one.name], axis) for one in shown)
    unit = "percent" if percent else view.metric
    below = interval_axis("card-axis", axis, f"change in {unit}", percent) if axis else None
    blocks: list[Block] = [Cards(made, below, _note(view, shown)), *pairs]
    if rest:
        table = _short_list(view, rest)
        many = len(view.arms) > MOST_ON_A_PHONE
        title = f"{count(len(rest), 'more change')}"
        blocks.append(Fold(title, (table,), only_phone=True) if many else table)
    return tuple(blocks)


def _pairs(view: StudyView) -> tuple[Table, ...]:
    """Return the groups of pairs that act, which a fraction can't separate."""
    groups = [
        claim
        for claim in ranked(view.analysis.claims, "depends")
        if claim.scope.type == "alias_group" and len(claim.scope.terms) > 1
    ]
    if not groups:
        return ()
    rows = []
    for claim in groups:
        names = joined([code(term) for term in claim.scope.terms], ", or ", ", or ")
        low, high = (amount(view, end, claim) for end in (claim.low, claim.high))
        rows.append(
            (
                Cell(names, value=claim.subject),
                Cell(rich(strong(amount(view, claim.estimate, claim))), value=claim.estimate),
                Cell(rich(f"{low} to {high}"), value=claim.low),
            )
        )
    alone = joined([factor_words(view, name) for name in sorted(unseparated(view))])
    table = Table(
        "pairs",
        "Pairs that act together",
        (
            Column("pairs", "One of these pairs acts", "text", 3.0),
            Column("effect", f"Change of {view.metric}", "number", 1.0),
            Column("interval", view.interval, "number", 1.2),
        ),
        tuple(rows),
        rich(
            "Each effect of one factor changes by twice this number with the other factor of the "
            "pair. So there is not enough data on single changes: ",
            alone,
            ". More seeds can't separate the pairs of a group; other arms can.",
        ),
        latex=False,
    )
    return (table,)


def _drawn(one: Finding) -> tuple[Claim, ...]:
    """Return the claims whose effect has a bar."""
    return tuple(claim for claim in one.claims if math.isfinite(claim.estimate))


def _estimates(
    view: StudyView, one: Finding, percent: bool
) -> list[tuple[Estimate, tuple[Rich, Claim]]]:
    """Return what the bars of a card show, with the setting and the claim of each."""
    out = []
    for claim in _drawn(one):
        where = at_plainly(view, claim.scope.at) if one.verdict == "depends" else ()
        word = claim.word if one.verdict == "depends" else one.verdict
        tone: Any = TONES.get(word, "mute")
        label = plain(where) or one.name
        ends = (
            (claim.percent, claim.percent_low, claim.percent_high)
            if percent
            else (claim.estimate, claim.low, claim.high)
        )
        value, low, high = (number(end) for end in ends)
        dots = () if where else _dots(view, one.name, claim, percent)
        out.append((Estimate(label, value, low, high, tone, dots), (where, claim)))
    return out


def _dots(view: StudyView, name: str, claim: Claim, percent: bool) -> tuple[float, ...]:
    """Return the effect of each seed."""
    differences = view.analysis.differences
    values = [float(v) for v in differences.loc[differences["factor"] == name, "effect"]]
    base = _base(view, claim)
    if not percent:
        return tuple(values)
    if view.log:
        return tuple(100 * value for value in values)
    return tuple(100 * value / base for value in values) if base else ()


def _base(view: StudyView, claim: Claim | None) -> float | None:
    """Return the mean that percent are of: that of the first level, else the reference's."""
    if claim is not None and claim.percent and math.isfinite(claim.percent):
        return abs(100 * claim.estimate / claim.percent)
    mean = reference_mean(view)
    return abs(mean) if mean else None


def _band(view: StudyView, claim: Claim | None, percent: bool) -> float | None:
    """Return the margin on the scale of the bars."""
    if view.margin is None or not percent:
        return view.margin
    if view.log:
        return 100 * view.margin
    base = _base(view, claim)
    return 100 * view.margin / base if base else None


def _card(
    view: StudyView,
    one: Finding,
    rows: Sequence[tuple[Estimate, tuple[Rich, Claim]]],
    axis: Axis | None,
) -> Card:
    """Return the card of one change."""
    bars: list[tuple[Rich, Drawing]] = []
    for at, (estimate, (where, claim)) in enumerate(rows):
        assert axis is not None
        band = _band(view, claim, math.isfinite(claim.percent))
        alt = f"{one.name} {plain(where)}: {signed_size(view, claim)}, {interval_of(view, claim)}"
        name = f"card-{view.names.letters.get(view.split(one.name)[0], '')}-{len(bars)}-{at}"
        bars.append((where, interval_bar(f"{name}-{one.name}", estimate, axis, band, alt)))

    factor, level = view.split(one.name)
    robust, why = _robustness(view, one)
    return Card(
        _letter(view, factor, level),
        capital(factor_words(view, factor)),
        _levels(view, factor, level),
        one.verdict,
        _size(view, one),
        _interval(view, one),
        tuple(bars),
        _words(view, one),
        robust,
        why,
    )


def _letter(view: StudyView, factor: str, level: str | None) -> str:
    """Return the letter of a change in the codes of arms; empty if codes are words."""
    if view.names.spelled:
        return ""
    letter = view.names.letters.get(factor, "")
    if level is None:
        return letter
    levels = [view.first(factor), *(x for x in view.factors[factor]["levels"])]
    order = list(dict.fromkeys(str(x) for x in levels))
    return f"{letter}{order.index(level) + 1}"


def _levels(view: StudyView, factor: str, level: str | None) -> Rich:
    """Return from which level to which a change leads: `whole → generator only`."""
    others = [str(x) for x in view.factors[factor]["levels"] if str(x) != view.first(factor)]
    to = [level] if level is not None else others
    return rich(f"{view.first(factor)} → ", strong(" / ".join(to)))


def _size(view: StudyView, one: Finding) -> str:
    """Return the effect of a change: `+37%`, or one for each setting: `+1% or +24%`."""
    drawn = _drawn(one)
    if one.verdict == "depends" and drawn:
        sizes = list(dict.fromkeys(signed_size(view, claim) for claim in drawn))
        return " or ".join(sizes) if len(sizes) < 3 else f"{sizes[0]} to {sizes[-1]}"
    return signed_size(view, drawn[0]) if drawn else NOTHING


def _interval(view: StudyView, one: Finding) -> str:
    """Return the interval of the effect, or of each effect that the size names."""
    drawn = _drawn(one)
    known = [words for claim in drawn if (words := interval_of(view, claim))]
    if not known:
        return ""
    if len(known) > 2:
        known = [known[0], known[-1]]
    return f"{confidence_words(drawn[0], len(known) > 1)} {'; '.join(known)}"


def _words(view: StudyView, one: Finding) -> Rich:
    """Return what else is known of a change, in a sentence or two."""
    factor, level = view.split(one.name)
    described = (view.labels.description(factor), level and view.labels.description(factor, level))
    parts: list[Rich] = [rich(text.rstrip(".") + ".") for text in described if text]
    drawn = _drawn(one)
    if one.verdict == OPEN:
        parts.append(_why_open(view, one))
    elif one.verdict == "depends":
        open_ = one.places - len(drawn)
        if drawn and open_:
            parts.append(rich(f"{count(open_, 'other setting')} not settled."))
        if one.also:
            others = joined([factor_words(view, factor) for factor in one.also])
            parts.append(rich("The effect depends on ", others, " too." if drawn else "."))
    elif one.verdict in ("no harm", "no benefit"):
        other = "helps" if one.verdict == "no harm" else "harms"
        side = "worse" if one.verdict == "no harm" else "better"
        parts.append(rich(f"In no setting {side} by {_margin(view)}. Whether it {other} is open."))
    elif one.verdict == "equivalent":
        every = " in every setting" if len(view.factors) > 1 else ""
        parts.append(rich(f"Less than {_margin(view)} either way{every}."))
    elif one.verdict == "equivalent on average":
        parts.append(rich(f"Less than {_margin(view)} on average; single settings were not clear."))
    elif one.moved and "small" in one.moved[0].caveats:
        parts.append(rich("The effect may be too small to matter."))

    if one.acts and (onset := onset_words(view, view.alone(one.name))):
        parts.append(rich(f"Alone: {onset}."))
    if aliases := [term for claim in one.claims[:1] for term in claim.scope.terms[1:]]:
        names = joined([code(term) for term in aliases], ", or ", " or ")
        parts.append(rich("The design can't tell it from ", names, "."))
    return spaced(parts)


def _margin(view: StudyView) -> str:
    """Return the margin, and what it is in percent: `0.010 (7%)`."""
    band = margin_percent(view)
    return view.margin_words if band is None or view.log else f"{view.margin_words} ({whole(band)})"


def _why_open(view: StudyView, one: Finding) -> Rich:
    """Return why there is no verdict on a change, and what would give one."""
    if not _drawn(one):
        return rich("No mean to compare.")
    row = _check(view, one.name)
    wanted = number(row.get("seeds_needed")) if row else None
    start = f"{count(len(view.seeds), 'seed')} can't tell."
    if wanted is not None and wanted > len(view.seeds):
        return rich(f"{start} About {wanted:.0f} would find an effect of {_margin(view)}.")
    return rich(start)


def _check(view: StudyView, name: str) -> Mapping[Any, Any] | None:
    """Return the row of a change in the table of robustness."""
    rows = view.analysis.checks.to_dict("records")
    return next((row for row in rows if row["factor"] == name), None)


def _robustness(view: StudyView, one: Finding) -> tuple[str, Rich]:
    """Return how firm a verdict is, and why; both empty if it can't be said."""
    row = _check(view, one.name)
    if row is None or one.verdict == OPEN:
        return "", ()
    mark = str(row["robust"])
    if not mark:
        return "", rich("Robustness unknown: with so few seeds, none can be left out.")
    if mark == "firm":
        tested = " and no other test" if one.verdict in DIRECTIONS else ""
        return mark, rich(f"No single seed{tested} changes the verdict.")
    if mark == "fair":
        return mark, rich("No single seed changes the verdict; an exact test can't confirm it.")
    seeds = str(row["hangs_on_seeds"]).split()
    if len(seeds) == len(view.seeds):
        return mark, rich(f"Needs every one of the {len(seeds)} seeds.")
    if len(seeds) > MOST_SEEDS:
        return mark, rich(f"Leaving out any one of {len(seeds)} seeds changes the verdict.")
    named = plain(joined(seeds, last=" or "))
    return mark, rich(f"Without seed {named}, the verdict is another one.")


def _note(view: StudyView, shown: Sequence[Finding]) -> Rich:
    """Return how to read the cards."""
    parts = ["Square: effect. Line: interval."]
    if any(one.verdict != "depends" for one in shown):
        parts.append("Dots: seeds.")
    if view.margin is not None:
        parts.append(f"Gray band: too small to matter (±{view.margin_words}).")
    marks = f"{DOTS['firm']} nothing tried changes the verdict, {DOTS['fair']} another test would, "
    return rich(
        " ".join(parts), " Robustness: ", marks, f"{DOTS['fragile']} leaving out a seed would."
    )


def _short_list(view: StudyView, rest: Sequence[Finding]) -> Table:
    """Return a row for each change that has no card."""
    rows = []
    for one in rest:
        factor, level = view.split(one.name)
        mark, _ = _robustness(view, one)
        letter = _letter(view, factor, level)
        rows.append(
            (
                Cell(
                    rich(strong(letter), " " if letter else "", factor_words(view, factor)),
                    sub=rich(plain(_levels(view, factor, level))),
                    value=one.name,
                ),
                Cell(badge=one.verdict, value=one.verdict),
                Cell(rich(_size(view, one)), value=_size(view, one)),
                Cell(rich(_interval(view, one).partition("interval ")[2] or NOTHING)),
                Cell(_words(view, one)),
                Cell(rich(f"{DOTS[mark]} {mark}" if mark else NOTHING)),
            )
        )
    every = all(one.verdict in SAME for one in rest)
    return Table(
        "more-changes",
        "Changes that make no difference" if every else "Further changes",
        (
            Column("factor", "Change", "text", 1.8),
            Column("verdict", "Verdict", "badge", 1.3),
            Column("effect", "Effect", "number", 0.8),
            Column("interval", view.interval, "number", 1.2),
            Column("words", "What is known", "text", 2.4),
            Column("robust", "Robustness", "text", 1.1),
        ),
        tuple(rows),
        look="cards",
        latex=False,
    )
