"""Established interactions in words, with the effects at single levels that they allow."""

from collections.abc import Mapping, Sequence

from reports.claims.budget import ERROR
from reports.claims.claim import Claim, ranked
from reports.claims.design import Levels
from reports.page.blocks import Rich, code, joined, rich, spaced
from reports.page.numbers import count, p_words
from reports.view.study import StudyView
from reports.words.names import (
    amount,
    at_levels,
    bare,
    interval_words,
    number_words,
    subject,
    subjects,
)
from reports.words.sentences import VERBS, doubled, many_way, sentence
from reports.words.units import unit

MOST_TERMS = 3
"""Interactions that get a sentence each; the table of effects lists the others."""
MOST_PLACES = 2
"""Combinations of levels that are named with the effect there; more are only counted."""


def dependences(view: StudyView, with_effects: bool) -> list[Rich]:
    """Return sentences on the established interactions.

    Args:
        view: the study.
        with_effects: return those with known effects at single levels; False: return the others.
    """
    terms = ranked(view.analysis.claims, "depends")
    groups = [claim for claim in terms if claim.scope.type == "alias_group"]
    if len(groups) > 1 and not with_effects:
        return [_many_groups(view, groups)]
    if groups and with_effects:
        return []

    # What a larger interaction says of the same changes holds at more levels, so it stands alone.
    terms = [claim for claim in terms if not _in_larger(claim, terms)]
    chosen = [claim for claim in terms if bool(_conditional(view, claim)) == with_effects]
    chosen.sort(key=lambda claim: not _reverses(view, claim))

    out = [
        _dependence(view, claim) if with_effects else sentence(view, claim)
        for claim in chosen[:MOST_TERMS]
    ]
    if len(chosen) > MOST_TERMS:
        more = count(len(chosen) - MOST_TERMS, "more interaction")
        verb = "is" if len(chosen) == MOST_TERMS + 1 else "are"
        out.append(rich(f"{more} {verb} established; the table of effects lists them."))
    return out


def _in_larger(term: Claim, terms: Sequence[Claim]) -> bool:
    """Return whether the changes of a term are part of a larger established interaction."""
    own = set(term.subject.split(" × "))
    return any(
        own < set(claim.subject.split(" × "))
        for claim in terms
        if claim.scope.type != "alias_group"
    )


def _reverses(view: StudyView, term: Claim) -> bool:
    """Return whether a change of a pair harms at one level of the other and helps at another."""
    conditional = _conditional(view, term)
    sided = [[c for c in conditional if c.subject == name] for name in term.subject.split(" × ")]
    return len(sided) == 2 and any(_rank(claims) == 0 for claims in sided)


def _many_groups(view: StudyView, groups: Sequence[Claim]) -> Rich:
    """Say that pairs of factors act together in a fraction that leaves them aliased."""
    largest = groups[0]
    terms = [code(term) for term in largest.scope.terms]

    known = len(view.analysis.cells.design.interactions)
    which = (
        f"all {number_words(known)}"
        if len(groups) == known
        else f"{number_words(len(groups))} of {number_words(known)}"
    )

    size = f" ({amount(view, largest.estimate, largest)})"
    return rich(
        f"In this fraction factors act together: {which} groups of pairs are established, the "
        "largest being ",
        joined(terms, ", or ", ", or "),
        f"{size}. The design cannot tell which pair of a group acts, so nothing is said of the "
        "factors in these groups one by one.",
    )


def _conditional(view: StudyView, term: Claim) -> list[Claim]:
    """Return the claims at single levels that an interaction allows, in the order of the levels."""
    changes = [view.analysis.cells.design.changes[name] for name in term.subject.split(" × ")]
    levels = {change.factor: (change.first, change.level) for change in changes}
    others = {change.name: set(levels) - {change.factor} for change in changes}

    claims = [
        claim
        for claim in view.analysis.claims
        if claim.gate
        and claim.subject in others
        and set(_moved(claim)) == others[claim.subject]
        and all(level in levels[factor] for factor, level in _moved(claim).items())
    ]
    return sorted(
        claims, key=lambda claim: [levels[f].index(at) for f, at in _moved(claim).items()]
    )


