"""A sentence for each claim, made from nothing but the claim and the names of the study."""

import math
from collections.abc import Sequence

from reports.claims.claim import Claim
from reports.page.blocks import Rich, code, rich
from reports.page.numbers import p_words
from reports.view.study import StudyView
from reports.words.names import (
    MOST_SETTINGS,
    amount,
    at_level,
    at_levels,
    bare,
    interval_words,
    number_words,
    settings_words,
    started,
    subject,
    subjects,
)
from reports.words.units import unit, units, units_in_full

VERBS = {"harms": "worse", "helps": "better"}
"""What a verdict makes of the outcome."""


def sentence(view: StudyView, claim: Claim) -> Rich:
    """Return what a claim says, in one or two sentences."""
    return {
        "direction": _direction,
        "equivalent": _equivalent,
        "one_sided": _one_sided,
        "depends": _depends,
        "diverges": _diverges,
        "composite": _composite,
        "idle": _idle,
        "undecided": _undecided,
        "uncompared": _uncompared,
    }[claim.kind](view, claim)


# -- where a claim holds ---------------------------------------------------------------------------


def where(view: StudyView, claim: Claim) -> Rich:
    """Return the settings of a claim as the start of a sentence; empty if it holds everywhere."""
    scope = claim.scope
    if scope.type == "at" and scope.at:
        return rich(*started(at_levels(view, scope.at)), ", ")
    if scope.type == "clean":
        return rich("Where no trial diverged (", settings_words(view, scope.over), "), ")
    if scope.type == "on_average" and scope.over:
        return rich(f"Averaged over the {number_words(len(scope.over))} settings with results, ")
    if scope.type == "on_average":
        return rich(f"Averaged over {view.averaged_over}, ")
    return ()


def gap(view: StudyView, claim: Claim) -> Rich:
    """Return a sentence on the settings without results; empty if there are none."""
    left_out = claim.scope.left_out
    if not left_out or claim.scope.type == "clean":
        return ()
    if len(left_out) > MOST_SETTINGS:
        return rich(f" In {number_words(len(left_out))} settings there are no results to compare.")
    return rich(" ", *started(settings_words(view, left_out)), ", there are no results to compare.")


def _seeds(view: StudyView, claim: Claim) -> str:
    """Return how many seeds count, if some do not, or how many networks."""
    all_ = len(view.analysis.cells.units)
    if 0 < claim.n_seeds < all_:
        return f", over {claim.n_seeds} of {units_in_full(view)}"
    return f", over {units_in_full(view)}" if view.analysis.cells.network_of else ""


# -- directions ------------------------------------------------------------------------------------


def _direction(view: StudyView, claim: Claim) -> Rich:
    """Say that a change harms or helps, with its effect and its limits."""
    word = VERBS[claim.word.split(" ")[0]]
    effect = _effect(view, claim)
    if claim.scope.type == "alias_group":
        group = _group(view, claim)
        return rich(group, " makes ", code(view.metric), f" {word}: ", effect, ".", _alias(claim))

    made = rich(subject(view, claim.subject), " makes ", code(view.metric), f" {word}: ", effect)
    return rich(
        where(view, claim),
        made,
        f"{_elsewhere(view, claim, word)}.",
        _too_small(claim),
        _agreed(claim),
        gap(view, claim),
        _skew(view, claim),
    )


def _elsewhere(view: StudyView, claim: Claim, word: str) -> str:
    """Return what is known about single settings."""
    if claim.word.endswith("average"):
        return "; single settings are not known well enough to say more"
    if claim.scope.type != "everywhere" or view.margin is None or len(view.factors) < 2:
        return ""
    opposite = "better" if word == "worse" else "worse"
    known = " with results" if claim.scope.left_out else ""
    return f", and in no setting{known} {opposite} by {view.margin_words} or more"


def _too_small(claim: Claim) -> str:
    """Say that an effect may be smaller than the margin, if the claim says so."""
    return " The effect may be too small to matter." if "small" in claim.caveats else ""


