"""Time to degradation: restricted mean, and the log-rank test stratified by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import CensoredData, chi2, ecdf


def kaplan_meier(
    events: Sequence[float], censored: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Steps at which something happened, increasing, and the share that survives each; empty
    without an event."""
    if not events:
        return (), ()
    curve = ecdf(CensoredData(uncensored=np.asarray(events), right=np.asarray(censored))).sf
    steps = sorted(set(events))
    return tuple(steps), tuple(float(share) for share in curve.evaluate(np.asarray(steps)))


def restricted_mean(events: Sequence[float], censored: Sequence[float], until: float) -> float:
    """Mean steps without an event, counted up to the step `until`: the area under the Kaplan-Meier
    curve."""
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
        observed: events in the second group.
        expected: events it would have, were both groups alike.
        statistic: squared difference over its variance; nan where nothing could be compared.
        p: two-sided, from chi-square with one degree of freedom; nan where nothing could be
            compared.
    """

    observed: float
    expected: float
    statistic: float
    p: float


def stratified_logrank(
    times: Sequence[float], events: Sequence[bool], second: Sequence[bool], strata: Sequence[int]
) -> LogRank:
    """Log-rank test (Mantel-Haenszel) that compares trials only with trials of the same stratum.

    Args:
        times: steps until the event, or until the watch ended; (N,).
        events: whether the event was seen; divergence is one.
        second: whether the trial belongs to the second group.
        strata: seeds; trials are compared within one.
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
            observed += int((happened & group).sum())
            expected += d * n_second / n
            if n > 1:
                variance += d * (n_second / n) * (1 - n_second / n) * (n - d) / (n - 1)
    if variance == 0:
        return LogRank(observed, expected, float("nan"), float("nan"))
    statistic = (observed - expected) ** 2 / variance
    return LogRank(observed, expected, statistic, float(chi2.sf(statistic, 1)))
