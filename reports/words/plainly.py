"""Changes, settings, and sizes in plain words, for readers who don't know the code."""

import math
from collections.abc import Mapping

from reports.claims.claim import Claim
from reports.page.blocks import Rich, code, joined, plain, rich
from reports.page.numbers import MINUS
from reports.view.study import StudyView
from reports.words.names import subject


def metric_words(view: StudyView) -> Rich:
    """Return what the outcome is in words: `the error of mixed images`, else its name."""
    label = view.labels.metric(view.metric)
    return rich(label) if label else rich(code(view.metric))


def short_metric(view: StudyView) -> Rich:
    """Return what the outcome is in few words: `the error`."""
    label = view.labels.metric(view.metric)
    return rich(label.partition(" of ")[0]) if label else rich(code(view.metric))


def does(view: StudyView, name: str) -> Rich:
    """Return a change as the subject of a sentence: `restoring only the generator`."""
    factor, level = view.split(name)
    label = view.labels.changed(factor, level or "")
    if not label and level is None and view.is_switch(factor):
        label = view.labels.factor(factor)
    return rich(label) if label else subject(view, name)


def capital(words: Rich) -> Rich:
    """Return words with a capital letter at the start; a name in code font keeps its own."""
    if not words or words[0].style == "code":
        return words
    first = words[0]
    return rich(type(first)(first.text[:1].upper() + first.text[1:], first.style), *words[1:])


def several(view: StudyView, name: str) -> bool:
    """Return whether the words of a change are plural, so that a verb must follow them."""
    words = plain(does(view, name))
    if words == plain(subject(view, name)):
        return False
    first, last = words.split(" ")[0], words.split(" of ")[0].split(" ")[-1]
    return not first.endswith("ing") and last.endswith("s") and not last.endswith(("ss", "us"))


def factor_words(view: StudyView, name: str) -> Rich:
    """Return what a factor, or the factor of a level, is: `what the resume restores`."""
    factor, _ = view.split(name)
    label = view.labels.factor(factor)
    return rich(label) if label else rich(code(factor))


def at_plainly(view: StudyView, at: Mapping[str, str]) -> Rich:
    """Return a setting in words: `when restoring only the generator and with ...`."""
    return joined([_at(view, factor, level) for factor, level in at.items()])


def _at(view: StudyView, factor: str, level: str) -> Rich:
    label = view.labels.level(factor, level)
    if label:
        return rich(f"{'when' if label.split(' ')[0].endswith('ing') else 'with'} {label}")
    if view.is_switch(factor) and len(view.factors[factor]["levels"]) == 2:
        return rich(
            "without " if level == view.first(factor) else "with ", factor_words(view, factor)
        )
    return rich("with ", code(f"{factor}={level}"))


def size_words(view: StudyView, claim: Claim) -> str:
    """Return the size of an effect without its sign: `37%`, or `0.050` where percent say nothing.

    Percent are of the mean at the first level, in the same seeds.
    """
    if not math.isfinite(claim.percent):
        return view.effects.fixed(abs(claim.estimate))
    return whole(abs(claim.percent))


def whole(percent: float) -> str:
    """Return a size in whole percent: `37%`, or `less than 1%`."""
    if percent == 0:
        return "0%"
    return f"{percent:.0f}%" if percent >= 0.95 else "less than 1%"


def signed_size(view: StudyView, claim: Claim) -> str:
    """Return the size of an effect with its sign: `+37%`, `+0.4%`, or `+0.050`."""
    if not math.isfinite(claim.percent):
        return view.effects.signed(claim.estimate)
    return signed_percent(claim.percent, 1 if abs(claim.percent) < 0.95 else 0)


def signed_percent(value: float, digits: int = 0) -> str:
    """Return percent with a sign: `+37%`, `−3%`; what rounds to 0 has no sign."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        return "0%"
    return f"{'+' if value > 0 else ''}{text}%".replace("-", MINUS)


def interval_of(view: StudyView, claim: Claim) -> str:
    """Return the interval of an effect: `+21% to +53%`; empty if it has none."""
    if not (math.isfinite(claim.low) and math.isfinite(claim.high)):
        return ""
    low, high = claim.percent_low, claim.percent_high
    if math.isfinite(low) and math.isfinite(high):
        digits = 0 if high - low >= 2 else 1
        return f"{signed_percent(low, digits)} to {signed_percent(high, digits)}"
    return view.effects.interval(claim.low, claim.high)


def confidence_words(claim: Claim, plural: bool = False) -> str:
    """Return the name of a claim's interval: `95% interval`."""
    return f"{100 * claim.confidence:.3g}% interval{'s' if plural else ''}"


def margin_percent(view: StudyView) -> float | None:
    """Return the margin in percent of the reference's mean; None if one of them is unknown."""
    if view.margin is None:
        return None
    if view.log:
        return 100 * view.margin
    mean = reference_mean(view)
    return 100 * view.margin / abs(mean) if mean else None


def reference_mean(view: StudyView) -> float | None:
    """Return the mean outcome of the reference; None if there is none."""
    arms = view.analysis.arms
    if view.reference is None or not len(arms):
        return None
    known = arms.loc[arms["cell_id"] == view.reference.cell_id, "mean"].dropna()
    return float(known.iloc[0]) if len(known) else None