def _agreed(claim: Claim) -> str:
    """Say that both ways of counting diverged trials agree, for a setting that lost some."""
    if "diverged" not in claim.caveats:
        return ""
    return (
        " The trials that finished and the same trials with diverged ones counted as worst agree."
    )


def _effect(view: StudyView, claim: Claim) -> Rich:
    """Return the effect of a claim with its interval.

    Example: `+0.021 at step 100 (+15%; 95% interval +0.012 to +0.030; p = 0.003)`.
    """
    change = amount(view, claim.estimate, claim)
    return rich(f"{change} {view.summary}{_seeds(view, claim)}{interval_words(view, claim)}")


def _skew(view: StudyView, claim: Claim) -> str:
    """Return the range of the effects of single seeds, or networks, if they are skewed."""
    if "skewed" not in claim.caveats or claim.n_seeds < 5:
        return ""
    seeds = view.analysis.differences
    effects = seeds.loc[seeds["factor"] == claim.subject, "effect"]
    if claim.scope.type == "at" or len(effects) != claim.n_seeds:
        return ""
    low, high = (amount(view, float(end), claim) for end in (effects.min(), effects.max()))
    return f" The {unit(view)}s' effects are skewed; they range from {low} to {high}."


# -- alias groups ----------------------------------------------------------------------------------


def _group(view: StudyView, claim: Claim) -> Rich:
    """Return an alias group as a subject: `Either c, or a and b together,`."""
    terms = [_jointly(view, term) for term in claim.scope.terms]
    return terms[0] if len(terms) == 1 else rich("Either ", *_alternatives(terms), ",")


def _alternatives(terms: Sequence[Rich]) -> list[str | Rich]:
    """Return terms joined by `, or`."""
    parts: list[str | Rich] = [terms[0]]
    for term in terms[1:]:
        parts += [", or ", term]
    return parts


def _jointly(view: StudyView, term: str) -> Rich:
    """Return a term of a fraction in words: a factor, or several together."""
    names = term.split(" × ")
    return subject(view, term) if len(names) == 1 else rich(subjects(view, names), " together")


def _alias(claim: Claim) -> str:
    """Return what the design can't distinguish from the effect of a claim."""
    if len(claim.scope.terms) > 1:
        return " This design cannot tell them apart."
    return " The design cannot tell it from interactions of three and more factors."


# -- equivalence -----------------------------------------------------------------------------------


def _equivalent(view: StudyView, claim: Claim) -> Rich:
    """Say that a change is equivalent, with its effect."""
    return equivalent(view, [claim], f" ({_numbers(view, claim)})")


def equivalent(view: StudyView, claims: Sequence[Claim], numbers: str) -> Rich:
    """Say that some changes change the outcome by less than the margin.

    Args:
        view: the study.
        claims: claims that say the same of different changes.
        numbers: the effects in brackets, which end the sentence.
    """
    first = claims[0]
    verb = " changes " if len(claims) == 1 else " change "
    start, end = where(view, first), ""
    if first.scope.type == "alias_group":
        start = rich("On average ")
        end = "" if len(first.scope.terms) == 1 else ", if no pair of factors acts together"
    elif first.word.endswith("average"):
        end = "; single settings may differ by more"

    names = subjects(view, [claim.subject for claim in claims])
    words = rich(
        start,
        names,
        verb,
        code(view.metric),
        f" by less than {view.margin_words}{_every(view, first)}",
    )
    return rich(words, f"{numbers}{end}.", gap(view, first))


def _every(view: StudyView, claim: Claim) -> str:
    """Return `in every setting`, if there are several."""
    scope = claim.scope
    one = len(view.factors) < 2 or len(scope.over) == 1 or scope.type not in ("everywhere", "clean")
    if one or claim.word.endswith("average"):
        return ""
    return (
        " in every setting with results"
        if scope.left_out and scope.type != "clean"
        else " in every setting"
    )


def _numbers(view: StudyView, claim: Claim) -> str:
    """Return effect and interval: `effect +0.001, 95% interval −0.004 to +0.007`."""
    text = f"effect {amount(view, claim.estimate, claim)}{_seeds(view, claim)}"
    if not math.isfinite(claim.low):
        return text
    low, high = (amount(view, value, claim) for value in (claim.low, claim.high))
    return f"{text}, {100 * claim.confidence:.3g}% interval {low} to {high}"


