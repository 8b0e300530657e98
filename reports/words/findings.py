"""What a study found out about each change, in one plain clause, the largest effect first."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from reports.claims.claim import Claim
from reports.claims.rule import OPEN
from reports.page.blocks import Rich, code, joined, rich
from reports.view.study import StudyView
from reports.words.facts import progress, unseparated
from reports.words.names import number_words
from reports.words.plainly import (
    at_plainly,
    capital,
    confidence_words,
    does,
    factor_words,
    interval_of,
    metric_words,
    several,
    short_metric,
    size_words,
)
from reports.words.units import units

SAME = ("equivalent", "equivalent on average", "no harm", "no benefit")
"""Verdicts of changes that make no difference, or none in one direction."""


@dataclass(frozen=True)
class Finding:
    """What is claimed of one change.

    Attributes:
        name: the change: a factor, or `factor=level`.
        verdict: its verdict.
        claims: the claims to show: of single settings if the effect depends on others, else one.
        places: number of settings that `claims` are of; 1 if the effect depends on nothing.
        also: factors that the effect depends on besides those of `claims`.
    """

    name: str
    verdict: str
    claims: tuple[Claim, ...]
    places: int = 1
    also: tuple[str, ...] = field(default=())

    @property
    def moved(self) -> tuple[Claim, ...]:
        """The claims that say harm or help."""
        return tuple(claim for claim in self.claims if claim.kind == "direction")

    @property
    def still(self) -> tuple[Claim, ...]:
        """The claims that say that there is no difference."""
        return tuple(claim for claim in self.claims if claim.kind == "equivalent")

    @property
    def acts(self) -> bool:
        """Whether the change is said to do something."""
        return bool(self.moved) or self.verdict == "diverges"

    @property
    def size(self) -> float:
        """The largest effect that is claimed, in the outcome's unit; 0 without any."""
        return max((abs(c.estimate) for c in self.moved if math.isfinite(c.estimate)), default=0.0)


def findings(view: StudyView) -> tuple[Finding, ...]:
    """Return one finding for each change with a verdict.

    What makes training fail comes first, and then the changes that the study expects a verdict of,
    since the study asks about them. In each group, the largest effect is first.
    """
    made = [_finding(view, name, word) for name, word in view.analysis.judgement.verdicts.items()]
    asked = set(view.study.get("expect", ()))
    order = {"diverges": 0}
    rank = ("depends", "harms on average", "helps on average", *SAME, OPEN)

    def place(one: Finding) -> tuple[int, bool, bool, float, int]:
        kind = rank.index(one.verdict) if one.verdict in rank else -1
        return (order.get(one.verdict, 1), not one.acts, one.name not in asked, -one.size, kind)

    return tuple(sorted(made, key=place))


def _finding(view: StudyView, name: str, verdict: str) -> Finding:
    """Return the finding of one change."""
    own = [claim for claim in view.analysis.claims if claim.subject == name]
    if verdict != "depends":
        kinds = (
            ("diverges",)
            if verdict == "diverges"
            else ("direction", "equivalent", "one_sided", "idle", "undecided")
        )
        plain = [c for c in own if c.kind in kinds and not c.gate]
        # Of several claims about one change, the one that gives it its verdict counts.
        chosen = [c for c in plain if c.word == verdict] or plain
        return Finding(name, verdict, tuple(chosen[:1]))

    groups: dict[frozenset[str], list[Claim]] = {}
    for claim in own:
        if claim.gate:
            groups.setdefault(frozenset(claim.scope.at), []).append(claim)
    others = {
        factor: None
        for claim in view.analysis.claims
        if claim.kind == "depends" and name in claim.subject.split(" × ")
        for other in claim.subject.split(" × ")
        if (factor := view.split(other)[0]) != view.split(name)[0]
    }
    if not groups:
        return Finding(name, verdict, (), also=tuple(others))

    best = max(groups, key=lambda at: _telling(groups[at]))
    claims = sorted(groups[best], key=_shown_size)
    places = math.prod(len(view.factors[factor]["levels"]) for factor in best)
    return Finding(name, verdict, tuple(claims), places, tuple(set(others) - best))


