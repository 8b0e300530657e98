"""The verdict of each factor as a table with its effect, and the effect in each seed."""

import math

import numpy as np
import pandas as pd

from reports.analysis.cells import Cells, pairs
from reports.analysis.intervals import effect_interval
from reports.claims.design import Term
from reports.claims.estimates import FEWEST_SEEDS
from reports.claims.rule import Judgement
from reports.stats.power import detectable_sds

VERDICTS = (
    *("factor", "verdict", "effect", "low", "high", "p_adjusted"),
    *("n_pairs", "smallest_effect", "detectable_effect", "claims", "usual_low", "usual_high"),
)


def verdicts_frame(cells: Cells, judgement: Judgement) -> pd.DataFrame:
    """Return one row per factor, or per level of a factor with more than two.

    The effect is the mean over the settings that were compared. For a factor that depends on
    another one, this mean is a number of the table, not a claim. p is that of the verdict's own
    claim, or else that of the mean. `usual_low` and `usual_high` are the interval without a
    correction for seeds that were added after a look; in other studies they are `low` and `high`.

    Args:
        cells: The outcome.
        judgement: The verdicts and the numbers behind them.
    """
    margin = cells.plan["outcome"].get("smallest_effect")
    rows = []
    for term in cells.design.compared:
        numbers, word = judgement.numbers[term.name], judgement.verdicts[term.name]
        mine = [claim for claim in judgement.claims if claim.subject == term.name]
        mine += [
            c
            for c in judgement.claims
            if c.kind == "depends" and term.name in c.subject.split(" × ")
        ]

        seeds = max(numbers.n, len(cells.effects(term)))
        p = next((claim.p_adjusted for claim in mine if claim.word == word), numbers.p_adjusted)
        rows.append(
            (
                *(term.name, word, numbers.estimate, numbers.low, numbers.high, p, seeds),
                *(
                    math.nan if margin is None else float(margin),
                    _detectable(cells, judgement, term),
                ),
                " ".join(claim.id for claim in mine),
                *_usual(cells, judgement, term),
            )
        )
    return pd.DataFrame(rows, columns=list(VERDICTS))


def _usual(cells: Cells, judgement: Judgement, term: Term) -> tuple[float, float]:
    """Return the interval that ignores that seeds were added after a look."""
    numbers = judgement.numbers[term.name]
    if not cells.rule.peeked or not math.isfinite(numbers.estimate):
        return numbers.low, numbers.high
    interval = effect_interval(cells, list(cells.effects(term).values()), judgement.alpha)
    return interval.low, interval.high


def _detectable(cells: Cells, judgement: Judgement, term: Term) -> float:
    """Return the smallest effect that these seeds and this spread would show in 8 of 10 studies."""
    numbers = judgement.numbers[term.name]
    if numbers.n < FEWEST_SEEDS or not np.isfinite(numbers.se) or judgement.level <= 0:
        return math.nan
    if numbers.se == 0:
        return 0.0 if numbers.estimate == 0 else math.nan
    return cells.shown(
        detectable_sds(numbers.n, judgement.level) * numbers.se * math.sqrt(numbers.n)
    )


def differences_frame(cells: Cells) -> pd.DataFrame:
    """Return the effect of each change in each seed, or network, with a column of that name."""
    rows = [
        (term.name, unit, cells.shown(effect))
        for term in cells.design.compared
        for unit, effect in cells.effects(term).items()
    ]
    return pd.DataFrame(rows, columns=["factor", cells.unit, "effect"])


def idle(cells: Cells) -> tuple[str, ...]:
    """Return the changes that did nothing.

    Any two trials with the same seed that differ in such a change alone end with identical values.
    """
    return tuple(term.name for term in cells.design.compared if _all_identical(cells, term))


def _all_identical(cells: Cells, term: Term) -> bool:
    """Return whether all pairs of cells have identical outcomes in every seed that has both.

    Without such a seed the answer is False.
    """
    apart = [(a, b) for a, b in pairs(term.blocks) if a != b]
    if not apart:
        return False
    values = cells.trials_by_seed.values
    level, first = (values[:, [pair[side] for pair in apart]] for side in (0, 1))
    both = np.isfinite(level) & np.isfinite(first)
    return bool(both.any() and (level[both] == first[both]).all())