def _one_sided(view: StudyView, claim: Claim) -> Rich:
    """Say that a change does no harm, or no good."""
    what, side = ("harm", "worse") if claim.word == "no harm" else ("good", "better")
    start = rich(where(view, claim), subject(view, claim.subject), f" does no {what}: ")
    if len(view.factors) < 2 or claim.scope.type == "at":
        end = rich(
            "it makes ", code(view.metric), f" {side} by less than {view.margin_words}, if at all"
        )
    else:
        known = " with results" if claim.scope.left_out and claim.scope.type != "clean" else ""
        end = rich(
            f"in no setting{known} does it make ",
            code(view.metric),
            f" {side} by {view.margin_words} or more",
        )

    verdict = view.analysis.judgement.verdicts[claim.subject] == claim.word
    # Where an interaction is established, the average is not claimed, so it isn't shown either.
    numbers = f" ({_numbers(view, claim)})" if verdict else ""
    other = "helps" if what == "harm" else "harms"
    open_ = f" Whether it {other} is open." if verdict else ""
    return rich(start, end, f"{numbers}.{open_}", gap(view, claim))


# -- interactions ----------------------------------------------------------------------------------


def _depends(view: StudyView, claim: Claim) -> Rich:
    """Return a sentence on an established interaction.

    `reports.words.dependences` describes interactions with known effects at single levels.
    """
    names = claim.subject.split(" × ")
    if claim.scope.type == "alias_group":
        return _acting_together(view, claim)
    if len(names) > 2:
        return many_way(view, claim)

    first, other = subject(view, names[0]), bare(view, names[1])
    change = amount(view, doubled(view, claim.estimate), claim)
    return rich(
        *("What ", first, " does depends on ", other, f": its effect changes by {change} with it"),
        f" ({p_words(claim.p_adjusted)}).",
        _settled_at(view, names),
        _seen_where(view, claim),
    )


def _settled_at(view: StudyView, names: Sequence[str]) -> str:
    """Return a sentence on the levels at which an effect isn't settled; empty if it is at both.

    An effect at a level may have been opened by another interaction, so its gate doesn't matter.
    """
    other = names[1].partition("=")[0]
    levels = {
        one.scope.at[other]
        for one in view.analysis.claims
        if one.gate and one.subject == names[0] and set(one.scope.at) == {other}
    }
    if not levels:
        return f" These {unit(view)}s do not settle its effect at each level."
    one = f" These {unit(view)}s settle its effect at one of the levels only."
    return "" if len(levels) > 1 else one


def _seen_where(view: StudyView, claim: Claim) -> Rich:
    """Return a sentence on where an interaction was seen; empty if in all settings."""
    if claim.scope.type != "clean":
        return gap(view, claim)
    return rich(
        " It was seen where no trial diverged (", settings_words(view, claim.scope.over), ")."
    )


def many_way(view: StudyView, claim: Claim) -> Rich:
    """Return a sentence on an interaction of three or more factors.

    Example: `What each of a, b, and c does depends on the other two together (three-way interaction
    ...).`
    """
    names = claim.subject.split(" × ")
    number = number_words(len(names))
    size = f"{number}-way interaction {amount(view, claim.estimate, claim)}{_inner(view, claim)}"
    each = rich("What each of ", subjects(view, names), " does depends on the other ")
    return rich(each, f"{number_words(len(names) - 1)} together ({size}).")


def _acting_together(view: StudyView, claim: Claim) -> Rich:
    """Return a sentence on a group of aliased pairs in a fraction."""
    terms = [_jointly(view, term) for term in claim.scope.terms]
    size = f" ({amount(view, claim.estimate, claim)}{_inner(view, claim)})"
    if len(terms) == 1:
        return rich("What ", terms[0], f" do is not the sum of what each does{size}.")
    start = rich("Factors act together: ", *_alternatives(terms), size)
    return rich(start, ". This design cannot tell these pairs apart.")


