"""Changes without an effect that matters, without one in one direction, or without any effect."""

from collections.abc import Sequence

from reports.claims.claim import Claim, ranked
from reports.page.blocks import Rich, code, plain, rich
from reports.view.study import StudyView
from reports.words.names import amount, subjects
from reports.words.sentences import equivalent, gap, sentence, where


def one_sided(view: StudyView) -> list[Rich]:
    """Return sentences on changes that do no harm, or no good.

    They are left out where the effects at single levels already say so.
    """
    implied = {"no benefit": {"harms"}, "no harm": {"helps"}}
    out = []
    for claim in ranked(view.analysis.claims, "one_sided"):
        single = {
            one.word for one in view.analysis.claims if one.gate and one.subject == claim.subject
        }
        if single != implied[claim.word]:
            out.append(sentence(view, claim))
    return out


def equivalences(view: StudyView) -> list[Rich]:
    """Return sentences on changes without an effect that matters.

    Changes with the same claim share a sentence.
    """
    words = view.analysis.judgement.verdicts
    unmoved = {claim.subject for claim in view.analysis.claims if claim.kind == "idle"}
    equivalent_claims = [c for c in view.analysis.claims if c.kind == "equivalent" and not c.gate]
    claims = [
        c for c in equivalent_claims if words.get(c.subject) == c.word and c.subject not in unmoved
    ]

    if _nothing_acts(view, claims):
        start = rich(
            "No factor changes ",
            code(view.metric),
            f" by {view.margin_words} or more {view.summary}",
        )
        return [rich(start, f", in any setting (effects {_range(view, claims)}).")]

    groups: dict[tuple[str, ...], list[Claim]] = {}
    for claim in sorted(claims, key=_generality):
        pairs = str(len(claim.scope.terms) > 1)
        key = (
            claim.word,
            claim.scope.type,
            pairs,
            plain(where(view, claim)),
            plain(gap(view, claim)),
        )
        groups.setdefault(key, []).append(claim)
    return [
        sentence(view, same[0])
        if len(same) == 1
        else equivalent(view, same, f" (effects {_range(view, same)})")
        for same in groups.values()
    ]


SCOPES = ("everywhere", "at", "clean", "on_average", "alias_group")
"""Scopes of claims, from the most general to the most limited."""


def _generality(claim: Claim) -> tuple[bool, int]:
    """Return a sort key: claims about every setting come before claims about averages."""
    return claim.word.endswith("average"), SCOPES.index(claim.scope.type)


def _nothing_acts(view: StudyView, claims: Sequence[Claim]) -> bool:
    """Return whether no factor of the study has an effect that matters, in any setting."""
    verdicts = view.analysis.judgement.verdicts
    everywhere = all(claim.scope.type == "everywhere" and not claim.scope.over for claim in claims)
    return (
        len(claims) == len(verdicts) > 1 and set(verdicts.values()) == {"equivalent"} and everywhere
    )


def _range(view: StudyView, claims: Sequence[Claim]) -> str:
    """Return the smallest and the largest effect of these claims in words."""
    least, most = (amount(view, end(c.estimate for c in claims)) for end in (min, max))
    return f"{least} to {most}" if least != most else f"{least} each"


def idle(view: StudyView) -> list[Rich]:
    """Return sentences on changes that had no effect at all."""
    claims = ranked(view.analysis.claims, "idle")
    exact = [claim.subject for claim in claims if claim.subject in view.analysis.idle]
    if len(exact) < 2:
        return [sentence(view, claim) for claim in claims]

    if set(exact) == set(view.analysis.judgement.verdicts):
        return [
            rich(
                "No factor has any effect: for each seed, all trials end with identical ",
                code(view.metric),
                ".",
            )
        ]

    rest = [sentence(view, claim) for claim in claims if claim.subject not in exact]
    return [
        rich(
            subjects(view, exact),
            " did nothing: with and without them all trials end with identical values.",
        ),
        *rest,
    ]
