"""How many seeds to plan with; the power of the t test itself is tested with paired differences."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.stats.power import (
    SeedsWanted,
    equivalence_power,
    power,
    seeds_for_equivalence,
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


@pytest.mark.parametrize(("n", "sd", "level"), [(5, 0.5, 0.05), (8, 0.7, 0.0133)])
def test_power_of_equivalence_is_that_of_simulated_studies(n, sd, level):
    x = sd * np.random.default_rng(0).standard_normal((40_000, n))
    half = stats.t.isf(level, n - 1) * x.std(axis=1, ddof=1) / math.sqrt(n)
    shown = np.mean(np.abs(x.mean(axis=1)) + half < 1)
    assert equivalence_power(n, sd, 1.0, level) == pytest.approx(shown, abs=0.01)


def test_seeds_for_equivalence_are_the_first_that_reach_it():
    n = seeds_for_equivalence(0.6, 1.0, 0.01)
    assert equivalence_power(n, 0.6, 1.0, 0.01) >= 0.8 > equivalence_power(n - 1, 0.6, 1.0, 0.01)
    assert seeds_for_equivalence(0.0, 1.0, 0.01) == 3
    assert seeds_for_equivalence(1.0, 1e-3, 0.01) is None
    with pytest.raises(ValueError, match="margin"):
        seeds_for_equivalence(1.0, 0.0, 0.01)
