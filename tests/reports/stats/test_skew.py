import math

import numpy as np
import pytest
from scipy import stats

from reports.stats.skew import johnson_interval, johnson_t, skew_limit, skewness


def test_skewness_is_scipys_of_the_values_there_are():
    x = np.random.default_rng(0).exponential(size=(7, 4))
    x[2, 1] = x[5, 1] = np.nan
    known = stats.skew(x, nan_policy="omit")
    np.testing.assert_allclose(skewness(x), np.asarray(known), rtol=1e-12)


def test_too_few_values_and_no_spread_have_no_skewness():
    x = np.array([[1.0, 0.1], [2.0, 0.1], [np.nan, 0.1]])
    assert np.isnan(skewness(x)).all()
    assert math.isnan(skewness(np.array([0.1 + 0.2, 0.3, 0.3, 0.3])))


def bounds(x, level):
    """Johnson's bounds by walking away from the mean until the condition fails."""
    n, mean, sd, g = len(x), x.mean(), x.std(ddof=1), stats.skew(x)
    limit = stats.t.isf(level / 2, n - 1) * sd / math.sqrt(n)
    ends = []
    for sign in (-1, 1):
        steps = sign * np.arange(0, 10 * sd, sd / 2000)
        value = g * sd / (6 * n) + steps + g * steps**2 / (3 * sd)
        turned = np.append(sign * np.diff(value) < 0, False)
        ends.append(mean - steps[np.argmax((np.abs(value) > limit) | turned)])
    return min(ends), max(ends)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_t_exceeds_its_limit_outside_the_bounds_only(seed, level):
    x = np.random.default_rng(seed).lognormal(size=6)
    low, high = bounds(x, level)
    inside = np.linspace(low, high, 51)[1:-1]
    far = np.array([low - 0.01, low - 1, low - 50, high + 0.01, high + 1, high + 50])
    limit, se = stats.t.isf(level / 2, 5), x.std(ddof=1) / math.sqrt(6)
    both = johnson_t(x.mean(), se, 6, skewness(x), np.concatenate([inside, far]))
    assert (np.abs(both[:49]) <= limit).all()
    assert (np.abs(both[49:]) > limit).all()
    assert (np.sign(both[49:]) == [1, 1, 1, -1, -1, -1]).all()


def test_without_skewness_it_is_the_usual_t():
    assert johnson_t(3.0, 0.5, 8, 0.0, 1.0) == pytest.approx(4.0)
    assert johnson_t(3.0, 0.0, 8, 0.0, 1.0) == math.inf


@pytest.mark.parametrize(
    ("log_sd", "n", "covers"),
    [(0.0, 5, 0.960), (0.0, 10, 0.959), (0.5, 7, 0.938), (1.0, 5, 0.854), (1.0, 10, 0.891)],
)
def test_t_and_johnson_together_cover_as_documented(log_sd, n, covers):
    x = np.random.default_rng(0).standard_normal((n, 40_000))
    truth = 0.0
    if log_sd:
        x, truth = np.exp(log_sd * x), math.exp(log_sd**2 / 2)
    mean, se = x.mean(axis=0), x.std(axis=0, ddof=1) / math.sqrt(n)
    limit = stats.t.isf(0.025, n - 1)
    t, modified = (mean - truth) / se, johnson_t(mean, se, n, skewness(x), truth)
    assert np.mean(np.minimum(abs(t), abs(modified)) <= limit) == pytest.approx(covers, abs=0.007)


@pytest.mark.parametrize(("n", "limit"), [(5, 1.05), (7, 1.02), (10, 0.95), (12, 0.91)])
def test_a_tenth_of_normal_samples_is_more_skewed(n, limit):
    assert skew_limit(n) == pytest.approx(limit, abs=0.007)


def test_two_values_have_no_limit():
    with pytest.raises(ValueError, match="three"):
        skew_limit(2)


def test_johnsons_interval_holds_the_means_that_its_t_does_not_refuse():
    rng = np.random.default_rng(5)
    data = np.exp(0.7 * rng.standard_normal((6, 500)))
    mean, se, skew = data.mean(axis=0), data.std(axis=0, ddof=1) / np.sqrt(6), skewness(data)
    critical = np.full(500, stats.t.isf(0.025, 5))
    low, high = johnson_interval(mean, se, np.full(500, 6), skew, critical)
    for mu in (0.8, 1.28, 2.0):
        inside = np.abs(johnson_t(mean, se, 6, skew, mu)) <= critical
        assert np.array_equal(inside, (low <= mu) & (mu <= high))
    low, high = johnson_interval(
        np.array([1.0]), np.array([0.5]), np.array([6.0]), np.array([0.0]), critical[:1]
    )
    assert (low[0], high[0]) == pytest.approx(
        (1 - 0.5 * critical[0], 1 + 0.5 * critical[0]), abs=1e-6
    )