def _moved(claim: Claim) -> Levels:
    """Return the levels of a conditional claim that belong to its interaction.

    The other levels are those of the only setting left.
    """
    fixed = claim.scope.over[0] if len(claim.scope.over) == 1 else {}
    return {factor: level for factor, level in claim.scope.at.items() if factor not in fixed}


def _dependence(view: StudyView, term: Claim) -> Rich:
    """Return what the changes of a term do at each level of the others."""
    names = term.subject.split(" × ")
    sided = {name: [c for c in _conditional(view, term) if c.subject == name] for name in names}
    if len(names) > 2:
        return spaced([many_way(view, term), *_combinations(view, sided)])

    ranked = sorted(names, key=lambda name: (_rank(sided[name]), -_size(sided[name])))
    first, *rest = [name for name in ranked if sided[name]]
    other = next(name for name in names if name != first)
    start = rich("What ", subject(view, first), " does depends on ", bare(view, other), ": it")

    parts = [_at_each(view, start, sided[first])]
    if (
        rest
        and _rank(sided[first]) == 0
        and _pattern(view, sided[first]) == _pattern(view, sided[rest[0]])
    ):
        parts.append(
            rich("The same holds for ", subject(view, rest[0]), " with ", bare(view, first), ".")
        )
    elif rest:
        parts.append(_at_each(view, subject(view, rest[0]), sided[rest[0]]))

    parts += _averaged(view, term)
    parts.append(rich(f"The interaction is established ({p_words(term.p_adjusted)})."))
    return spaced(parts)


def _combinations(view: StudyView, sided: Mapping[str, Sequence[Claim]]) -> list[Rich]:
    """Return what each of three or more changes does at the combinations of the others' levels.

    Up to `MOST_PLACES` combinations are named with the effect there; more are counted.
    """
    out = []
    counted: dict[tuple[int, int, int], list[str]] = {}
    for name, claims in sided.items():
        worse, better, same = (
            sum(c.word == word for c in claims) for word in (*VERBS, "equivalent")
        )
        if 0 < worse + better <= MOST_PLACES and not (worse and better):
            out.append(_named_places(view, name, claims, 2 ** (len(sided) - 1)))
        else:
            counted.setdefault((worse, better, same), []).append(name)

    for counts, names in counted.items():
        others = [bare(view, name) for name in sided if name != names[0]]
        out.append(_counted_places(view, names[0], counts, others))
        if names[1:]:
            out.append(rich("The same holds for ", subjects(view, names[1:]), "."))
    return out


def _named_places(view: StudyView, name: str, claims: Sequence[Claim], every: int) -> Rich:
    """Return where a change acts, with its effect at each combination of the others' levels.

    Example: `a makes kid worse with b and c (+0.030); its effect is not settled at three other
        combinations.`

    Args:
        view: the study.
        name: the change.
        claims: the claims about the change at single combinations, all in one direction.
        every: the number of combinations.
    """
    moved = [claim for claim in claims if claim.kind == "direction"]
    verb = rich(" makes ", code(view.metric), f" {VERBS[moved[0].word]} ")
    # The intervals are in the table below the answer, which would be too long with them
    places = [
        rich(at_levels(view, claim.scope.at), f" ({amount(view, claim.estimate, claim)})")
        for claim in moved
    ]
    text = rich(subject(view, name), verb, joined(places, "; "))

    same, rest = len(claims) - len(moved), every - len(claims)
    if same:
        text = rich(text, f"; its effect is below {view.margin_words} at {_others(same)}")
    if rest:
        text = rich(text, f"; {'it' if same else 'its effect'} is not settled at {_others(rest)}")
    return rich(text, ".")


def _others(number: int) -> str:
    return f"{number_words(number)} other {'combination' if number == 1 else 'combinations'}"


def _counted_places(
    view: StudyView, name: str, counts: tuple[int, int, int], others: Sequence[Rich]
) -> Rich:
    """Return at how many combinations of the other changes' levels a change is worse or better."""
    worse, better, same = counts
    words = [
        f"{word} at {number_words(number)}"
        for number, word in ((worse, "worse"), (better, "better"))
        if number
    ]
    combinations = rich(
        f" of the {number_words(2 ** len(others))} combinations of ", joined(others)
    )
    if words:
        verb = rich(" makes ", code(view.metric), f" {' and '.join(words)}")
        return rich(subject(view, name), verb, combinations, ".")
    if same:
        verb = rich(" changes ", code(view.metric), f" by less than {view.margin_words}")
        return rich(subject(view, name), verb, f" at {number_words(same)}", combinations, ".")
    return rich(f"These {unit(view)}s do not settle where ", subject(view, name), " acts.")


