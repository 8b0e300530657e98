import math

import numpy as np
import pytest
from scipy import stats

from reports.stats.power import detectable_sds, power, seeds_needed
from reports.stats.signflip import sign_flip_p, smallest_p


def test_sign_flip_is_scipys_permutation_test():
    data = [0.3, -0.1, 0.4, 0.25, 0.6, 0.05]
    known = stats.permutation_test(
        (np.array(data),), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip_p(data) == pytest.approx(known.pvalue, abs=1e-9)


@pytest.mark.parametrize(("n", "p"), [(5, 0.0625), (7, 0.015625)])
def test_the_smallest_p_is_reached_when_all_signs_agree(n, p):
    assert sign_flip_p(range(1, n + 1)) == smallest_p(n) == p


def test_sign_flip_refuses_what_is_not_finite():
    with pytest.raises(ValueError, match="finite"):
        sign_flip_p([0.1, math.nan])


def test_power_is_statsmodels_and_seeds_needed_is_the_first_that_reaches_it():
    from statsmodels.stats.power import TTestPower

    known = TTestPower().power(effect_size=1.5, nobs=6, alpha=0.05, alternative="two-sided")
    assert power(6, 2.0, 3.0) == pytest.approx(known, abs=1e-9)
    n = seeds_needed(2.0, 3.0)
    assert n is not None
    assert power(n, 2.0, 3.0) >= 0.8 > power(n - 1, 2.0, 3.0)
    assert seeds_needed(1.0, 1e-6) is None
    with pytest.raises(ValueError, match="effect of 0"):
        seeds_needed(1.0, 0.0)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 3, 0.016 / 28])
@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_the_detectable_effect_is_found_with_the_wanted_power(n, alpha):
    """By the definition of t: a normal number over the root of a chi-square's mean, at few seeds
    and small levels."""
    shift = detectable_sds(n, alpha) * math.sqrt(n)
    spread = np.sqrt(stats.chi2.ppf((np.arange(20_000) + 0.5) / 20_000, n - 1) / (n - 1))
    limit = stats.t.isf(alpha / 2, n - 1) * spread
    assert np.mean(stats.norm.sf(limit - shift) + stats.norm.cdf(-limit - shift)) == pytest.approx(
        0.8, abs=1e-4
    )


def test_power_only_grows_with_seeds():
    for sd, alpha in ((0.0113, 0.05 / 3), (0.02, 0.05), (0.05, 0.05 / 7)):
        found = [power(n, sd, 0.01, alpha) for n in range(2, 1001)]
        assert np.isfinite(found).all()
        assert (np.diff(found) > -1e-9).all()
        needed = seeds_needed(sd, 0.01, alpha=alpha)
        assert needed == 2 + next(i for i, value in enumerate(found) if value >= 0.8)