def _shown_size(claim: Claim) -> float:
    """Return the size by which the claims of a change are sorted, as readers see it."""
    return abs(claim.percent if math.isfinite(claim.percent) else claim.estimate)


def _telling(claims: Sequence[Claim]) -> tuple[bool, bool, float]:
    """Return how much settings differ: opposite directions, then some effect, then its range."""
    words = {claim.word for claim in claims}
    sizes = [claim.estimate for claim in claims]
    moved = any(claim.kind == "direction" for claim in claims)
    return {"harms", "helps"} <= words, moved, max(sizes) - min(sizes) + max(map(abs, sizes)) / 1e6


def clause(view: StudyView, one: Finding, short: bool = False) -> Rich:
    """Return what a change does, without the change: `raises the error of mixed images by 37%`.

    Args:
        view: the study.
        one: the finding of the change.
        short: whether the outcome was named before, so that few words name it.
    """
    error = short_metric(view) if short else metric_words(view)
    if one.verdict == "diverges":
        return _fails(view, one)
    if one.verdict == "depends":
        return _depending(view, one, error)
    if one.moved:
        return _moves(view, one, error)
    return _same(view, one, error)


def sentence_of(view: StudyView, one: Finding, short: bool = False) -> Rich:
    """Return a whole sentence on a change: `Restoring only the generator raises ... by 37%.`"""
    return rich(*capital(subject_of(view, one)), " ", clause(view, one, short), ".")


def subject_of(view: StudyView, one: Finding) -> Rich:
    """Return the change, with what a fraction can't distinguish from it."""
    terms = one.claims[0].scope.terms if one.claims else ()
    others = [code(term) for term in terms if term != one.name]
    start = does(view, one.name)
    return rich(start, " (or ", joined(others, ", or ", " or "), ")") if others else start


def interval_words(view: StudyView, one: Finding) -> str:
    """Return the intervals of the sizes in a clause, in their order; empty without any."""
    known = [(claim, words) for claim in one.moved if (words := interval_of(view, claim))]
    if not known:
        return ""
    if one.places > 2:
        known = [known[0], known[-1]] if len(known) > 1 else known
    name = confidence_words(known[0][0], len(known) > 1)
    return f"{name} {' and '.join(words for _, words in known)}"


def _verb(view: StudyView, one: Finding, word: str) -> str:
    """Return a verb in the number of the change: `raises`, `raise`."""
    if not several(view, one.name):
        return {"do": "does", "make": "makes"}.get(word, f"{word}s")
    return word


def _direction(claim: Claim) -> str:
    return "raise" if claim.estimate > 0 else "lower"


def _moves(view: StudyView, one: Finding, error: Rich) -> Rich:
    """Return a clause on a change with one direction."""
    claim = one.moved[0]
    how = f" by {size_words(view, claim)}"
    if view.better == "higher":
        how += ", for the worse" if claim.word.startswith("harms") else ", for the better"
    end = " on average" if claim.word.endswith("average") else ""
    end += " where no trial diverged" if claim.scope.type == "clean" else ""
    end += ", perhaps too little to matter" if "small" in claim.caveats else ""
    return rich(_verb(view, one, _direction(claim)), " ", error, how, end)


