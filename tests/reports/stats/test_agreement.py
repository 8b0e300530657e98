import math

import numpy as np
import pytest
from scipy import stats

from reports.stats.agreement import over_studies, pooled_mean, welch_f


def studies(k, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(rng.normal(), 1 + i, size=4 + i) for i in range(k)]


@pytest.mark.parametrize("k", [2, 3, 5])
def test_welchs_f_is_that_of_statsmodels(k):
    from statsmodels.stats.oneway import anova_oneway

    samples = studies(k)
    known = anova_oneway(samples, use_var="unequal", welch_correction=True)
    statistic, df1, df2, p = welch_f([np.append(sample, np.nan) for sample in samples])
    assert (statistic, df1, df2) == pytest.approx((known.statistic, *known.df), rel=1e-12)
    assert p == pytest.approx(known.pvalue, rel=1e-10)


def test_two_studies_give_welchs_t_test():
    samples = studies(2, seed=1)
    assert welch_f(samples)[3] == pytest.approx(stats.ttest_ind(*samples, equal_var=False).pvalue)


def test_the_mean_of_two_studies_is_half_of_welchs_difference_with_one_turned():
    a, b = studies(2, seed=2)
    known = stats.ttest_ind(a, -b, equal_var=False)
    mean, low, high, df = pooled_mean([a, b], alpha=0.1)
    ends = known.confidence_interval(0.9)
    assert (mean, df) == pytest.approx(((a.mean() + b.mean()) / 2, known.df))
    assert (low, high) == pytest.approx((ends.low / 2, ends.high / 2))


def test_studies_like_these_are_judged_by_the_spread_of_their_means():
    samples = studies(4, seed=3)
    known = stats.ttest_1samp([sample.mean() for sample in samples], 0.0)
    found = over_studies(samples)
    assert (found.p, found.n) == pytest.approx((known.pvalue, 4))
    assert found.low == pytest.approx(known.confidence_interval(0.95).low)
    assert over_studies(samples[:2]) is None


def test_without_a_spread():
    same = np.array([1.0, 1.0, 1.0])
    assert np.isnan(welch_f([same, np.array([1.0, 2.0])])).all()
    mean, low, high, df = pooled_mean([same, same + 1])
    assert (mean, low, high) == (1.5, 1.5, 1.5)
    assert math.isnan(df)


def test_too_little_is_refused():
    with pytest.raises(ValueError, match="two studies"):
        welch_f([np.array([1.0, 2.0])])
    with pytest.raises(ValueError, match="two seeds"):
        pooled_mean([np.array([1.0, np.nan])])
    with pytest.raises(ValueError, match="without a seed"):
        over_studies([np.array([np.nan])] * 3)