def _rank(claims: Sequence[Claim]) -> int:
    """Return 0 for opposite directions, 1 for one direction and nothing elsewhere, else 2."""
    words = {claim.word for claim in claims}
    if {"harms", "helps"} <= words:
        return 0
    return 1 if "equivalent" in words and len(words) > 1 else 2


def _size(claims: Sequence[Claim]) -> float:
    """Return the largest effect of these claims."""
    return max((abs(claim.estimate) for claim in claims), default=0.0)


def _pattern(view: StudyView, claims: Sequence[Claim]) -> dict[bool, str]:
    """Return the claimed word by whether the other changes are at their first levels."""
    return {
        all(level == view.first(f) for f, level in _moved(claim).items()): claim.word
        for claim in claims
    }


def _at_each(view: StudyView, start: Rich, claims: Sequence[Claim]) -> Rich:
    """Return what a change does at each level of the other change.

    Example: `a makes kid worse without b (+0.030; ...) and better with b (...).`

    Args:
        view: the study.
        start: the start of the sentence, with the change as its subject.
        claims: the claims about the change at single levels.
    """
    still = [_place(view, claim) for claim in claims if claim.kind == "equivalent"]
    moved: dict[str, list[Rich]] = {}
    for claim in claims:
        if claim.kind == "direction":
            moved.setdefault(VERBS[claim.word], []).append(_place(view, claim))
    only = "only " if len(moved) == 1 and still else ""
    bits: list[Rich] = []
    for word, places in moved.items():
        verb = rich(" makes ", code(view.metric), " ") if not bits else ()
        how = "both " if len(places) == 2 else only
        bits.append(rich(verb, f"{word} {how}", joined(places)))

    text = rich(start, joined(bits)) if bits else ()
    if still:
        unchanged = rich(
            " changes ", code(view.metric), f" by less than {view.margin_words} ", joined(still)
        )
        text = rich(text, "; it", unchanged) if text else rich(start, unchanged)
    return rich(text, ".")


def _place(view: StudyView, claim: Claim) -> Rich:
    """Return a level with its effect: `without b (+0.030; +25%; 95% interval ...)`."""
    numbers = interval_words(view, claim, p=False)
    inside = f" ({amount(view, claim.estimate, claim)}" + (
        numbers.replace(" (", "; ", 1) if numbers else ")"
    )
    return rich(at_levels(view, claim.scope.at), inside)


def _averaged(view: StudyView, term: Claim) -> list[Rich]:
    """Say that effects at single levels are means over other factors, if there are others."""
    claims = _conditional(view, term)
    named = {factor for claim in claims for factor in claim.scope.at} | {
        claim.factor for claim in claims
    }
    if len(named) == len(view.factors):
        return []
    known = " that have results" if any(claim.scope.over for claim in claims) else ""
    return [rich(f"These effects are averaged over the settings of the other factors{known}.")]


def open_interaction(view: StudyView) -> list[Rich]:
    """Say that it is undecided whether the two changes of a study act together.

    Empty if the study has more changes, if no effect is established, or if the interaction is
    established or negligible.
    """
    terms = view.analysis.cells.design.interactions
    moved = [claim for claim in ranked(view.analysis.claims, "direction") if not claim.gate]
    if len(terms) != 1 or not terms[0].blocks or not moved:
        return []

    numbers = view.analysis.judgement.numbers[terms[0].name]
    if not numbers.p_adjusted >= ERROR:
        return []

    ends = [doubled(view, number) for number in (numbers.low, numbers.high)]
    if view.margin is not None and max(map(abs, ends)) < view.margin / 2:
        return []  # whatever it is, it is far too small to matter

    change, low, high = (
        amount(view, number) for number in (doubled(view, numbers.estimate), *ends)
    )

    acting = moved[0].subject
    other = next(c.name for c in terms[0].changes if c.name != acting)
    start = rich("Whether ", bare(view, other), " changes the effect of ", subject(view, acting))
    return [rich(start, f" is not decided (change {change}, {view.interval} {low} to {high}).")]
