"""Number of seeds that decides a study: power of the paired t test, from a pilot's spread."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from scipy import stats
from scipy.optimize import brentq

MOST_SEEDS = 1000
"""Seeds beyond which nobody would run a study."""

LEAST_PILOT = 4
"""Seeds of a pilot below which its spread is too uncertain to plan with."""

LEAST_SEEDS = 3
"""Seeds from which a study gives verdicts."""

HEADLINE, CAUTIOUS = 0.7, 0.9
"""Confidence of the spread behind the number of seeds to plan with, and behind the largest."""


def power(n: int, sd: float, effect: float, alpha: float = 0.05) -> float:
    """Return the probability that n paired seeds show an effect as significant, two-sided.

    Args:
        n: Seeds, 2 or more.
        sd: Standard deviation over seeds of the paired difference, above 0.
        effect: True mean difference, in the unit of `sd`.
        alpha: Level of the test. Divide it by the number of factors to plan for Holm's strictest
            step.

    Raises:
        ValueError: Fewer than two seeds, or no spread.
    """
    if n < 2 or not sd > 0:
        raise ValueError(f"power needs two seeds and a spread above 0, not {n} and {sd}")

    # F is the square of t. SciPy's noncentral t is nan in places, its noncentral F is not.
    limit = float(stats.f.isf(alpha, 1, n - 1))
    return float(stats.ncf.sf(limit, 1, n - 1, n * (effect / sd) ** 2))


@cache
def detectable_sds(n: int, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """Return the effect, in standard deviations, that n seeds show with the wanted power.

    Args:
        n: Seeds, 2 or more.
        alpha: Level of the test, see `power`.
        wanted: Power in (alpha, 1).

    Returns:
        The effect in standard deviations of the paired difference.
    """
    # Double the effect until it is found often enough, so that the root lies below.
    high = 1.0
    while power(n, 1.0, high, alpha) < wanted:
        high *= 2
    return float(brentq(lambda effect: power(n, 1.0, effect, alpha) - wanted, 1e-9, high))


def seeds_needed(sd: float, effect: float, wanted: float = 0.8, alpha: float = 0.05) -> int | None:
    """Return the fewest seeds that show an effect with the wanted power.

    Args:
        sd: Standard deviation over seeds of the paired difference, from a pilot or an earlier
            study.
        effect: The effect to be found, such as the smallest that matters; not 0.
        wanted: Power in (0, 1).
        alpha: Level of the test, see `power`.

    Returns:
        The number of seeds; None when `MOST_SEEDS` are too few.

    Raises:
        ValueError: The effect is 0.
    """
    if effect == 0:
        raise ValueError("no number of seeds shows an effect of 0")
    if sd == 0:
        return 2
    return _fewest(lambda n: power(n, sd, effect, alpha) >= wanted, 2)


def upper_sd(sd: float, n: int, confidence: float) -> float:
    """Return the upper confidence limit of a normal standard deviation, by chi-square.

    Args:
        sd: Standard deviation of n values.
        n: Number of values, 2 or more.
        confidence: One-sided confidence in (0, 1).
    """
    return sd * math.sqrt((n - 1) / float(stats.chi2.ppf(1 - confidence, n - 1)))


@dataclass(frozen=True)
class SeedsWanted:
    """Numbers of seeds for 80% power; None means more than `MOST_SEEDS`.

    Attributes:
        n_headline: With the 70% limit of the spread. Over pilots the mean power is then 80 to 86%.
        n_low: With the observed spread; too few on average.
        n_high: With the 90% limit of the spread.
    """

    n_headline: int | None
    n_low: int | None
    n_high: int | None


def seeds_wanted(
    sd: float,
    n: int,
    effect: float,
    alpha: float,
    sides: int = 2,
) -> SeedsWanted | None:
    """Return how many seeds would show an effect in 8 of 10 studies, judged by a pilot's spread.

    Args:
        sd: Standard deviation over the pilot's seeds of the paired difference.
        n: Seeds of the pilot.
        effect: True effect to be found, in the unit of `sd`; not 0.
        alpha: Level of the test.
        sides: 2, or 1 for a one-sided test at `alpha`.

    Returns:
        The numbers, `LEAST_SEEDS` or more; None if the pilot has fewer than `LEAST_PILOT` seeds.

    Raises:
        ValueError: The effect is 0.
    """
    if n < LEAST_PILOT:
        return None

    def needed(spread: float) -> int | None:
        # A two-sided test at twice the level serves as the one-sided test: at the powers that
        # matter here, it almost never rejects in the wrong direction.
        seeds = seeds_needed(spread, effect, alpha=alpha if sides == 2 else 2 * alpha)
        return None if seeds is None else max(seeds, LEAST_SEEDS)

    return SeedsWanted(
        n_headline=needed(upper_sd(sd, n, HEADLINE)),
        n_low=needed(sd),
        n_high=needed(upper_sd(sd, n, CAUTIOUS)),
    )


def _fewest(enough: Callable[[int], bool], least: int) -> int | None:
    """Return the smallest number of seeds from `least` on that is enough, by bisection."""
    low, high = least, MOST_SEEDS
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
