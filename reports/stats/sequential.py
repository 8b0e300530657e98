"""Adding seeds until the verdict is reached, at a level that keeps the answer valid (Pocock's rule for the t test)."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def cumulative_p(values: np.ndarray, looks: Sequence[int]) -> np.ndarray:
    """Two-sided p of the t test over the first n values, for each look n.

    Args:
        values: (studies, seeds) paired differences in the order of their seeds.
        looks: increasing numbers of seeds, 2 or more each.

    Returns:
        (studies, looks).
    """
    columns = [stats.ttest_1samp(values[:, :n], 0.0, axis=1).pvalue for n in looks]
    return np.stack(columns, axis=1)


def nominal_level(looks: Sequence[int], rng: np.random.Generator, alpha: float = 0.05, studies: int = 40_000) -> float:
    """The level to test at on each look so that a study without effect is ever called significant in alpha of cases.

    By simulation of normal differences. Use it in place of alpha for the tests, and 1 minus it for the intervals.

    Args:
        looks: increasing numbers of seeds at which one looks, fixed before the runs.
        rng: owner of the simulation's randomness.
        alpha: chance of a false alarm over all looks.
        studies: simulated ones; the error of the level is about alpha / sqrt(alpha * studies).

    Raises:
        ValueError: looks are not increasing, or start below 2 seeds.
    """
    if not looks or looks[0] < 2 or any(b <= a for a, b in itertools.pairwise(looks)):
        raise ValueError(f"looks must be increasing numbers of seeds from 2 on, not {list(looks)}")
    smallest = cumulative_p(rng.standard_normal((studies, looks[-1])), looks).min(axis=1)
    return float(np.quantile(smallest, alpha))


def family_level(looks: Sequence[int], tests: int, rng: np.random.Generator, studies: int = 200_000) -> float:
    """The level of Holm's correction over so many tests at each look, for a chance of 0.05 of any false alarm at all.

    Holm asks the smallest p for level / tests, so that is what must hold over the looks; for larger ones, and for a
    single interval, the same level is a little stricter than needed.

    Args:
        looks: increasing numbers of seeds at which one looks.
        tests: factors, or levels of factors, that are judged.
        rng: owner of the simulation's randomness.
        studies: simulated ones.

    Returns:
        The level, rounded down to four digits after the point.
    """
    return math.floor(1e4 * tests * nominal_level(looks, rng, 0.05 / tests, studies)) / 1e4
