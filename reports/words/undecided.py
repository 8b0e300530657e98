"""What the seeds of a study do not decide, and what its arms cannot compare, in words."""

from collections.abc import Sequence

from reports.claims.claim import Claim, ranked
from reports.claims.estimates import FEWEST_SEEDS
from reports.page.blocks import Rich, code, rich
from reports.view.study import StudyView
from reports.words.dependences import open_interaction
from reports.words.facts import blocked
from reports.words.names import MOST_CHANGES, number_words, subjects, with_effects
from reports.words.sentences import sentence
from reports.words.units import unit, units_in_full


def undecided(view: StudyView) -> list[Rich]:
    """Return what these seeds do not decide.

    These are changes without a verdict and, in a study of two changes, whether they act together.
    """
    words = view.analysis.judgement.verdicts
    idle = {claim.subject for claim in view.analysis.claims if claim.kind == "idle"}
    done = idle | blocked(view) | set(_without_pairs(view))
    open_ = ranked(view.analysis.claims, "undecided")
    claims = [c for c in open_ if words[c.subject] != "diverges" and c.subject not in done]

    known = [claim for claim in claims if claim.low == claim.low]
    few = [
        claim
        for claim in claims
        if claim.estimate == claim.estimate and claim.n_seeds < FEWEST_SEEDS
    ]

    covered: list[Claim] = []
    out = open_interaction(view)
    for several, all_at_once in ((known, _several_open), (few, _too_few_seeds)):
        if (
            len(several) > MOST_CHANGES
            or len(several) == len(words) > 1
            or (several is few and len(few) > 1)
        ):
            # Many changes share one sentence, so that the answer stays short.
            out.append(all_at_once(view, several))
            covered += several
    return [*out, *(sentence(view, claim) for claim in claims if claim not in covered)]


def _several_open(view: StudyView, claims: Sequence[Claim]) -> Rich:
    """Return one sentence on several changes that the seeds do not decide, with their effects."""
    fewest, most = min(c.n_seeds for c in claims), max(c.n_seeds for c in claims)
    seeds = units_in_full(view, most)
    seeds = seeds if fewest == most else f"{fewest} to {seeds}"

    whole = len(claims) == len(view.analysis.judgement.verdicts)
    what = "whether any factor changes" if whole else "whether these change"
    return rich(
        f"These {seeds} do not decide {what} ",
        code(view.metric),
        ": ",
        with_effects(view, claims),
        ".",
    )


def _too_few_seeds(view: StudyView, claims: Sequence[Claim]) -> Rich:
    """Return one sentence on several changes with a result from too few seeds."""
    most = max(claim.n_seeds for claim in claims)
    seeds = f"{number_words(most).capitalize()} {unit(view)}{'s' if most > 1 else ''}"
    end = f". A verdict needs three {unit(view)}s."
    return rich(f"{seeds}: no verdict on ", with_effects(view, claims), end)


def uncompared(view: StudyView) -> list[Rich]:
    """Return the changes that can't be compared, because two arms or their seeds are missing."""
    out = []
    if without := _without_pairs(view):
        fraction = view.analysis.cells.design.fraction
        why = (
            "an arm of the fraction has no result"
            if fraction
            else f"no {unit(view)} has a result in both arms"
        )
        out.append(rich(subjects(view, without), f" can't be compared: {why}."))

    if view.analysis.uncompared and len(view.arms) > 1:
        which = "it alone" if len(view.analysis.uncompared) == 1 else "one of these alone"
        out.append(
            rich(
                "No verdict on ",
                subjects(view, view.analysis.uncompared),
                f": no two arms differ in {which}.",
            )
        )

    return out


def _without_pairs(view: StudyView) -> list[str]:
    """Return the changes for which no seed has a result on both sides."""
    verdicts = view.analysis.verdicts
    return (
        [str(name) for name in verdicts.loc[verdicts["n_pairs"] == 0, "factor"]]
        if len(verdicts)
        else []
    )
