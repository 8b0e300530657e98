"""The answer in words: what is claimed, in the order in which a reader needs it."""

from reports.claims.claim import Claim, ranked
from reports.page.blocks import Rich, code, rich, spaced
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.words.dependences import dependences
from reports.words.equivalences import equivalences, idle, one_sided
from reports.words.facts import (
    interim,
    lost_trials,
    missing,
    plan_narrowed,
    rule_changed,
    seeds_added,
)
from reports.words.names import MOST_CHANGES, subject, with_effects
from reports.words.onset import shared_fall
from reports.words.sentences import VERBS, sentence
from reports.words.undecided import uncompared, undecided
from reports.words.units import units


def lead(view: StudyView) -> Rich:
    """Return the first sentences of the answer.

    They say whether the study is done, and its plan and rule unchanged, and then the most important
    result.
    """
    facts = (interim(view), plan_narrowed(view), rule_changed(view), seeds_added(view))
    return spaced([*filter(None, facts), *_groups(view)[0]])


def others(view: StudyView) -> list[Rich]:
    """Return the other sentences of the answer, one text for each group of claims."""
    rest = [spaced(group) for group in _groups(view)[1:]]
    return [part for part in (*rest, missing(view), shared_fall(view)) if part]


def _groups(view: StudyView) -> list[list[Rich]]:
    """Return the sentences of all claims in groups, the most important first; at least one."""
    statuses = view.table.trials["status"]
    if not (statuses == "finished").any() and not (statuses == "diverged").any():
        return [[rich(f"None of the {count(len(statuses), 'trial')} finished.")]]
    if not view.analysis.cells.design.compared and len(view.arms) < 2:
        return [[_one_arm(view)]]
    return [*(_claimed(view) or [[_no_claim(view)]]), *([[further] for further in _further(view)])]


def _claimed(view: StudyView) -> list[list[Rich]]:
    """Return the sentences of the claims about one outcome, in groups."""
    groups = (
        _divergence(view),
        *([dependence] for dependence in dependences(view, with_effects=True)),
        _directions(view, "harms"),
        _directions(view, "helps"),
        dependences(view, with_effects=False),
        _directions(view, "harms on average"),
        _directions(view, "helps on average"),
        one_sided(view),
        equivalences(view),
        idle(view),
        undecided(view),
        uncompared(view),
    )
    return [group for group in groups if group]


def _no_claim(view: StudyView) -> Rich:
    """Return why there is no claim.

    The first planned look is still to come, or no two arms differ in a single factor.
    """
    if view.analysis.judgement.look == 0:
        return rich(
            "There are no verdicts before the first planned look, after "
            f"{units(view, view.looks[0])}."
        )
    return rich(
        "This design allows no verdict on a single factor. The table below compares the arms."
    )


def _divergence(view: StudyView) -> list[Rich]:
    """Return which levels make trials diverge, or how many trials diverged for unknown reasons."""
    claims = ranked(view.analysis.claims, "diverges")
    sentences = [sentence(view, claim) for claim in claims]

    if sentences:
        if not all(_has_mean(view, claim.subject) for claim in claims):
            sentences.append(
                rich("The mean of ", code(view.metric), " is not compared where trials diverged.")
            )
    elif view.analysis.cells.rule.divergence and (lost := lost_trials(view)):
        sentences = [lost]
    return [
        *sentences,
        *(sentence(view, claim) for claim in ranked(view.analysis.claims, "composite")),
    ]


def _has_mean(view: StudyView, name: str) -> bool:
    """Return whether a claim is about the mean of a change."""
    kinds = ("direction", "equivalent", "one_sided")
    return any(claim.subject == name and claim.kind in kinds for claim in view.analysis.claims)


def _directions(view: StudyView, word: str) -> list[Rich]:
    """Return the changes that harm, or help; the first few with a sentence each."""
    claims = [
        claim for claim in ranked(view.analysis.claims, "direction", word=word) if not claim.gate
    ]
    sentences = [sentence(view, claim) for claim in claims[:MOST_CHANGES]]

    rest = claims[MOST_CHANGES:]
    if rest:
        average = "On average the same" if word.endswith("average") else "The same"
        sentences.append(rich(f"{average} holds for ", with_effects(view, rest), "."))
    return sentences


def _further(view: StudyView) -> list[Rich]:
    """Return the claims on each further outcome, and where it contradicts the primary one."""
    out = []
    for other in view.further:
        claimed = [words for group in _claimed(other) for words in group]
        against = _against(view, other)
        out.append(rich("Further outcome ", code(other.metric), ": ", spaced([*against, *claimed])))
    return out


def _against(view: StudyView, other: StudyView) -> list[Rich]:
    """Return the changes that make one outcome better and the other worse, if both are claimed."""
    first, second = (
        {c.subject: c for c in one.analysis.claims if _plain_direction(c)} for one in (view, other)
    )

    out = []
    for name in first.keys() & second.keys():
        words = [VERBS[claims[name].word.split(" ")[0]] for claims in (first, second)]
        if words[0] != words[1]:
            end = (f" {words[0]} and ", code(other.metric), f" {words[1]}.")
            out.append((name, rich(subject(view, name), " makes ", code(view.metric), *end)))
    return [sentence for _, sentence in sorted(out)]


def _plain_direction(claim: Claim) -> bool:
    """Return whether a claim says that a change harms or helps beyond single levels."""
    return claim.kind == "direction" and not claim.gate and claim.scope.type != "alias_group"


def _one_arm(view: StudyView) -> Rich:
    """Return the mean of a study's only arm, which can't be compared with anything."""
    arms = view.analysis.arms
    known = arms[arms["mean"].notna()]
    if len(known) != 1:
        return rich("The one arm of this study has no result.")
    mean = view.scale.fixed(float(known["mean"].iloc[0]))
    return rich(
        "One arm: ",
        code(view.metric),
        f" is {mean} {view.summary}. There is nothing to compare it with.",
    )
