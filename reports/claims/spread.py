"""Whether the spread over seeds grows with the mean: then a log scale fits the outcome better.

This is advice for the next study, not a claim: the thresholds are rules of thumb.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from reports.claims.estimates import FEWEST_SEEDS

FEWEST_ARMS = 3
"""With fewer arms, or fewer than `FEWEST_SEEDS` values in an arm, a growing spread may be noise."""

SLOPE = 0.5
SLOPE_ARMS = 4
SPAN = 2.0
"""Slope of log sd on log mean from which on spreads grow, over so many arms whose means span this
factor."""

RATIO = 5.0
RANK = 0.7
"""Or the largest sd is more than so many times the smallest, and sds rank as means do."""


class ArmSpread(NamedTuple):
    """An arm's mean and standard deviation over seeds.

    Attributes:
        cell: its column among the values.
        mean: above 0.
        sd: above 0, in the outcome's unit.
        log_sd: standard deviation of the logarithms.
    """

    cell: int
    mean: float
    sd: float
    log_sd: float


@dataclass(frozen=True)
class Spread:
    """Spreads that grow with means.

    Attributes:
        narrow: the arm with the smallest standard deviation.
        wide: the arm with the largest one.
        slope: of log sd on log mean over the arms: 0 for equal sds, 1 for sds in proportion.
        rank: Spearman's correlation of sds and means.
        arms: how many arms count.
        log_low: smallest standard deviation of the logarithms.
        log_high: largest one.
    """

    narrow: ArmSpread
    wide: ArmSpread
    slope: float
    rank: float
    arms: int
    log_low: float
    log_high: float


def growing_spread(values: np.ndarray) -> Spread | None:
    """Return how spreads grow with means, or None where they don't, or no log scale is possible.

    Args:
        values: (seeds, cells) outcomes in their own unit; nan where there is none.
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

    logs = [arm.log_sd for arm in arms]
    evened = max(logs) / min(logs) < sds.max() / sds.min()
    if not (steep or far) or not evened:
        return None
    by_sd = sorted(arms, key=lambda arm: arm.sd)
    return Spread(by_sd[0], by_sd[-1], slope, rank, len(arms), min(logs), max(logs))


def _arms(values: np.ndarray) -> list[ArmSpread]:
    """The arms with enough values that are not all equal."""
    found = []
    for cell, column in enumerate(values.T):
        own = column[np.isfinite(column)]
        if len(own) >= FEWEST_SEEDS and np.ptp(own) > 0:
            sd, log_sd = np.std(own, ddof=1), np.std(np.log(own), ddof=1)
            found.append(ArmSpread(cell, float(own.mean()), float(sd), float(log_sd)))
    return found
