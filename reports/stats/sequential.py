"""Adding seeds until the verdict is reached, at a level that keeps the answer valid (Pocock's rule for the t test)."""

import itertools
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
