"""Lenth's margins of error for half-normal plots of contrasts."""

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Lenth:
    """Margins of error of contrasts, by Lenth (1989, doi:10.1080/00401706.1989.10488595).

    Attributes:
        pse: Pseudo standard error, in the unit of the contrasts.
        margin: Margin of error of one contrast.
        simultaneous: Margin of error that holds for all contrasts at once.
    """

    pse: float
    margin: float
    simultaneous: float


def lenth(contrasts: np.ndarray, confidence: float = 0.95) -> Lenth:
    """Return Lenth's margins of error, which assume that most contrasts are noise.

    The pseudo standard error is 1.5 times a median of absolute contrasts. The median leaves out
    contrasts that a first such estimate shows to be large. Seeds don't enter, so the margins only
    complement the intervals over seeds, and no verdict depends on them.

    Lenth's approximation is conservative: if all contrasts are noise, 1, 2, and 4% of designs (with
    7, 15, and 31 contrasts) show one beyond the simultaneous margin at 95%.

    Args:
        contrasts: (m,) estimated contrasts of equal precision, finite, at least three.
        confidence: Confidence of both margins, in (0, 1).

    Raises:
        ValueError: Fewer than three contrasts.
    """
    sizes = np.abs(np.asarray(contrasts, dtype=float))
    if sizes.ndim != 1 or sizes.size < 3:
        raise ValueError(f"Lenth's error needs a list of three contrasts or more, not {sizes.size}")

    first = 1.5 * float(np.median(sizes))
    small = sizes[sizes < 2.5 * first]
    pse = 1.5 * float(np.median(small)) if small.size else 0.0

    freedom = sizes.size / 3
    alone, together = 1 - confidence, 1 - confidence ** (1 / sizes.size)
    margin = float(stats.t.isf(alone / 2, freedom)) * pse
    return Lenth(pse, margin, float(stats.t.isf(together / 2, freedom)) * pse)


def half_normal_scores(m: int) -> np.ndarray:
    """Return the medians of `m` sorted absolute contrasts that are noise of variance 1: (m,).

    Plot the sorted absolute contrasts against these medians: noise lies on a line through the
    origin.
    """
    rank = np.arange(1, m + 1)
    return np.asarray(stats.norm.ppf(0.5 + stats.beta.median(rank, m + 1 - rank) / 2))
