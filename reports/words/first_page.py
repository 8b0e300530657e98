"""The words of the first page: the headline, what follows from it, and what its words mean."""

from collections.abc import Sequence

from reports.claims.rule import OPEN
from reports.page.blocks import Rich, Title, rich, spaced, strong
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.words.answer import lead
from reports.words.facts import interim, plan_narrowed, rule_changed, seeds_added, unseparated
from reports.words.findings import (
    SAME,
    Finding,
    clause,
    findings,
    grouped,
    headline_without_effects,
    interval_words,
    sentence_of,
    subject_of,
)
from reports.words.onset import shared_fall
from reports.words.plainly import (
    capital,
    confidence_words,
    interval_of,
    margin_percent,
    reference_mean,
    whole,
)
from reports.words.units import units

MOST_MOVED = 3
"""Changes with an effect that the text below the headline names; the cards show all of them."""


def title(view: StudyView) -> Title:
    """Return the headline: what the largest effect is, or that there is none."""
    question = str(view.study.get("question") or "")
    known = findings(view)
    so_far = "So far: " if interim(view) else ""
    if not known or not _has_results(view):
        return Title(question, rich(so_far, *_first_sentence(lead(view))))

    first = known[0]
    if not first.acts:
        words = headline_without_effects(view, known)
        interval = _open_interval(view, known)
        if any(one.verdict == OPEN for one in known):
            so_far = ""  # the words say themselves that it is too early
    else:
        words = rich(*capital(subject_of(view, first)), " ", clause(view, first))
        interval = interval_words(view, first)
    return Title(question, rich(so_far, words), interval)


def status(view: StudyView) -> Rich:
    """Return what a reader must know before the answer: that it is interim, or the plan changed."""
    facts = (interim(view), plan_narrowed(view), rule_changed(view), seeds_added(view))
    return spaced([fact for fact in facts if fact])


def lede(view: StudyView) -> Rich:
    """Return what else the study found out, in a few short sentences."""
    known = findings(view)
    if not known or not _has_results(view):
        return ()
    rest = known[1:] if known[0].acts or len(known) == 1 else known
    moved = [one for one in rest if one.acts or one.verdict == "depends"]
    sentences = [sentence_of(view, one, short=True) for one in moved[:MOST_MOVED]]
    if more := moved[MOST_MOVED:]:
        sentences.append(rich(f"{count(len(more), 'more change')} below."))

    if known[0].acts or {one.verdict for one in known} - {"equivalent"}:
        sentences += _without_effect(view, rest)
    if fall := shared_fall(view):
        sentences.append(rich(*_first_sentence(fall), "."))
    return spaced(sentences)


def _without_effect(view: StudyView, rest: Sequence[Finding]) -> list[Rich]:
    """Return a sentence for each verdict of the changes that are not said to act."""
    out = []
    for word in (*SAME, OPEN):
        same = [one for one in rest if one.verdict == word and not one.acts]
        if word == OPEN:
            same = [one for one in same if one.name not in unseparated(view)]
        if not same:
            continue
        if word == OPEN:
            names = [one.name for one in same]
            start = (
                "Nothing is settled yet about" if interim(view) else f"{units(view)} can't settle"
            )
            out.append(rich(f"{start} ", _objects(view, names)))
        elif len(same) == 1:
            out.append(sentence_of(view, same[0], short=True))
        else:
            verb = {
                "equivalent": "make no difference that matters",
                "equivalent on average": "make no difference on average",
                "no harm": "do no harm",
                "no benefit": "do not help",
            }[word]
            out.append(rich(grouped(view, [one.name for one in same]), f" {verb}."))
    if unseparated(view) & {one.name for one in rest}:
        out.append(
            rich("Nothing can be said of them one by one until a study with other arms has run.")
        )
    return out


def _objects(view: StudyView, names: Sequence[str]) -> Rich:
    """Return changes as the object of a sentence, which ends after them."""
    words = grouped(view, names)
    first = words[0]
    if first.style != "code":
        words = rich(type(first)(first.text[:1].lower() + first.text[1:], first.style), *words[1:])
    return rich(words, ".")


def _open_interval(view: StudyView, known: Sequence[Finding]) -> str:
    """Return where the effect of a study's only open change may lie."""
    open_ = [one for one in known if one.verdict == OPEN and one.claims]
    if len(open_) != 1 or unseparated(view):
        return ""
    claim = open_[0].claims[0]
    words = interval_of(view, claim)
    return f"{confidence_words(claim)} {words}" if words else ""


def _has_results(view: StudyView) -> bool:
    """Return whether any trial has ended with a result."""
    return bool(view.table.trials["status"].isin(("finished", "diverged")).any())


def _first_sentence(words: Rich) -> Rich:
    """Return the first sentence of a text, without its period."""
    out = []
    for span in words:
        head, stop, _ = span.text.partition(". ")
        out.append(type(span)(head, span.style, span.href))
        if stop:
            break
    last = out[-1]
    out[-1] = type(last)(last.text.removesuffix("."), last.style, last.href)
    return tuple(out)


def _named(label: str) -> str:
    """Return a label as a term: without its article, and with a capital letter."""
    text = label.removeprefix("the ")
    return text[:1].upper() + text[1:]


def definition(view: StudyView) -> Rich:
    """Return what the words of the first page mean: the outcome, an effect, no difference."""
    label = view.labels.metric(view.metric)
    described = view.described(view.metric)
    meaning = str(described.get("description", "")).rstrip(".")
    mean = reference_mean(view)
    has = f"; the reference has {view.scale.fixed(mean)}" if mean is not None else ""
    what = f": {meaning} ({view.better} is better{has}). " if meaning else ""
    start = (
        (strong(_named(label) if label else view.metric), what)
        if what
        else (strong(view.metric), f": {view.better} is better{has}. ")
    )

    averaged = f", averaged over {view.averaged_over}" if len(view.factors) > 1 else ""
    effect = (
        f": how much one change moves it {view.summary}, within each seed{averaged}, in percent of "
        "the mean without the change. "
    )
    band = margin_percent(view)
    size = "" if band is None or view.log else f" ({whole(band)} of the reference)"
    margin = f"Less than {view.margin_words}{size} is too small to matter." if view.margin else ""
    return rich(*start, strong("Effect"), effect, margin)
