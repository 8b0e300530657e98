"""Whether the spread over seeds grows with the mean, so that a log scale fits the outcome better.

This is advice for the next study, not a claim: the thresholds are rules of thumb.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from reports.claims.estimates import FEWEST_SEEDS

FEWEST_ARMS = 3
"""Arms with `FEWEST_SEEDS` values or more below which a growing spread may be noise."""

SLOPE = 0.5
SLOPE_ARMS = 4
SPAN = 2.0
"""First sign of growing spreads: a slope of log sd on log mean above `SLOPE`.

It counts with at least `SLOPE_ARMS` arms, the largest mean of which is `SPAN` times the smallest.
"""

RATIO = 5.0
RANK = 0.7
"""Second sign: the largest sd is over `RATIO` times the smallest, and sds rank as means do.

Spearman's correlation of sds and means must reach `RANK`.
"""


class ArmSpread(NamedTuple):
    """Mean and standard deviation of an arm over seeds.

    Attributes:
        cell: Column of the arm among the values.
        mean: Mean over seeds, above 0.
        sd: Standard deviation, above 0, in the outcome's unit.
        log_sd: Standard deviation of the logarithms.
    """

    cell: int
    mean: float
    sd: float
    log_sd: float


@dataclass(frozen=True)
class Spread:
    """Spreads that grow with means.

    Attributes:
        narrow: The arm with the smallest standard deviation.
        wide: The arm with the largest one.
        slope: Slope of log sd on log mean over the arms: 0 for constant sds, 1 for sds in
            proportion to means.
        rank: Spearman's correlation of sds and means.
        arms: Number of arms that count.
        log_low: Smallest standard deviation of the logarithms.
        log_high: Largest one.
    """

    narrow: ArmSpread
    wide: ArmSpread
    slope: float
    rank: float
    arms: int
    log_low: float
    log_high: float


def growing_spread(values: np.ndarray) -> Spread | None:
    """Return how spreads grow with means.

    Args:
        values: (seeds, cells) outcomes in their own unit; nan where there is none.

    Returns:
        The spreads; None if they don't grow, or if a log scale is impossible or wouldn't help.
    """
    known = values[np.isfinite(values)]
    if not known.size or not (known > 0).all():
        return None

    arms = _arms(values)
    if len(arms) < FEWEST_ARMS:
        return None

    means, sds = np.array([(arm.mean, arm.sd) for arm in arms]).T
    if np.ptp(means) == 0 or np.ptp(sds) == 0:
        return None

    # Means that differ by rounding alone have no slope that could be fitted.
    log_means, log_sds = np.log(means), np.log(sds)
    spans = np.ptp(log_means) > 1e-9
    slope = float(stats.linregress(log_means, log_sds).slope) if spans else 0.0
    rank = float(stats.spearmanr(means, sds).statistic)
    steep = slope > SLOPE and len(arms) >= SLOPE_ARMS and means.max() >= SPAN * means.min()
    far = sds.max() > RATIO * sds.min() and rank >= RANK

    # Logarithms are advised only if they make the spreads of the arms more alike.
    logs = [arm.log_sd for arm in arms]
    evened = max(logs) / min(logs) < sds.max() / sds.min()
    if not (steep or far) or not evened:
        return None

    by_sd = sorted(arms, key=lambda arm: arm.sd)
    return Spread(by_sd[0], by_sd[-1], slope, rank, len(arms), min(logs), max(logs))


def _arms(values: np.ndarray) -> list[ArmSpread]:
    """Return the arms with enough values that are not all the same."""
    arms = []
    for cell, column in enumerate(values.T):
        own = column[np.isfinite(column)]
        if len(own) >= FEWEST_SEEDS and np.ptp(own) > 0:
            sd, log_sd = np.std(own, ddof=1), np.std(np.log(own), ddof=1)
            arms.append(ArmSpread(cell, float(own.mean()), float(sd), float(log_sd)))
    return arms
