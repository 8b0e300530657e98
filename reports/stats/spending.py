"""Levels for planned looks: each look may spend a part of the chance of a false alarm."""

import itertools
import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from scipy import stats

STUDIES = 1_000_000
"""Number of simulated studies; a level has a relative error of about 1 / sqrt(level * STUDIES)."""

SPENDING: Mapping[str, Callable[[float, float], float]] = {
    "even": lambda share, alpha: alpha * math.log1p((math.e - 1) * share),
    "middle": lambda share, alpha: alpha * share**2,
    "late": lambda share, alpha: 2 * float(stats.norm.sf(_two_sided(alpha) / math.sqrt(share))),
}
"""Chance of a false alarm that may be spent up to a share (0, 1] of all seeds.

`even` is Pocock's function, `late` that of O'Brien & Fleming, and `middle` lies between them.
"""


@lru_cache(maxsize=4096)
def look_levels(looks: tuple[int, ...], alpha: float, spend: str) -> tuple[float, ...]:
    """Return the level of the two-sided t test at each look.

    A study without effect that stops at the first look with `p < level` is a false alarm in `alpha`
    of cases. This is the alpha spending of Lan & DeMets (1983, doi:10.1093/biomet/70.3.659). The
    levels of the t test are simulated, because those for a known variance are wrong at few seeds.
    Levels for one-sided tests at `a` are half of those for `2 * a`.

    Args:
        looks: Increasing numbers of seeds, from 2 on, fixed before the first trial.
        alpha: Chance of a false alarm over all looks, in (0, 1).
        spend: A name in `SPENDING`: `even` stops early, `late` saves most for the last look.

    Returns:
        One level per look; 0 where less than one in `STUDIES` may be spent.

    Raises:
        ValueError: The looks don't increase, `alpha` isn't in (0, 1), or `spend` is unknown.
    """
    if spend not in SPENDING:
        raise ValueError(f"spending is one of {', '.join(SPENDING)}, not {spend}")
    if not 0 < alpha < 1:
        raise ValueError(f"the level of a test lies between 0 and 1, not at {alpha}")
    simulated = _simulated_t(tuple(looks))

    # The first look's level is exact. Later ones are quantiles of the studies still running.
    levels, used, running = [], 0.0, np.ones(STUDIES, dtype=bool)
    for index, n in enumerate(looks):
        available = SPENDING[spend](n / looks[-1], alpha) - used
        if index == 0:
            limit = float(stats.t.isf(available / 2, n - 1))
        else:
            limit = _upper_quantile(simulated[index][running], round(available * STUDIES))

        stopped = running & (simulated[index] > limit)
        levels.append(2 * float(stats.t.sf(limit, n - 1)))
        used += available if index == 0 else float(stopped.mean())
        running &= ~stopped
    return tuple(levels)


@lru_cache(maxsize=4)
def _simulated_t(looks: tuple[int, ...]) -> np.ndarray:
    """Simulate absolute t statistics of studies without effect: (looks, STUDIES), fixed seed."""
    if not looks or looks[0] < 2 or any(b <= a for a, b in itertools.pairwise(looks)):
        raise ValueError(f"looks must be increasing numbers of seeds from 2 on, not {list(looks)}")

    rng = np.random.default_rng(1977)
    total, squares, rows = np.zeros(STUDIES), np.zeros(STUDIES), []
    for n in range(1, looks[-1] + 1):
        values = rng.standard_normal(STUDIES)
        total += values
        squares += values**2
        if n in looks:
            variance = (squares - total**2 / n) / (n - 1)
            rows.append((np.abs(total) / np.sqrt(n * variance)).astype(np.float32))
    return np.stack(rows)


def _upper_quantile(values: np.ndarray, count: int) -> float:
    """Return the limit that `count` of the values exceed; infinite if `count` is 0."""
    if count < 1:
        return math.inf
    position = len(values) - count - 1
    return float(np.partition(values, position)[position])


def _two_sided(alpha: float) -> float:
    """Return the normal quantile that `alpha / 2` of values exceed."""
    return float(stats.norm.isf(alpha / 2))
