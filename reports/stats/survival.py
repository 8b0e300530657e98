"""Time to degradation: restricted mean, and the log-rank test stratified by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import CensoredData, chi2, ecdf


def kaplan_meier(
    events: Sequence[float], censored: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the steps with an event, increasing, and the share that survives each of them.

    Args:
        events: Steps of the trials with an event.
        censored: Steps at which the other trials were last observed.

    Returns:
        `(steps, shares)`; both empty without an event.
    """
    if not events:
        return (), ()
    curve = ecdf(CensoredData(uncensored=np.asarray(events), right=np.asarray(censored))).sf
    steps = sorted(set(events))
    return tuple(steps), tuple(float(share) for share in curve.evaluate(np.asarray(steps)))


def restricted_mean(events: Sequence[float], censored: Sequence[float], until: float) -> float:
    """Return the mean number of steps without an event, up to a given step.

    It is the area under the Kaplan-Meier curve.

    Args:
        events: Steps of the trials with an event.
        censored: Steps at which the other trials were last observed.
        until: The step up to which steps count.
    """
    area, level, before = 0.0, 1.0, 0.0
    for step, share in zip(*kaplan_meier(events, censored), strict=True):
        if step >= until:
            break
        area, level, before = area + level * (step - before), share, step
    return area + level * (until - before)


@dataclass(frozen=True)
class LogRank:
    """Result of a log-rank test of two groups.

    Attributes:
        observed: Events in the second group.
        expected: Events expected in the second group if both groups were alike.
        statistic: Squared difference over its variance; nan where nothing could be compared.
        p: Two-sided, from chi-square with one degree of freedom; nan where nothing could be
            compared.
    """

    observed: float
    expected: float
    statistic: float
    p: float


def stratified_logrank(
    times: Sequence[float], events: Sequence[bool], second: Sequence[bool], strata: Sequence[int]
) -> LogRank:
    """Compare two groups by the log-rank test, only among trials of the same stratum.

    The test is Mantel-Haenszel's; the second group's events are compared with those expected.

    Args:
        times: (N,) steps until the event, or until the last observation.
        events: Whether the trial had an event; divergence is one.
        second: Whether the trial belongs to the second group.
        strata: Stratum of each trial, usually its seed.
    """
    time, event = np.asarray(times, dtype=float), np.asarray(events, dtype=bool)
    group, stratum = np.asarray(second, dtype=bool), np.asarray(strata)

    observed = expected = variance = 0.0
    for value in np.unique(stratum):
        own = stratum == value
        for step in np.unique(time[own & event]):
            risk = own & (time >= step)
            happened = own & event & (time == step)
            n, n_second, d = int(risk.sum()), int((risk & group).sum()), int(happened.sum())

            # Under equal risks, d events among n trials follow a hypergeometric distribution.
            observed += int((happened & group).sum())
            expected += d * n_second / n
            if n > 1:
                variance += d * (n_second / n) * (1 - n_second / n) * (n - d) / (n - 1)

    if variance == 0:
        return LogRank(observed, expected, float("nan"), float("nan"))
    statistic = (observed - expected) ** 2 / variance
    return LogRank(observed, expected, statistic, float(chi2.sf(statistic, 1)))
