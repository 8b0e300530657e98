"""How many seeds to plan with; the power of the t test itself is tested with paired differences."""

import numpy as np
import pytest
from scipy import stats

from reports.stats.power import (
    SeedsWanted,
    power,
    seeds_needed,
    seeds_wanted,
    upper_sd,
)


@pytest.mark.parametrize("confidence", [0.7, 0.9])
def test_the_upper_limit_covers_the_true_spread(confidence):
    sds = np.random.default_rng(0).standard_normal((20_000, 5)).std(axis=1, ddof=1)
    factor = upper_sd(1.0, 5, confidence)
    assert np.mean(sds * factor >= 1) == pytest.approx(confidence, abs=0.01)


@pytest.mark.parametrize(
    ("n", "seen", "headline", "mean_power"),
    [(5, 12, 19, 0.84), (7, 13, 18, 0.85), (10, 13, 17, 0.86)],
)
def test_seeds_advised_after_pilots_have_the_promised_power(n, seen, headline, mean_power):
    """Over the quantiles of a pilot's spread, for a true spread of 1 and one of three factors."""
    alpha = 0.05 / 3
    assert seeds_needed(1.0, 1.0, alpha=alpha) == 14
    sds = np.sqrt(stats.chi2.ppf((np.arange(40) + 0.5) / 40, n - 1) / (n - 1))
    found = [seeds_wanted(float(sd), n, 1.0, alpha) for sd in sds]
    assert np.median([f.n_low for f in found]) == pytest.approx(seen, abs=1)
    assert np.median([f.n_headline for f in found]) == pytest.approx(headline, abs=1)
    real = [power(f.n_headline, 1.0, 1.0, alpha) for f in found]
    assert np.mean(real) == pytest.approx(mean_power, abs=0.015)


def test_the_numbers_grow_with_the_limit_of_the_spread():
    found = seeds_wanted(1.0, 5, 1.0, 0.05)
    assert found.n_low < found.n_headline < found.n_high
    assert found.n_low == seeds_needed(1.0, 1.0)
    assert seeds_wanted(1.0, 5, 1.0, 0.025, sides=1) == found
    assert seeds_wanted(0.0, 5, 1.0, 0.05) == SeedsWanted(3, 3, 3)
    assert seeds_wanted(1.0, 5, 1e-6, 0.05) == SeedsWanted(None, None, None)


def test_three_seeds_say_too_little():
    assert seeds_wanted(1.0, 3, 1.0, 0.05) is None
