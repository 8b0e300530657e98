"""A sentence for each claim. A sentence reads nothing but its claim and the names of the study."""

import math
from collections.abc import Sequence

from reports.claims.claim import Claim
from reports.page.blocks import Rich, code, rich
from reports.page.numbers import count, p_words
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

VERBS = {"harms": "worse", "helps": "better"}


def sentence(view: StudyView, claim: Claim) -> Rich:
    """What a claim says, in one or two sentences."""
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
    """The settings of a claim, as the start of a sentence; empty where it holds in all of them."""
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
    """The settings that have no results, as a sentence of its own; empty where there are none."""
    left_out = claim.scope.left_out
    if not left_out or claim.scope.type == "clean":
        return ()
    if len(left_out) > MOST_SETTINGS:
        return rich(f" In {number_words(len(left_out))} settings there are no results to compare.")
    return rich(" ", *started(settings_words(view, left_out)), ", there are no results to compare.")


def _seeds(view: StudyView, claim: Claim) -> str:
    """How many seeds count, where some do not."""
    all_ = len(view.seeds)
    return f", over {claim.n_seeds} of {count(all_, 'seed')}" if 0 < claim.n_seeds < all_ else ""


# -- directions ------------------------------------------------------------------------------------


def _direction(view: StudyView, claim: Claim) -> Rich:
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
    """What is known of single settings."""
    if claim.word.endswith("average"):
        return "; single settings are not known well enough to say more"
    if claim.scope.type != "everywhere" or view.margin is None or len(view.factors) < 2:
        return ""
    opposite = "better" if word == "worse" else "worse"
    known = " with results" if claim.scope.left_out else ""
    return f", and in no setting{known} {opposite} by {view.margin_words} or more"


def _too_small(claim: Claim) -> str:
    return " The effect may be too small to matter." if "small" in claim.caveats else ""


def _agreed(claim: Claim) -> str:
    """Of a single setting that lost trials: that both ways of counting them agree."""
    if "diverged" not in claim.caveats:
        return ""
    return (
        " The trials that finished and the same trials with diverged ones counted as worst agree."
    )


def _effect(view: StudyView, claim: Claim) -> Rich:
    """`+0.021 at step 100 (+15%; 95% interval +0.012 to +0.030; p = 0.003)`."""
    change = amount(view, claim.estimate, claim)
    return rich(f"{change} {view.summary}{_seeds(view, claim)}{interval_words(view, claim)}")


def _skew(view: StudyView, claim: Claim) -> str:
    """Of skewed seeds, what is known of the typical one."""
    if "skewed" not in claim.caveats or claim.n_seeds < 5:
        return ""
    seeds = view.analysis.differences
    mine = seeds.loc[seeds["factor"] == claim.subject, "effect"]
    if claim.scope.type == "at" or len(mine) != claim.n_seeds:
        return ""
    low, high = (amount(view, float(end), claim) for end in (mine.min(), mine.max()))
    return f" The seeds' effects are skewed; they range from {low} to {high}."


# -- alias groups ----------------------------------------------------------------------------------


def _group(view: StudyView, claim: Claim) -> Rich:
    """`Either c, or a and b together,` for what a fraction cannot tell apart."""
    terms = [_jointly(view, term) for term in claim.scope.terms]
    return terms[0] if len(terms) == 1 else rich("Either ", *_alternatives(terms), ",")


def _alternatives(terms: Sequence[Rich]) -> list[str | Rich]:
    parts: list[str | Rich] = [terms[0]]
    for term in terms[1:]:
        parts += [", or ", term]
    return parts


def _jointly(view: StudyView, term: str) -> Rich:
    """A term of a fraction: a factor, or several together."""
    names = term.split(" × ")
    return subject(view, term) if len(names) == 1 else rich(subjects(view, names), " together")


def _alias(claim: Claim) -> str:
    if len(claim.scope.terms) > 1:
        return " This design cannot tell them apart."
    return " The design cannot tell it from interactions of three and more factors."


# -- equivalence -----------------------------------------------------------------------------------


def _equivalent(view: StudyView, claim: Claim) -> Rich:
    return equivalent(view, [claim], f" ({_numbers(view, claim)})")


def equivalent(view: StudyView, claims: Sequence[Claim], numbers: str) -> Rich:
    """That some changes, of which the same is claimed, change the outcome by less than the
    margin."""
    first = claims[0]
    verb = " changes " if len(claims) == 1 else " change "
    start, end = where(view, first), ""
    if first.scope.type == "alias_group":
        start = rich("On average ")
        end = "" if len(first.scope.terms) == 1 else ", if no pair of factors acts together"
    elif first.word.endswith("average"):
        end = "; single settings may differ by more"
    names = subjects(view, [claim.subject for claim in claims])
    said = rich(
        start,
        names,
        verb,
        code(view.metric),
        f" by less than {view.margin_words}{_every(view, first)}",
    )
    return rich(said, f"{numbers}{end}.", gap(view, first))


def _every(view: StudyView, claim: Claim) -> str:
    """`in every setting`, where there are several."""
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
    """`effect +0.001, 95% interval −0.004 to +0.007`."""
    text = f"effect {amount(view, claim.estimate, claim)}{_seeds(view, claim)}"
    if not math.isfinite(claim.low):
        return text
    low, high = (amount(view, value, claim) for value in (claim.low, claim.high))
    return f"{text}, {100 * claim.confidence:.3g}% interval {low} to {high}"


def _one_sided(view: StudyView, claim: Claim) -> Rich:
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
    # Beside an established interaction the average is no claim, so that it isn't told either.
    numbers = f" ({_numbers(view, claim)})" if verdict else ""
    other = "helps" if what == "harm" else "harms"
    open_ = f" Whether it {other} is open." if verdict else ""
    return rich(start, end, f"{numbers}.{open_}", gap(view, claim))


