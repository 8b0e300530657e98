"""Does a verdict hang on the method, on one seed, or on trials that are missing? The same effects, asked otherwise."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from reports.stats.missing import worst_case
from reports.stats.paired import ALPHA, Interval, holm, judged
from reports.stats.power import seeds_needed
from reports.stats.signflip import MOST_PAIRS, sign_flip_p

CHECKS = (
    *("factor", "verdict", "effect_in_sds", "p_sign_flip", "p_sign_flip_adjusted", "boot_low", "boot_high"),
    *("hangs_on_seeds", "n_missing", "worst_low", "worst_high", "seeds_needed"),
)
RESAMPLES = 9999
FEWEST_FOR_BOOTSTRAP = 4
"""Seeds below which a bootstrap interval of the mean is far too short to be shown."""
FEWEST_FOR_LEAVING_OUT = 4
"""Seeds below which leaving one out leaves too little to decide anything."""

Differences = Mapping[int, float]
Sides = Sequence[tuple[float, float]]


def check_verdicts(
    values: Mapping[str, Differences],
    sides: Mapping[str, Sides],
    seen: Sequence[float],
    spread: float,
    margin: float | None,
    better: str,
    start: int,
    alpha: float = ALPHA,
) -> pd.DataFrame:
    """A row a verdict, columns `CHECKS`.

    Args:
        values: factor -> seed -> its effect.
        sides: factor -> both outcomes of each pair of cells and seed; nan where a trial has none.
        seen: all outcomes of the study: what a missing one could have been lies between the least and the largest.
        spread: standard deviation over seeds of the reference's outcome.
        margin: smallest effect that matters.
        better: `lower` or `higher`.
        start: of the bootstrap's random numbers; from the plan, so that a report can be made again.
        alpha: level of the tests.
    """
    said = judged(values, margin, better, alpha)
    flips = {name: _sign_flip(list(by_seed.values())) for name, by_seed in values.items()}
    adjusted = dict(zip(flips, holm(list(flips.values())), strict=True))
    without = _without_each_seed(values, margin, better, alpha)
    rng = np.random.default_rng(start)
    rows = []
    for name, by_seed in values.items():
        data = list(by_seed.values())
        found, _, word = said[name]
        hangs = [str(seed) for seed, others in without.items() if seed in by_seed and others[name] != word]
        missing, worst = _worst(sides[name], seen)
        rows.append(
            (
                *(name, word, found.mean / spread if spread else math.nan),
                *(flips[name], adjusted[name], *_bootstrap(data, rng, alpha)),
                *(" ".join(hangs), missing, *worst, _wanted(found, margin, alpha / len(values))),
            )
        )
    return pd.DataFrame(rows, columns=list(CHECKS))


def _without_each_seed(
    values: Mapping[str, Differences], margin: float | None, better: str, alpha: float
) -> dict[int, dict[str, str]]:
    """Seed -> factor -> verdict of the study without it; empty for few seeds."""
    seeds = sorted({seed for by_seed in values.values() for seed in by_seed})
    if len(seeds) < FEWEST_FOR_LEAVING_OUT:
        return {}
    return {
        left_out: {
            name: word for name, (_, _, word) in judged(_without(values, left_out), margin, better, alpha).items()
        }
        for left_out in seeds
    }


def _without(values: Mapping[str, Differences], seed: int) -> dict[str, Differences]:
    return {name: {s: v for s, v in by_seed.items() if s != seed} for name, by_seed in values.items()}


def _sign_flip(data: Sequence[float]) -> float:
    return sign_flip_p(data) if 1 <= len(data) <= MOST_PAIRS else math.nan


def _bootstrap(data: Sequence[float], rng: np.random.Generator, alpha: float) -> tuple[float, float]:
    """BCa interval of the mean."""
    if len(data) < FEWEST_FOR_BOOTSTRAP or len(set(data)) == 1:
        return math.nan, math.nan
    found = stats.bootstrap(
        (np.asarray(data),), np.mean, n_resamples=RESAMPLES, confidence_level=1 - alpha, method="BCa", rng=rng
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _worst(sides: Sides, seen: Sequence[float]) -> tuple[int, tuple[float, float]]:
    """Pairs that lack a side, and how far the effect could lie if they had one."""
    missing = sum(not (math.isfinite(a) and math.isfinite(b)) for a, b in sides)
    if not missing or not seen:
        return missing, (math.nan, math.nan)
    ours, theirs = zip(*sides, strict=True)
    return missing, worst_case(ours, theirs, min(seen), max(seen))


def _wanted(found: Interval, margin: float | None, alpha: float) -> float:
    """Seeds that find an effect of the size that matters in 8 of 10 studies, at Holm's strictest; nan: nobody knows."""
    if not margin or found.n < 2 or not math.isfinite(found.sd):
        return math.nan
    needed = seeds_needed(found.sd, margin, alpha=alpha)
    return math.nan if needed is None else float(needed)
