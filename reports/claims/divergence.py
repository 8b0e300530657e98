"""Whether a level makes trials diverge: two-sided, corrected tests of counts of diverged trials."""

from collections.abc import Sequence

import numpy as np
from scipy import special

from reports.claims.budget import ERROR, Spending
from reports.claims.claim import Claim, Counts, Scope
from reports.claims.design import Design, Term
from reports.claims.estimates import FEWEST_SEEDS, Trials
from reports.stats.exact import boschloo_p


def sides(design: Design, term: Term) -> tuple[list[int], list[int], int]:
    """Return the cells at the level and at the first level of a change, and the pairs per seed.

    Args:
        design: The study's design.
        term: A term of one change.

    Returns:
        `(cells at the level, cells at the first level, number of pairs in a seed)`.
    """
    if not term.blocks:
        signs = design.fraction_weights(term)
        return list(np.flatnonzero(signs > 0)), list(np.flatnonzero(signs < 0)), len(signs) // 2
    pairs = [block.cells for block in term.blocks if block.cells[0] != block.cells[1]]
    first, level = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in (0, 1))
    return level, first, len(pairs)


def counts(trials: Trials, design: Design, term: Term) -> Counts:
    """Return the diverged and ended trials at both levels of a change."""
    lost, ended = trials.lost_trials, trials.ended_trials
    level, first, _ = sides(design, term)
    return Counts(
        *(int(lost[:, level].sum()), int(ended[:, level].sum())),
        *(int(lost[:, first].sum()), int(ended[:, first].sum())),
    )


def p_value(trials: Trials, design: Design, term: Term) -> float:
    """Return the two-sided p of "the level doesn't change how many trials diverge".

    Boschloo's exact test takes trials for independent. Where a seed, or a network, has several
    pairs of trials, which may diverge together, a t test over their differences of shares must
    agree: p is the larger one.

    Args:
        trials: The study's trials.
        design: The study's design.
        term: A term of one change.

    Returns:
        The p value; nan with fewer than `FEWEST_SEEDS` seeds that ended at both levels, or without
        a diverged trial.
    """
    ended = trials.ended_trials
    level, first, pairs = sides(design, term)
    both = ended[:, level].any(axis=1) & ended[:, first].any(axis=1)
    tally = counts(trials, design, term)
    if both.sum() < FEWEST_SEEDS or not tally.diverged + tally.diverged_first:
        return float("nan")
    p = boschloo_p(tally.diverged, tally.ended, tally.diverged_first, tally.ended_first)
    if pairs == trials.each == 1:
        return p

    shares = [
        trials.lost_trials[both][:, side].sum(axis=1) / ended[both][:, side].sum(axis=1)
        for side in (level, first)
    ]
    difference = shares[0] - shares[1]
    spread = difference.std(ddof=1)
    if spread == 0:
        if trials.each > 1:
            # However many trials networks have, networks that all differ alike are few numbers.
            lost = [(trials.lost_trials[both][:, side] > 0).any(axis=1) for side in (level, first)]
            n = len(difference)
            p = max(p, boschloo_p(int(lost[0].sum()), n, int(lost[1].sum()), n))
        return p if difference[0] else 1.0
    t = abs(difference.mean()) / (spread / np.sqrt(len(difference)))
    return max(p, float(2 * special.stdtr(len(difference) - 1, -t)))


def diverging(
    trials: Trials, design: Design, terms: Sequence[Term], spending: Spending
) -> list[Claim]:
    """Return a claim for each change of which one level makes trials diverge.

    The claim names the level that loses more trials.

    Args:
        trials: The study's trials.
        design: The study's design.
        terms: Terms of one change each; they are corrected together.
        spending: Levels at this look.
    """
    p = np.array([p_value(trials, design, term) for term in terms])
    adjusted = spending.holm(p, ERROR, sides=2)
    claims = []
    for term, raw, corrected in zip(terms, p, adjusted, strict=True):
        if not corrected < ERROR:
            continue

        # Shares of diverged trials, compared without a division.
        change, tally = term.changes[0], counts(trials, design, term)
        at_level = tally.diverged * tally.ended_first > tally.diverged_first * tally.ended
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
                n_pairs=min(tally.ended, tally.ended_first),
                family="divergence",
                counts=tally,
            )
        )
    return claims


def _scope(term: Term) -> Scope:
    """Return the scope of a claim about divergence, which covers every setting of the design."""
    if len(term.blocks) == 1 and term.blocks[0].at:
        return Scope("at", term.blocks[0].at)
    return Scope("alias_group", terms=term.aliases) if not term.blocks else Scope("everywhere")
