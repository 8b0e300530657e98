"""Whether a verdict depends on the method, on one seed, or on missing trials.

The same effects are tested in other ways. Where the unit is the network, "seed" stands for it here.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from reports.analysis.cells import Cells, pairs
from reports.claims.design import Term
from reports.claims.judge import judge
from reports.claims.rule import Judgement
from reports.stats.paired import Interval, holm
from reports.stats.power import seeds_wanted
from reports.stats.signflip import MOST_PAIRS, sign_flip_p

CHECKS = (
    *(
        "factor",
        "verdict",
        "effect_in_sds",
        "p_sign_flip",
        "p_sign_flip_adjusted",
        "boot_low",
        "boot_high",
    ),
    *(
        "hangs_on_seeds",
        "n_missing",
        "worst_low",
        "worst_high",
        "seeds_needed",
        "seeds_low",
        "seeds_high",
        "robust",
    ),
)
RESAMPLES = 9999
FEWEST_FOR_BOOTSTRAP = 4
"""Seeds below which a bootstrap interval of the mean is far too short to be shown."""
FEWEST_FOR_LEAVING_OUT = 4
"""Pairs below which leaving one out leaves too little to decide anything."""
DIRECTIONS = ("harms", "helps", "harms on average", "helps on average")


def checks_frame(cells: Cells, judgement: Judgement) -> pd.DataFrame:
    """Return one row per verdict with the columns `CHECKS`.

    The columns give other tests, the effect of leaving one seed out, bounds for missing trials, and
    the seeds needed.

    Args:
        cells: The outcome.
        judgement: The verdicts and the numbers behind them.
    """
    terms = cells.design.compared
    effects = {term.name: cells.effects(term) for term in terms}
    flips = [_sign_flip(list(by_seed.values())) for by_seed in effects.values()]
    without = _without_each_seed(cells)

    # The plan's hash as the seed gives the same report for the same study.
    rng = np.random.default_rng(int(str(cells.plan.get("hash", ""))[:8] or "0", 16))
    spread = _reference_spread(cells)

    rows = []
    for term, flip, adjusted in zip(terms, flips, holm(flips), strict=True):
        name, by_seed = term.name, effects[term.name]
        data, word = list(by_seed.values()), judgement.verdicts[name]
        enough = len(by_seed) >= FEWEST_FOR_LEAVING_OUT
        deciding = [str(seed) for seed, words in without.items() if enough and words[name] != word]
        missing, low, high = bounds(cells, term)
        interval = Interval.of(data, judgement.alpha)
        rows.append(
            (
                *(
                    name,
                    word,
                    cells.settled(interval.mean) / spread if spread else math.nan,
                    flip,
                    adjusted,
                ),
                *_bootstrap(cells, data, rng, judgement.alpha),
                *(" ".join(deciding), missing, low, high, *_wanted(cells, judgement, term)),
                _robust(word, deciding, enough, adjusted),
            )
        )
    return pd.DataFrame(rows, columns=list(CHECKS))


def bounds(cells: Cells, term: Term) -> tuple[int, float, float]:
    """Return the number of pairs that lack a side, and bounds of the effect if they were complete.

    A trial that failed could have ended anywhere in the range of the study's outcomes. One that
    diverged lies beyond the worst outcome, by an unknown distance, so that side is open (infinite).
    Seeds of which a trial may still end don't count.

    Args:
        cells: The outcome.
        term: A term of one change.

    Returns:
        `(missing pairs, low, high)` with bounds as readers see effects; nan if no pair is missing.
    """
    apart, worse, trials = pairs(term.blocks), cells.rule.worse, cells.trials_by_seed
    ended = ~trials.open[:, sorted({cell for pair in apart for cell in pair})].any(axis=1)
    values, diverged = trials.values[ended], trials.diverged[ended]
    known = trials.values[np.isfinite(trials.values)]
    missing = int(
        sum((~np.isfinite(values[:, [a, b]]).all(axis=1)).sum() for a, b in apart if a != b)
    )
    if not missing or not known.size:
        return missing, math.nan, math.nan

    # With + for worse, a diverged trial is at least as bad as the worst known outcome.
    least = np.where(np.isfinite(values), values, np.where(diverged, known.max(), known.min()))
    most = np.where(np.isfinite(values), values, np.where(diverged, np.inf, known.max()))

    # A cell paired with itself differs by 0, whatever its trials did.
    level, first = (np.array([pair[side] for pair in apart]) for side in (0, 1))
    same = level == first
    low = np.where(same, 0.0, least[:, level] - most[:, first]).mean()
    high = np.where(same, 0.0, most[:, level] - least[:, first]).mean()
    ends = sorted((worse * float(low), worse * float(high)))
    return missing, cells.shown(ends[0]), cells.shown(ends[1])


def _without_each_seed(cells: Cells) -> dict[int, Mapping[str, str]]:
    """Return seed -> the verdicts of the study without that seed; empty for few seeds."""
    if len(cells.units) < FEWEST_FOR_LEAVING_OUT:
        return {}
    look = (
        len([n for n in cells.rule.looks if n <= len(cells.units)]) - 1
        if cells.rule.looks
        else None
    )
    return {
        unit: judge(cells.trials.without(unit), cells.design, cells.rule, look).verdicts
        for unit in cells.units
    }


def _robust(word: str, deciding: Sequence[str], enough: bool, exact: float) -> str:
    """Rate a verdict: `firm`, `fair`, `fragile`, or empty if it can't be rated.

    A verdict is `fragile` if leaving out one seed changes it, and `fair` if only the exact test
    would. A `firm` verdict withstands both.
    """
    if not enough or word == "not enough data":
        return ""
    if deciding:
        return "fragile"
    return "fair" if word in DIRECTIONS and not exact < 0.05 else "firm"


def _reference_spread(cells: Cells) -> float:
    """Return the standard deviation over seeds of the reference, on the scale of the rule."""
    if cells.design.reference not in cells.design.index:
        return math.nan
    place = cells.design.index[str(cells.design.reference)]
    return Interval.of(cells.own[:, place].tolist()).sd


def _sign_flip(data: Sequence[float]) -> float:
    """Return p of the sign-flip test; nan where there are no seeds, or too many to enumerate."""
    return sign_flip_p(data) if 1 <= len(data) <= MOST_PAIRS else math.nan


def _bootstrap(
    cells: Cells, data: Sequence[float], rng: np.random.Generator, alpha: float
) -> tuple[float, float]:
    """Return the ends of the BCa interval of the mean; nan for few seeds or identical effects."""
    if len(data) < FEWEST_FOR_BOOTSTRAP or cells.settled(float(np.ptp(data))) == 0:
        return math.nan, math.nan
    interval = stats.bootstrap(
        (np.asarray(data),),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=1 - alpha,
        method="BCa",
        rng=rng,
    ).confidence_interval
    return cells.shown(float(interval.low)), cells.shown(float(interval.high))


def _wanted(cells: Cells, judgement: Judgement, term: Term) -> tuple[float, float, float]:
    """Return the seeds that would find an effect of the margin's size in 8 of 10 studies.

    Returns:
        `(recommended, least, most)`; nan where unknown.
    """
    numbers, margin = judgement.numbers[term.name], cells.rule.margin
    if not margin or not numbers.se > 0 or judgement.level <= 0:
        return math.nan, math.nan, math.nan

    wanted = seeds_wanted(numbers.se * math.sqrt(numbers.n), numbers.n, margin, judgement.level)
    if wanted is None:
        return math.nan, math.nan, math.nan
    counts = (wanted.n_headline, wanted.n_low, wanted.n_high)
    headline, low, high = (math.nan if n is None else float(n) for n in counts)
    return headline, low, high
