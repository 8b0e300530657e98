"""The answer in words: what is claimed, in the order in which a reader needs it."""

from reports.claims.claim import Claim, ranked
from reports.page.blocks import Rich, code, rich, spaced
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.words.dependences import dependences
from reports.words.equivalences import equivalences, idle, one_sided
from reports.words.facts import interim, lost_trials, missing, rule_changed, seeds_added
from reports.words.names import MOST_CHANGES, subject, with_effects
from reports.words.onset import shared_fall
from reports.words.sentences import VERBS, sentence
from reports.words.undecided import uncompared, undecided


def lead(view: StudyView) -> Rich:
    """The first sentences: whether the study is done and its rule stood, then the first thing that
    was found."""
    status = [part for part in (interim(view), rule_changed(view), seeds_added(view)) if part]
    return spaced([*status, *_groups(view)[0]])


def others(view: StudyView) -> list[Rich]:
    """The other sentences of the answer, one for each group of claims."""
    rest = [spaced(group) for group in _groups(view)[1:]]
    return [part for part in (*rest, missing(view), shared_fall(view)) if part]


def _groups(view: StudyView) -> list[list[Rich]]:
    """The sentences of all claims in groups, the most important first; at least one group."""
    statuses = view.table.trials["status"]
    if not (statuses == "finished").any() and not (statuses == "diverged").any():
        return [[rich(f"None of the {count(len(statuses), 'trial')} finished.")]]
    if not view.analysis.cells.design.compared and len(view.arms) < 2:
        return [[_one_arm(view)]]
    return [*(_claimed(view) or [[_no_claim(view)]]), *([[told] for told in _further(view)])]


def _claimed(view: StudyView) -> list[list[Rich]]:
    """The sentences of the claims about one outcome, in groups."""
    groups = (
        _divergence(view),
        *([told] for told in dependences(view, told=True)),
        _directions(view, "harms"),
        _directions(view, "helps"),
        dependences(view, told=False),
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
    """Why nothing is claimed: the first planned look is still to come, or no factor changes
    alone."""
    if view.analysis.judgement.look == 0:
        return rich(
            f"There are no verdicts before the first planned look, after {view.looks[0]} seeds."
        )
    return rich(
        "This design allows no verdict on a single factor. The table below compares the arms."
    )


def _divergence(view: StudyView) -> list[Rich]:
    """Which levels make trials diverge, or how many were lost without anyone knowing why."""
    claims = ranked(view.analysis.claims, "diverges")
    found = [sentence(view, claim) for claim in claims]
    if found:
        if not all(_has_mean(view, claim.subject) for claim in claims):
            found.append(
                rich("The mean of ", code(view.metric), " is not compared where trials diverged.")
            )
    elif view.analysis.cells.rule.divergence and (lost := lost_trials(view)):
        found = [lost]
    return [*found, *(sentence(view, claim) for claim in ranked(view.analysis.claims, "composite"))]


def _has_mean(view: StudyView, name: str) -> bool:
    """Whether something is claimed of the mean of a change."""
    kinds = ("direction", "equivalent", "one_sided")
    return any(claim.subject == name and claim.kind in kinds for claim in view.analysis.claims)


def _directions(view: StudyView, word: str) -> list[Rich]:
    """Changes that harm, or help; the first few with a sentence each."""
    claims = [
        claim for claim in ranked(view.analysis.claims, "direction", word=word) if not claim.gate
    ]
    told = [sentence(view, claim) for claim in claims[:MOST_CHANGES]]
    rest = claims[MOST_CHANGES:]
    if rest:
        average = "On average the same" if word.endswith("average") else "The same"
        told.append(rich(f"{average} holds for ", with_effects(view, rest), "."))
    return told


def _further(view: StudyView) -> list[Rich]:
    """What is claimed of each further outcome, and where it moves against the primary one."""
    out = []
    for other in view.further:
        told = [one for group in _claimed(other) for one in group]
        against = _against(view, other)
        out.append(rich("Further outcome ", code(other.metric), ": ", spaced([*against, *told])))
    return out


def _against(view: StudyView, other: StudyView) -> list[Rich]:
    """Changes that make one outcome better and the other worse, by claims about both."""
    first, second = (
        {c.subject: c for c in one.analysis.claims if _plain_direction(c)} for one in (view, other)
    )
    out = []
    for name in first.keys() & second.keys():
        words = [VERBS[claims[name].word.split(" ")[0]] for claims in (first, second)]
        if words[0] != words[1]:
            told = (f" {words[0]} and ", code(other.metric), f" {words[1]}.")
            out.append((name, rich(subject(view, name), " makes ", code(view.metric), *told)))
    return [sentence for _, sentence in sorted(out)]


def _plain_direction(claim: Claim) -> bool:
    """Whether a claim is that a change harms or helps, and not only at single levels."""
    return claim.kind == "direction" and not claim.gate and claim.scope.type != "alias_group"


def _one_arm(view: StudyView) -> Rich:
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
