"""A sentence for each claim. A sentence reads nothing but its claim and the names of the study."""

import math
from collections.abc import Sequence

from reports.claims.claim import Claim
from reports.document import Rich, code, rich
from reports.numbers import count, p_words
from reports.view import StudyView
from reports.words.names import (
    amount,
    at_level,
    at_levels,
    interval_words,
    listed,
    number_words,
    settings_words,
    subject,
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


def _where(view: StudyView, claim: Claim) -> Rich:
    """The settings of a claim, as the start of a sentence; empty where it holds in all of them."""
    scope = claim.scope
    if scope.type == "at" and scope.at:
        return _start(at_levels(view, scope.at))
    if scope.type == "clean":
        return rich("Where no trial diverged (", settings_words(view, scope.over), "), ")
    if scope.type == "on_average" and scope.over:
        return rich("Averaged over the settings with results (", settings_words(view, scope.over), "), ")
    if scope.type == "on_average":
        return rich(f"Averaged over {view.averaged_over}, ")
    if scope.over:
        return rich("In the settings with results (", settings_words(view, scope.over), "), ")
    return ()


def _start(words: Rich) -> Rich:
    """Words at the start of a sentence, with the comma after them."""
    first = words[0]
    text = first.text[0].upper() + first.text[1:]
    return rich(type(first)(text, first.style, first.href), *words[1:], ", ")


def _direction(view: StudyView, claim: Claim) -> Rich:
    word = VERBS[claim.word.split(" ")[0]]
    if claim.scope.type == "alias_group":
        return rich(
            _group(view, claim), " makes ", code(view.metric), f" {word}: ", _effect(view, claim), ".", _alias(claim)
        )
    opposite = "better" if word == "worse" else "worse"
    rest = ""
    if claim.scope.type == "everywhere" and view.margin is not None and len(view.factors) > 1:
        rest = f", and in no setting {opposite} by {view.margin_words} or more"
    elif claim.word.endswith("average"):
        rest = "; single settings are not known well enough to say more"
    small = " The effect may be too small to matter." if "small" in claim.caveats else ""
    if "diverged" in claim.caveats:
        small += " The trials that finished and the same trials with diverged ones counted as worst agree."
    return rich(
        _where(view, claim),
        *(subject(view, claim.subject), " makes ", code(view.metric), f" {word}: ", _effect(view, claim), f"{rest}."),
        small,
        _skew(view, claim),
    )


def _effect(view: StudyView, claim: Claim) -> Rich:
    """`+0.021 at step 100 (+15%; 95% interval +0.012 to +0.030; p = 0.003)`."""
    return rich(f"{amount(view, claim.estimate, claim)} {view.summary}{interval_words(view, claim)}")


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


def _group(view: StudyView, claim: Claim) -> Rich:
    """`Either c, or a and b together,` for what a fraction cannot tell apart."""
    terms = [_together(view, term) for term in claim.scope.terms]
    return terms[0] if len(terms) == 1 else rich("Either ", *_alternatives(terms), ",")


def _alternatives(terms: Sequence[Rich]) -> list[str | Rich]:
    parts: list[str | Rich] = [terms[0]]
    for term in terms[1:]:
        parts += [", or ", term]
    return parts


def _together(view: StudyView, term: str) -> Rich:
    """A term of a fraction: a factor, or several together."""
    names = term.split(" × ")
    return subject(view, term) if len(names) == 1 else rich(listed([subject(view, n) for n in names]), " together")


def _alias(claim: Claim) -> str:
    if len(claim.scope.terms) > 1:
        return " This design cannot tell them apart."
    return " The design cannot tell it from interactions of three and more factors."


def _equivalent(view: StudyView, claim: Claim) -> Rich:
    margin = view.margin_words
    if claim.scope.type == "alias_group":
        rest = "" if len(claim.scope.terms) == 1 else ", if no pair of factors acts together"
        start = rich("On average ", subject(view, claim.subject), " changes ", code(view.metric))
        return rich(start, f" by less than {margin}{rest}: ", _effect(view, claim), ".")
    where = _where(view, claim)
    if claim.word.endswith("average"):
        more = "; single settings may differ by more"
        return rich(
            where,
            subject(view, claim.subject),
            " changes ",
            code(view.metric),
            f" by less than {margin} (",
            _numbers(view, claim),
            f"){more}.",
        )
    several = len(view.factors) > 1 and len(claim.scope.over) != 1
    every = " in every setting" if claim.scope.type in ("everywhere", "clean") and several else ""
    return rich(
        where,
        subject(view, claim.subject),
        " changes ",
        code(view.metric),
        f" by less than {margin}{every} (",
        _numbers(view, claim),
        ").",
    )


def _numbers(view: StudyView, claim: Claim) -> str:
    """`effect +0.001, 95% interval −0.004 to +0.007`."""
    text = f"effect {amount(view, claim.estimate, claim)}"
    if not math.isfinite(claim.low):
        return text
    low, high = (amount(view, value, claim) for value in (claim.low, claim.high))
    return f"{text}, {100 * claim.confidence:.3g}% interval {low} to {high}"


def _one_sided(view: StudyView, claim: Claim) -> Rich:
    what, side = ("harm", "worse") if claim.word == "no harm" else ("good", "better")
    every = "in no setting" if len(view.factors) > 1 and claim.scope.type != "at" else "at most"
    start = rich(_where(view, claim), subject(view, claim.subject), f" does no {what}: ")
    if every == "at most":
        end = rich("it makes ", code(view.metric), f" {side} by less than {view.margin_words}, if at all ")
    else:
        end = rich("in no setting does it make ", code(view.metric), f" {side} by {view.margin_words} or more ")
    other = "helps" if what == "harm" else "harms"
    open_ = f" Whether it {other} is open." if view.analysis.judgement.verdicts[claim.subject] == claim.word else ""
    return rich(start, end, f"({_numbers(view, claim)}).{open_}")


def _depends(view: StudyView, claim: Claim) -> Rich:
    """Of an established interaction; conditional claims are told by `reports.words.answer`."""
    if claim.scope.type == "alias_group":
        terms = [rich(_together(view, term)) for term in claim.scope.terms]
        size = rich(f" ({amount(view, claim.estimate, claim)}", interval_words(view, claim).replace(" (", "; ", 1))
        if len(terms) == 1:
            return rich("What ", terms[0], " do is not the sum of what each does", size, ".")
        return rich(
            "Factors act together: ", *_alternatives(terms), size, ". This design cannot tell these pairs apart."
        )
    names = claim.subject.split(" × ")
    if len(names) == 2:
        one, other = (subject(view, name) for name in names)
        change = amount(view, _doubled(view, claim.estimate), claim)
        return rich(
            *("What ", one, " does depends on ", other, f": its effect changes by {change} with it"),
            f" ({p_words(claim.p_adjusted)}). These seeds do not settle its effect at each level.",
        )
    first, *others = names
    return rich(
        *("What ", subject(view, first), " does depends on ", listed([subject(view, n) for n in others])),
        f" together ({number_words(len(names))}-way interaction {amount(view, claim.estimate, claim)}{interval_words(view, claim).replace(' (', '; ', 1)}",
        "." if interval_words(view, claim) else ").",
    )


def _doubled(view: StudyView, contrast: float) -> float:
    """How much an effect changes: twice the factorial contrast, on a log scale as a ratio."""
    return (1 + contrast) ** 2 - 1 if view.log else 2 * contrast


def _diverges(view: StudyView, claim: Claim) -> Rich:
    counts = claim.counts
    assert counts is not None
    level, first = (counts.diverged, counts.ended), (counts.diverged_first, counts.ended_first)
    p = f"({p_words(claim.p_adjusted)})"
    where = rich(" ", at_levels(view, claim.scope.at)) if claim.scope.type == "at" and claim.scope.at else ()
    bare = view.split(claim.subject)[0]
    if claim.level == view.first(claim.factor):
        without, with_ = at_level(view, bare, claim.level), at_level(view, bare, claim.against)
        return rich(
            *(
                subject(view, claim.subject),
                " prevents divergence",
                where,
                f": {first[0]} of {first[1]} trials diverged ",
            ),
            *(without, f", {level[0]} of {level[1]} ", with_, f" {p}."),
        )
    with_, without = at_level(view, bare, claim.level), at_level(view, bare, claim.against)
    return rich(
        *(subject(view, claim.subject), " makes trials diverge", where, f": {level[0]} of {level[1]} "),
        *(with_, f", {first[0]} of {first[1]} ", without, f" {p}."),
    )


def _composite(view: StudyView, claim: Claim) -> Rich:
    word = VERBS[claim.word]
    return rich(
        "Counting diverged runs as worst, ",
        subject(view, claim.subject),
        " makes ",
        code(view.metric),
        f" {word} ({p_words(claim.p_adjusted)}); the mean is not compared, since trials diverged.",
    )


def _idle(view: StudyView, claim: Claim) -> Rich:
    exact = claim.subject in view.analysis.idle
    how = "identical values" if exact else "values that are equal to within rounding"
    return rich(subject(view, claim.subject), f" did nothing: with and without it all trials end with {how}.")


def _undecided(view: StudyView, claim: Claim) -> Rich:
    name = subject(view, claim.subject)
    seeds = count(claim.n_seeds, "seed")
    if not math.isfinite(claim.estimate):
        return rich(
            "There is no verdict on ",
            name,
            ": the mean of ",
            code(view.metric),
            " is not compared where trials diverged or have no result.",
        )
    if claim.n_seeds < 3:
        return rich(
            f"{seeds.capitalize() if claim.n_seeds != 1 else 'One seed'}: no verdict on ",
            name,
            f" (difference {amount(view, claim.estimate)}); a verdict needs three seeds.",
        )
    if not math.isfinite(claim.low):
        return rich(
            "No verdict on ",
            name,
            f": the difference is {amount(view, claim.estimate)} in each of {seeds}, and a spread of 0 can't be right; check the metric.",
        )
    return rich(f"These {seeds} do not decide ", name, f" ({_numbers(view, claim)}).")


def _uncompared(view: StudyView, claim: Claim) -> Rich:
    return rich("No verdict on ", subject(view, claim.subject), ": no two arms differ in it alone.")