def _inner(view: StudyView, claim: Claim) -> str:
    """Return what follows a size within brackets: `; 95% interval +0.012 to +0.030; p = 0.003`."""
    words = interval_words(view, claim)
    return words.replace(" (", "; ", 1).removesuffix(")")


def doubled(view: StudyView, contrast: float) -> float:
    """Return how much an effect changes with another factor.

    This is twice the factorial contrast; on a log scale it is a ratio.
    """
    return (1 + contrast) ** 2 - 1 if view.log else 2 * contrast


# -- divergence ------------------------------------------------------------------------------------


def _diverges(view: StudyView, claim: Claim) -> Rich:
    """Say that a level makes trials diverge, or prevents divergence, with the counts."""
    counts = claim.counts
    assert counts is not None
    at, first = (counts.diverged, counts.ended), (counts.diverged_first, counts.ended_first)
    setting = (
        rich(" ", at_levels(view, claim.scope.at))
        if claim.scope.type == "at" and claim.scope.at
        else ()
    )

    factor = view.split(claim.subject)[0]
    more, fewer = at_level(view, factor, claim.level), at_level(view, factor, claim.against)
    aliased = claim.scope.type == "alias_group"
    name = _group(view, claim) if aliased else subject(view, claim.subject)
    p = f" ({p_words(claim.p_adjusted)}).{_alias(claim) if aliased else ''}"

    if claim.level == view.first(claim.factor):
        start = rich(
            name,
            " prevents divergence",
            setting,
            f": {first[0]} of {first[1]} trials diverged ",
            more,
        )
        return rich(start, f", {at[0]} of {at[1]} ", fewer, p)

    start = rich(name, " makes trials diverge", setting, f": {at[0]} of {at[1]} ", more)
    return rich(start, f", {first[0]} of {first[1]} ", fewer, p)


def _composite(view: StudyView, claim: Claim) -> Rich:
    """Say that a change harms or helps if diverged trials count as worst."""
    word = VERBS[claim.word]
    start = rich(
        "Counting diverged runs as worst, ",
        subject(view, claim.subject),
        " makes ",
        code(view.metric),
    )
    return rich(
        start,
        f" {word} ({p_words(claim.p_adjusted)}). The mean is not compared, since trials diverged.",
    )


# -- nothing, or not known -------------------------------------------------------------------------


def _idle(view: StudyView, claim: Claim) -> Rich:
    """Say that a change did nothing."""
    exact = claim.subject in view.analysis.idle
    how = "identical values" if exact else "values that differ by rounding only"
    return rich(
        subject(view, claim.subject),
        f" did nothing: with and without it all trials end with {how}.",
    )


def _undecided(view: StudyView, claim: Claim) -> Rich:
    """Return why there is no verdict on a change."""
    name = subject(view, claim.subject)
    if not math.isfinite(claim.estimate):
        start = rich("There is no verdict on ", name, ": the mean of ", code(view.metric))
        return rich(start, " is not compared where trials diverged or have no result.")

    if claim.n_seeds < 3:
        few = number_words(claim.n_seeds).capitalize()
        seeds = f"{few} {unit(view)}{'s' if claim.n_seeds != 1 else ''}"
        end = (
            f" (difference {amount(view, claim.estimate)}{_steps(view)}); "
            f"a verdict needs three {unit(view)}s."
        )
        return rich(f"{seeds}: no verdict on ", name, end)

    seeds = units(view, claim.n_seeds)
    if not math.isfinite(claim.low):
        same = f": the difference is {amount(view, claim.estimate)} in each of {seeds}"
        return rich(
            "No verdict on ", name, f"{same}, and a spread of 0 can't be right; check the metric."
        )
    return rich(f"These {seeds} do not decide ", name, f" ({_numbers(view, claim)}).")


def _steps(view: StudyView) -> str:
    """Say that an outcome moves in steps, so that identical differences mean little."""
    step = view.analysis.cells.trials.step
    return "" if step is None else f"; {view.metric} moves in steps of {step:.3g}"


def _uncompared(view: StudyView, claim: Claim) -> Rich:
    """Say that no two arms differ in this change alone."""
    return rich("No verdict on ", subject(view, claim.subject), ": no two arms differ in it alone.")
