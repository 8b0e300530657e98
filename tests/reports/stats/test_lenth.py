import numpy as np
import pytest
from scipy import stats

from reports.stats.lenth import half_normal_scores, lenth


def test_by_hand():
    """Median 2, so a first error of 3; 9 is above 7.5 and left out; the rest has the median 1.5."""
    found = lenth(np.array([1.0, -2.0, 9.0, 1.0, -3.0]))
    assert found.pse == pytest.approx(1.5 * 1.5)
    assert found.margin == pytest.approx(2.25 * stats.t.isf(0.025, 5 / 3))
    gamma = (1 + 0.95 ** (1 / 5)) / 2
    assert found.simultaneous == pytest.approx(2.25 * stats.t.ppf(gamma, 5 / 3))


def test_one_large_contrast_hardly_matters():
    noise = np.random.default_rng(0).standard_normal(15)
    shifted = np.append(noise[1:], 50.0)
    assert lenth(shifted).pse == pytest.approx(lenth(noise).pse, rel=0.3)
    assert 50 > lenth(shifted).simultaneous > lenth(shifted).margin


def test_noise_is_rarely_outside():
    rng = np.random.default_rng(1)
    outside = [np.abs(x).max() > lenth(x).simultaneous for x in rng.standard_normal((1000, 15))]
    assert 0.01 < np.mean(outside) < 0.04


def test_contrasts_of_zero_have_no_error():
    assert lenth(np.zeros(7)).simultaneous == 0


def test_two_contrasts_are_refused():
    with pytest.raises(ValueError, match="three"):
        lenth(np.array([1.0, 2.0]))


def test_scores_are_the_median_places_of_noise():
    noise = np.sort(np.abs(np.random.default_rng(2).standard_normal((20_000, 7))), axis=1)
    np.testing.assert_allclose(half_normal_scores(7), np.median(noise, axis=0), atol=0.02)
