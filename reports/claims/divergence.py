"""Does a level make trials diverge? Counts of diverged trials, tested on both sides and
corrected."""

from collections.abc import Sequence

import numpy as np
from scipy import special

from reports.claims.budget import ERROR, Spending
from reports.claims.claim import Claim, Counts, Scope
from reports.claims.design import Design, Term
from reports.claims.estimates import FEWEST_SEEDS, Trials
from reports.stats.exact import boschloo_p


def sides(design: Design, term: Term) -> tuple[list[int], list[int], int]:
    """Cells at the level and at the first level of a change, and how many pairs a seed has."""
    if not term.blocks:
        signs = design.fraction_weights(term)
        return list(np.flatnonzero(signs > 0)), list(np.flatnonzero(signs < 0)), len(signs) // 2
    pairs = [block.cells for block in term.blocks if block.cells[0] != block.cells[1]]
    first, level = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in (0, 1))
    return level, first, len(pairs)


def counts(trials: Trials, design: Design, term: Term) -> Counts:
    """Diverged and ended trials at both levels of a change."""
    ended = trials.diverged | np.isfinite(trials.values)
    level, first, _ = sides(design, term)
    return Counts(
        *(int(trials.diverged[:, level].sum()), int(ended[:, level].sum())),
        *(int(trials.diverged[:, first].sum()), int(ended[:, first].sum())),
    )


def p_value(trials: Trials, design: Design, term: Term) -> float:
    """Two-sided p of "the level makes no difference to how many trials diverge".

    Boschloo's exact test takes trials for independent. Where a seed has several pairs of trials,
    which may diverge together, a t test over the seeds' differences of shares must agree: p is the
    larger one.
    """
    ended = trials.diverged | np.isfinite(trials.values)
    level, first, pairs = sides(design, term)
    both = ended[:, level].any(axis=1) & ended[:, first].any(axis=1)
    found = counts(trials, design, term)
    if both.sum() < FEWEST_SEEDS or not found.diverged + found.diverged_first:
        return float("nan")
    p = boschloo_p(found.diverged, found.ended, found.diverged_first, found.ended_first)
    if pairs == 1:
        return p

    shares = [
        trials.diverged[both][:, side].sum(axis=1) / ended[both][:, side].sum(axis=1)
        for side in (level, first)
    ]
    difference = shares[0] - shares[1]
    spread = difference.std(ddof=1)
    if spread == 0:
        return p if difference[0] else 1.0
    t = abs(difference.mean()) / (spread / np.sqrt(len(difference)))
    return max(p, float(2 * special.stdtr(len(difference) - 1, -t)))


def diverging(
    trials: Trials, design: Design, terms: Sequence[Term], spending: Spending
) -> list[Claim]:
    """A claim for each change of which one level makes trials diverge; the claim names the level
    that loses them."""
    p = np.array([p_value(trials, design, term) for term in terms])
    adjusted = spending.holm(p, ERROR, sides=2)
    claims = []
    for term, raw, corrected in zip(terms, p, adjusted, strict=True):
        if not corrected < ERROR:
            continue
        change, found = term.changes[0], counts(trials, design, term)
        at_level = found.diverged * found.ended_first > found.diverged_first * found.ended
        claims.append(
            Claim(
                id=f"diverges:{change.name}",
                kind="diverges",
                subject=change.name,
                scope=_scope(term),
                factor=change.factor,
                level=change.level if at_level else change.first,
                against=change.first if at_level else change.level,
                word="diverges",
                p=float(raw),
                p_adjusted=float(corrected),
                test="Boschloo",
                n_seeds=len(trials.seeds),
                n_pairs=min(found.ended, found.ended_first),
                family="divergence",
                counts=found,
            )
        )
    return claims


def _scope(term: Term) -> Scope:
    """All settings; of a design with one setting the levels that it holds at."""
    if len(term.blocks) == 1 and term.blocks[0].at:
        return Scope("at", term.blocks[0].at)
    return Scope("alias_group", terms=term.aliases) if not term.blocks else Scope("everywhere")
