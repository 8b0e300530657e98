"""The names of factors, levels, settings, and amounts in sentences."""

import math
from collections.abc import Mapping, Sequence

from reports.claims.claim import Claim
from reports.page.blocks import Rich, Text, code, joined, plain, rich, spaced, strong
from reports.page.numbers import Scale, p_words
from reports.view.study import StudyView

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
"""Numbers from 0 on, in words."""
MOST_CHANGES = 4
"""Factors with the same verdict that get a sentence each; the others share one."""
MOST_SETTINGS = 4
"""Settings that are named one by one; if there are more, they are counted."""


def key(view: StudyView) -> tuple[Text, ...]:
    """Return the key to the codes of arms, for the head of a section; empty if it needs none."""
    pairs = [rich(strong(letter), f" {meaning}") for letter, meaning in view.names.key]
    return (Text(rich("Arms: ", spaced(pairs, ", "), "."), "note"),) if pairs else ()


def number_words(number: int) -> str:
    """Return a number in words up to ten, else in digits: `three`, `12`."""
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def subject(view: StudyView, name: str) -> Rich:
    """Return a change as the subject of a sentence: `long_fm`, `resume=generator only`."""
    factor, level = view.split(name)
    if level is None and factor in view.factors and not view.is_switch(factor):
        others = [str(x) for x in view.factors[factor]["levels"] if str(x) != view.first(factor)]
        level = others[0] if len(others) == 1 else None
    return rich(code(factor if level is None else f"{factor}={level}"))


def subjects(view: StudyView, names: Sequence[str]) -> Rich:
    """Return several changes as the subject of a sentence."""
    return joined([subject(view, name) for name in names])


def bare(view: StudyView, name: str) -> Rich:
    """Return a change as something that other effects depend on.

    This is the factor, or its level where the factor has several changes.
    """
    factor, level = view.split(name)
    return rich(code(factor if level is None else f"{factor}={level}"))


def aliases(view: StudyView, name: str) -> tuple[str, ...]:
    """Return the pairs of factors that are aliased with a factor in a fraction."""
    terms = view.analysis.cells.design.compared
    return next((term.aliases[1:] for term in terms if term.name == name), ())


def started(words: Rich) -> Rich:
    """Return words with a capital letter, for the start of a sentence."""
    first = words[0]
    text = first.text[:1].upper() + first.text[1:]
    return rich(type(first)(text, first.style, first.href), *words[1:])


def at_level(view: StudyView, factor: str, level: str) -> Rich:
    """Return a level in words: `with b`, `without b`, `with resume=whole`."""
    if view.is_switch(factor) and len(view.factors[factor]["levels"]) == 2:
        return rich("without " if level == view.first(factor) else "with ", code(factor))
    return rich("with ", code(f"{factor}={level}"))


def at_levels(view: StudyView, at: Mapping[str, str]) -> Rich:
    """Return a setting in words: the levels of its factors, or that all others are on or off."""
    others = [factor for factor in at if len(view.factors[factor]["levels"]) == 2]
    if len(at) == len(view.factors) - 1 and len(at) > 1 and len(others) == len(at):
        if all(level == view.first(factor) for factor, level in at.items()):
            return rich("with every other factor at its first level")
        if all(
            level != view.first(factor) and view.is_switch(factor) for factor, level in at.items()
        ):
            return rich("with everything else on")
    return joined([at_level(view, factor, level) for factor, level in at.items()])


def settings_words(view: StudyView, over: Sequence[Mapping[str, str]]) -> Rich:
    """Return settings in words: their names up to `MOST_SETTINGS`, else their number."""
    if len(over) > MOST_SETTINGS:
        return rich(f"{number_words(len(over))} settings")
    settings = [at_levels(view, at) for at in over]
    # Settings that contain an `and` need a stronger separator than commas.
    long = any(" and " in plain(words) for words in settings)
    return joined(settings, "; ", "; ") if long else joined(settings)


def amount(view: StudyView, value: float, claim: Claim | None = None) -> str:
    """Return an effect with its sign; on a log scale in percent.

    Args:
        view: the study.
        value: the effect, in the metric's unit, or as a share on a log scale.
        claim: the claim with the effect's interval, which can require more digits.
    """
    if view.log:
        return percent(100 * value)
    return scale_of(view, claim).signed(value)


def scale_of(view: StudyView, claim: Claim | None) -> Scale:
    """Return the study's digits, or more for a narrow interval.

    Otherwise both ends of the interval would be shown as the same number.
    """
    if claim is None or not math.isfinite(claim.low) or not math.isfinite(claim.high):
        return view.scale
    half = (claim.high - claim.low) / 2
    needed = math.ceil(-math.log10(half)) if half > 0 else 0
    return Scale(min(max(view.scale.digits, needed), 8))


def percent(value: float) -> str:
    """Return percent with a sign: `+36%`, `+3.6%`, or `less than 0.1%`."""
    if abs(value) < 0.05:
        return "0%" if value == 0 else "less than 0.1%"
    digits = 0 if abs(value) >= 9.95 else 1
    return f"{value:+.{digits}f}%".replace("-", "−")


def interval_words(view: StudyView, claim: Claim, p: bool = True) -> str:
    """Return what follows an effect: `(+15%; 95% interval +0.012 to +0.030; p = 0.003)`.

    Args:
        view: the study.
        claim: the claim about the effect.
        p: whether the p value is included.
    """
    parts = []
    if not view.log and math.isfinite(claim.percent):
        parts.append(percent(claim.percent))
    if math.isfinite(claim.low):
        low, high = (amount(view, value, claim) for value in (claim.low, claim.high))
        parts.append(f"{100 * claim.confidence:.3g}% interval {low} to {high}")
    if p and claim.kind in ("direction", "depends") and math.isfinite(claim.p_adjusted):
        parts.append(p_words(claim.p_adjusted))
    return f" ({'; '.join(parts)})" if parts else ""


def with_effects(view: StudyView, claims: Sequence[Claim]) -> Rich:
    """Return changes with their effects: `a (+0.012), b (−0.003), and c (0.000)`."""
    return joined(
        [rich(subject(view, c.subject), f" ({amount(view, c.estimate, c)})") for c in claims]
    )