# -- interactions ----------------------------------------------------------------------------------


def _depends(view: StudyView, claim: Claim) -> Rich:
    """Of an established interaction; those that it opened are told by
    `reports.words.dependences`."""
    names = claim.subject.split(" × ")
    if claim.scope.type == "alias_group":
        return _acting_together(view, claim)
    if len(names) > 2:
        return many_way(view, claim)
    one, other = subject(view, names[0]), bare(view, names[1])
    change = amount(view, doubled(view, claim.estimate), claim)
    return rich(
        *("What ", one, " does depends on ", other, f": its effect changes by {change} with it"),
        f" ({p_words(claim.p_adjusted)}). These seeds do not settle its effect at each level.",
        _seen_where(view, claim),
    )


def _seen_where(view: StudyView, claim: Claim) -> Rich:
    """The settings that an interaction was seen in, as a sentence of its own; empty where they are
    all."""
    if claim.scope.type != "clean":
        return gap(view, claim)
    return rich(
        " It was seen where no trial diverged (", settings_words(view, claim.scope.over), ")."
    )


def many_way(view: StudyView, claim: Claim) -> Rich:
    """`What each of a, b, and c does depends on the other two together (three-way interaction
    ...)`."""
    names = claim.subject.split(" × ")
    many = number_words(len(names))
    size = f"{many}-way interaction {amount(view, claim.estimate, claim)}{_inner(view, claim)}"
    each = rich("What each of ", subjects(view, names), " does depends on the other ")
    return rich(each, f"{number_words(len(names) - 1)} together ({size}).")


def _acting_together(view: StudyView, claim: Claim) -> Rich:
    """Of a group of pairs in a fraction."""
    terms = [_jointly(view, term) for term in claim.scope.terms]
    size = f" ({amount(view, claim.estimate, claim)}{_inner(view, claim)})"
    if len(terms) == 1:
        return rich("What ", terms[0], f" do is not the sum of what each does{size}.")
    told = rich("Factors act together: ", *_alternatives(terms), size)
    return rich(told, ". This design cannot tell these pairs apart.")


def _inner(view: StudyView, claim: Claim) -> str:
    """`; 95% interval +0.012 to +0.030; p = 0.003`: what follows a size within brackets."""
    words = interval_words(view, claim)
    return words.replace(" (", "; ", 1).removesuffix(")")


def doubled(view: StudyView, contrast: float) -> float:
    """How much an effect changes: twice the factorial contrast, on a log scale as a ratio."""
    return (1 + contrast) ** 2 - 1 if view.log else 2 * contrast


# -- divergence ------------------------------------------------------------------------------------


def _diverges(view: StudyView, claim: Claim) -> Rich:
    counts = claim.counts
    assert counts is not None
    at, first = (counts.diverged, counts.ended), (counts.diverged_first, counts.ended_first)
    setting = (
        rich(" ", at_levels(view, claim.scope.at))
        if claim.scope.type == "at" and claim.scope.at
        else ()
    )
    factor = view.split(claim.subject)[0]
    lost, spared = at_level(view, factor, claim.level), at_level(view, factor, claim.against)
    aliased = claim.scope.type == "alias_group"
    name = _group(view, claim) if aliased else subject(view, claim.subject)
    p = f" ({p_words(claim.p_adjusted)}).{_alias(claim) if aliased else ''}"
    if claim.level == view.first(claim.factor):
        told = rich(
            name,
            " prevents divergence",
            setting,
            f": {first[0]} of {first[1]} trials diverged ",
            lost,
        )
        return rich(told, f", {at[0]} of {at[1]} ", spared, p)
    told = rich(name, " makes trials diverge", setting, f": {at[0]} of {at[1]} ", lost)
    return rich(told, f", {first[0]} of {first[1]} ", spared, p)


def _composite(view: StudyView, claim: Claim) -> Rich:
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
    exact = claim.subject in view.analysis.idle
    how = "identical values" if exact else "values that differ by rounding only"
    return rich(
        subject(view, claim.subject),
        f" did nothing: with and without it all trials end with {how}.",
    )


def _undecided(view: StudyView, claim: Claim) -> Rich:
    name = subject(view, claim.subject)
    if not math.isfinite(claim.estimate):
        start = rich("There is no verdict on ", name, ": the mean of ", code(view.metric))
        return rich(start, " is not compared where trials diverged or have no result.")
    if claim.n_seeds < 3:
        seeds = (
            f"{number_words(claim.n_seeds).capitalize()} seed{'s' if claim.n_seeds != 1 else ''}"
        )
        told = f" (difference {amount(view, claim.estimate)}{_steps(view)}); a verdict needs three seeds."
        return rich(f"{seeds}: no verdict on ", name, told)
    seeds = count(claim.n_seeds, "seed")
    if not math.isfinite(claim.low):
        same = f": the difference is {amount(view, claim.estimate)} in each of {seeds}"
        return rich(
            "No verdict on ", name, f"{same}, and a spread of 0 can't be right; check the metric."
        )
    return rich(f"These {seeds} do not decide ", name, f" ({_numbers(view, claim)}).")


def _steps(view: StudyView) -> str:
    """That an outcome is counted, so that equal differences mean little."""
    step = view.analysis.cells.trials.step
    return "" if step is None else f"; {view.metric} moves in steps of {step:.3g}"


def _uncompared(view: StudyView, claim: Claim) -> Rich:
    return rich("No verdict on ", subject(view, claim.subject), ": no two arms differ in it alone.")
