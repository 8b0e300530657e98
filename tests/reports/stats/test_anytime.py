import math

import numpy as np
import pytest
from scipy import stats

from reports.stats.anytime import sequence_half_width, sequence_p

SEEDS = np.array([4, 5, 6, 7, 8, 10, 12, 20])


@pytest.mark.parametrize(
    ("g", "ratios"),
    [
        (4.0, [2.27, 1.93, 1.84, 1.80, 1.78, 1.76, 1.75, 1.74]),
        (1.0, [math.inf, 3.04, 2.12, 1.90, 1.80, 1.71, 1.67, 1.64]),
    ],
)
def test_widths_over_the_usual_ones(g, ratios):
    usual = stats.t.isf(0.025, SEEDS - 1)
    assert sequence_half_width(1.0, SEEDS, 0.05, g) / usual == pytest.approx(ratios, abs=0.006)


def test_the_e_value_is_the_integral_of_the_likelihood_ratio():
    """The noncentral t over the central one, averaged over normal effects with variance g."""
    n, t, g = 6, 3.1, 4.0
    effects = np.linspace(-20, 20, 4001)
    ratio = stats.nct.pdf(t, n - 1, effects * math.sqrt(n)) / stats.t.pdf(t, n - 1)
    kept = np.isfinite(ratio)  # scipy's noncentral t fails far out, where the weight is 0
    weight = stats.norm.pdf(effects, scale=math.sqrt(g))
    e = np.sum(np.where(kept, ratio, 0.0) * weight) * (effects[1] - effects[0])
    assert sequence_p(t, n, g) == pytest.approx(1 / e, rel=1e-3)


@pytest.mark.parametrize("n", [5, 8, 12])
def test_p_reaches_the_level_where_the_interval_ends(n):
    half = sequence_half_width(2.0, n, 0.03)
    assert sequence_p(half / 2.0, n) == pytest.approx(0.03)
    assert sequence_p(half / 2.0 * 1.001, n) < 0.03


def test_looking_after_every_seed_errs_rarely():
    x = np.random.default_rng(0).standard_normal((20_000, 12))
    p = np.ones(len(x))
    for n in range(3, 13):
        own = x[:, :n]
        t = own.mean(axis=1) / own.std(axis=1, ddof=1) * math.sqrt(n)
        p = np.minimum(p, sequence_p(t, n))
    assert 0.014 < (p < 0.05).mean() < 0.026


def test_edges():
    found = sequence_p(np.array([0.0, math.inf, math.nan]), 500)
    assert found[0] == 1
    assert found[1] < 1e-300
    assert math.isnan(found[2])
    assert sequence_half_width(0.0, 6, 0.05) == 0
