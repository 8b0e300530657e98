"""How many seeds decide it: power of the paired t test, from a pilot's spread."""

from functools import cache

from scipy import stats
from scipy.optimize import brentq

MOST_SEEDS = 1000
"""Seeds beyond which nobody would run a study."""


def power(n: int, sd: float, effect: float, alpha: float = 0.05) -> float:
    """Probability that n paired seeds show an effect as significant, two-sided.

    Args:
        n: seeds, 2 or more.
        sd: standard deviation over seeds of the paired difference, above 0.
        effect: true mean difference, in the unit of sd.
        alpha: level of the test; divide it by the number of factors to plan for Holm at its strictest.

    Raises:
        ValueError: fewer than two seeds or no spread.
    """
    if n < 2 or not sd > 0:
        raise ValueError(f"power needs two seeds and a spread above 0, not {n} and {sd}")
    limit = float(stats.f.isf(alpha, 1, n - 1))  # the square of the t test's; scipy's noncentral t is nan in places
    return float(stats.ncf.sf(limit, 1, n - 1, n * (effect / sd) ** 2))


@cache
def detectable_sds(n: int, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """The effect, in standard deviations of the paired difference, that n seeds show with the wanted power.

    Args:
        n: seeds, 2 or more.
        alpha: level of the test, see `power`.
        wanted: power in (alpha, 1).
    """
    high = 1.0
    while power(n, 1.0, high, alpha) < wanted:
        high *= 2
    return float(brentq(lambda effect: power(n, 1.0, effect, alpha) - wanted, 1e-9, high))


def seeds_needed(sd: float, effect: float, wanted: float = 0.8, alpha: float = 0.05) -> int | None:
    """The fewest seeds that show an effect with the wanted power; None when `MOST_SEEDS` are too few.

    Args:
        sd: standard deviation over seeds of the paired difference (a pilot's, or an earlier study's).
        effect: the effect to be found, such as the smallest that matters; not 0.
        wanted: power in (0, 1).
        alpha: level of the test, see `power`.

    Raises:
        ValueError: the effect is 0.
    """
    if effect == 0:
        raise ValueError("no number of seeds shows an effect of 0")
    if sd == 0:
        return 2
    low, high = 2, MOST_SEEDS
    if power(high, sd, effect, alpha) < wanted:
        return None
    while low < high:
        middle = (low + high) // 2
        if power(middle, sd, effect, alpha) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low
