"""An effect in percent of the first level, by the delta method."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.claims.estimates import Estimates
from reports.claims.percent import relative
from tests.reports.claims.made import trials_of

FIRST = np.array([1.00, 1.05, 0.98, 1.02, 1.01])
EFFECT = np.array([0.21, 0.19, 0.24, 0.20, 0.22])
ROW = np.array([-1.0, 1.0])


def numbers(
    first: np.ndarray, effect: np.ndarray, worse: float = 1.0, log: bool = False
) -> dict[str, float]:
    trials = trials_of(np.column_stack([first, first + effect]))
    return relative(trials, ROW, Estimates.of(trials, ROW), 0, worse, log, 0.05)


def test_percent_is_a_ratio_of_means_with_its_interval() -> None:
    found = numbers(FIRST, EFFECT)
    ratio = EFFECT.mean() / FIRST.mean()
    rest = (EFFECT - ratio * FIRST) / FIRST.mean()
    half = stats.t.isf(0.025, 4) * rest.std(ddof=1) / math.sqrt(5)
    assert found["percent"] == pytest.approx(100 * ratio)
    assert found["percent_low"] == pytest.approx(100 * (ratio - half))
    assert found["percent_high"] == pytest.approx(100 * (ratio + half))


def test_a_higher_outcome_that_falls_has_a_negative_percent() -> None:
    """Values have + for worse, so that an accuracy of 0.8 is -0.8 there."""
    found = numbers(-FIRST, EFFECT, worse=-1.0)
    assert found["estimate"] == pytest.approx(-EFFECT.mean())
    assert found["percent"] == pytest.approx(-100 * EFFECT.mean() / FIRST.mean())
    assert found["low"] < found["estimate"] < found["high"]


def test_no_percent_of_a_mean_near_zero() -> None:
    found = numbers(FIRST - 1.0, EFFECT)
    assert math.isnan(found["percent"])
    assert found["estimate"] == pytest.approx(EFFECT.mean())


def test_on_a_log_scale_effects_are_ratios() -> None:
    found = numbers(np.log(FIRST), np.log1p(EFFECT), log=True)
    assert found["estimate"] == pytest.approx(math.expm1(np.log1p(EFFECT).mean()))
    assert found["percent"] == pytest.approx(100 * found["estimate"])