def _depending(view: StudyView, one: Finding, error: Rich) -> Rich:
    """Return a clause on a change whose effect depends on others."""
    others = joined([factor_words(view, factor) for factor in _others(one)])
    if not one.claims:
        return rich(_verb(view, one, "act"), " together with ", others)
    moved, still = one.moved, one.still
    if not moved:
        end = at_plainly(view, still[0].scope.at)
        return rich(_verb(view, one, "make"), " no difference ", end, "; the rest is not settled")

    raised = [claim for claim in moved if claim.estimate > 0]
    lowered = [claim for claim in moved if claim.estimate < 0]
    if raised and lowered:
        up, down = size_words(view, raised[-1]), size_words(view, lowered[-1])
        return rich(
            *(_verb(view, one, "raise"), " ", error, f" by {up} or "),
            f"{_verb(view, one, 'lower')} it by {down}, depending on ",
            others,
        )

    start = rich(_verb(view, one, _direction(moved[0])), " ", error, " by ")
    sizes = list(dict.fromkeys(size_words(view, claim) for claim in moved))
    by = sizes[0] if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    if len(moved) == one.places:
        if one.places == 2 and len(sizes) == 2:
            by = f"{sizes[0]} or {sizes[1]}"
        return rich(start, by, ", depending on ", others)
    if one.places == 2:
        only = "" if not still else ", but only"
        return rich(start, by, f"{only} ", at_plainly(view, moved[0].scope.at))
    count = f"{number_words(len(moved))} of {number_words(one.places)} settings of "
    return rich(start, by, f" in {count}", others)


def _others(one: Finding) -> list[str]:
    """Return the factors that the shown claims depend on."""
    return list(one.claims[0].scope.at) if one.claims else list(one.also)


def _fails(view: StudyView, one: Finding) -> Rich:
    """Return a clause on a change that makes training fail, or keeps it from failing."""
    counts = one.claims[0].counts if one.claims else None
    if counts is None:
        return rich(_verb(view, one, "make"), " training fail")
    more = counts.diverged * counts.ended_first > counts.diverged_first * counts.ended
    what = (" training fail") if more else " training stable"
    at = f"{counts.diverged} of {counts.ended} trials diverged with it"
    return rich(
        *(_verb(view, one, "make"), what, f": {at}, {counts.diverged_first} of "),
        f"{counts.ended_first} without",
    )


def _same(view: StudyView, one: Finding, error: Rich) -> Rich:
    """Return a clause on a change that is not said to move the outcome."""
    make, do = _verb(view, one, "make"), _verb(view, one, "do")
    if one.claims and one.claims[0].kind == "idle":
        return rich(do, " nothing at all")
    words: dict[str, Rich] = {
        "equivalent": rich(make, " no difference that matters"),
        "equivalent on average": rich(make, " no difference on average"),
        "no harm": rich(do, " no harm"),
        "no benefit": rich(do, " not help"),
    }
    if one.verdict in words:
        return words[one.verdict]
    return rich(make, " a difference to ", error, " that is not settled")


def headline_without_effects(view: StudyView, known: Sequence[Finding]) -> Rich:
    """Return the headline of a study that finds no change to act, one by one."""
    error = metric_words(view)
    if unseparated(view) & {one.name for one in known}:
        return rich("Changes act together on ", error, ", and this fraction can't separate them")
    open_ = [one for one in known if one.verdict == OPEN]
    if not open_:
        if len(known) == 1:
            return rich(*capital(subject_of(view, known[0])), " ", clause(view, known[0]))
        words = {one.verdict for one in known}
        number = number_words(len(known))
        if words <= {"equivalent"}:
            start = "Neither change" if len(known) == 2 else f"None of the {number} changes"
            return rich(f"{start} makes a difference that matters to ", error)
        if words <= {"equivalent", "no harm"}:
            start = "Neither change" if len(known) == 2 else f"None of the {number} changes"
            return rich(f"{start} harms ", error)
        return rich("No change is shown to move ", error)

    one = len(open_) == 1
    what = rich("whether ", does(view, open_[0].name)) if one else rich("which change")
    verb = "move" if one and several(view, open_[0].name) else "moves"
    if progress(view).interim:
        return rich("It is too early to say ", what, f" {verb} ", error)
    return rich(f"{units(view)} can't settle ", what, f" {verb} ", error)


def grouped(view: StudyView, names: Sequence[str]) -> Rich:
    """Return several changes as the subject of a sentence, with a capital letter."""
    return capital(joined([does(view, name) for name in names]))
