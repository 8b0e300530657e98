import numpy as np
import pytest

from reports.stats.resolution import as_share, resolution, variance_floor


@pytest.mark.parametrize("k", [16, 64, 1000])
def test_shares_of_k_things_have_the_step_of_one(k):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        step = resolution(rng.binomial(k, 0.7, size=20) / k)
        found.append(step is not None and as_share(step))
    assert np.mean(np.array(found) == k) > 0.9


def test_32_bit_shares_and_counts_have_their_step():
    assert resolution(np.float32([0.1, 0.3, 0.2, 0.7])) == pytest.approx(0.1, rel=1e-6)
    assert as_share(resolution(np.float32([0.37, 0.38, 0.62, 0.11]))) == 100
    assert resolution(np.array([400.0, 150, 200, 300, np.nan])) == pytest.approx(50)


def test_few_values_with_ties_have_a_step_though_not_a_lone_pair():
    assert resolution(np.array([0.5, 0.5625, 0.5, 0.5])) == pytest.approx(0.0625)
    assert resolution(np.array([0.5, 0.5625])) is None


@pytest.mark.parametrize("n", [2, 3, 4, 5, 10, 40])
@pytest.mark.parametrize("copies", [1, 2])
def test_continuous_values_have_none_even_if_equal_in_pairs(n, copies):
    rng = np.random.default_rng(n)
    values = [np.repeat(rng.random(n), copies) for _ in range(500)]
    assert sum(resolution(v) is not None for v in values) <= 2


@pytest.mark.parametrize("values", [[], [0.3], [0.3, 0.3, 0.1 + 0.2], [np.nan, np.inf]])
def test_a_single_value_has_none(values):
    assert resolution(np.array(values)) is None


@pytest.mark.parametrize(("step", "k"), [(0.0625, 16), (1 / 3, 3), (0.03, None), (1.0, None)])
def test_shares(step, k):
    assert as_share(step) == k


def test_the_floor_of_a_share_is_the_spread_of_binomial_seeds():
    weights, p = np.array([-0.5, 0.5, -0.5, 0.5]), np.array([0.5, 0.7, 0.8, 0.95])
    rounds = np.random.default_rng(0).binomial(16, p, size=(100_000, 4)) / 16
    floor = variance_floor(weights, p, 1 / 16, 16)
    assert floor == pytest.approx((rounds @ weights).var(), rel=0.02)


def test_the_floor_of_another_step_is_that_of_rounding():
    weights = np.array([-1.0, 1.0, 0.0])
    values = np.random.default_rng(0).normal(5, 2, size=(100_000, 3))
    lost = np.round(values / 0.1) * 0.1 - values
    floor = variance_floor(weights, np.array([5.0, 5.0, np.nan]), 0.1, None)
    assert floor == pytest.approx((lost @ weights).var(), rel=0.02)
    assert floor == pytest.approx(0.1**2 / 6)
