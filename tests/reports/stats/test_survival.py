"""Figures of lifelines 0.30.3, made in an environment of its own, and statsmodels on the same
arrays."""

import math

import numpy as np
import pytest

from reports.stats.survival import kaplan_meier, restricted_mean, stratified_logrank

TIMES = [150, 200, 200, 250, 300, 400, 400, 400, 100, 150, 150, 200, 250, 300, 400, 400]
EVENTS = [
    True,
    True,
    True,
    False,
    True,
    False,
    False,
    True,
    True,
    True,
    False,
    True,
    True,
    True,
    False,
    True,
]
SECOND = [False] * 8 + [True] * 8
SEEDS = [0, 1, 2, 3] * 4


def split(second):
    """Steps of events and of censoring of one group."""
    own = [(t, e) for t, e, g in zip(TIMES, EVENTS, SECOND, strict=True) if g == second]
    return [t for t, e in own if e], [t for t, e in own if not e]


def test_kaplan_meier_and_restricted_mean_are_lifelines():
    known = {
        False: ([0.875, 0.625, 0.46875, 0.3125], 279.6875),
        True: ([0.875, 0.75, 0.6, 0.45, 0.3, 0.15], 248.75),
    }
    for second, (shares, mean) in known.items():
        assert kaplan_meier(*split(second))[1] == pytest.approx(shares, abs=1e-9)
        assert restricted_mean(*split(second), until=350) == pytest.approx(mean, abs=1e-9)


def test_without_strata_log_rank_is_lifelines():
    found = stratified_logrank(TIMES, EVENTS, SECOND, [0] * 16)
    assert found.statistic == pytest.approx(0.6353217571137608, abs=1e-9)
    assert found.p == pytest.approx(0.425409951333074, abs=1e-9)


def test_stratified_log_rank_is_statsmodels():
    from statsmodels.duration.survfunc import survdiff

    found = stratified_logrank(TIMES, EVENTS, SECOND, SEEDS)
    known = survdiff(
        np.array(TIMES), np.array(EVENTS).astype(int), np.array(SECOND), strata=np.array(SEEDS)
    )
    assert (found.statistic, found.p) == pytest.approx(known, abs=1e-9)


def test_nobody_degraded():
    assert kaplan_meier([], [400.0]) == ((), ())
    assert restricted_mean([], [400.0], until=400) == 400
    assert math.isnan(stratified_logrank([400, 400], [False, False], [False, True], [0, 0]).p)
