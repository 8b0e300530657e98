"""Contrasts with missing trials against plain t tests, statsmodels, and a slow matrix version."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from reports.stats.clustered import fit_cells


def factorial(k):
    """Weights of all 2^k - 1 contrasts of a factorial: (terms, cells)."""
    levels = np.array(list(itertools.product((-1, 1), repeat=k)))
    terms = [t for size in range(1, k + 1) for t in itertools.combinations(range(k), size)]
    return np.array([levels[:, t].prod(axis=1) for t in terms]) / 2 ** (k - 1)


def with_holes(rng, seeds, cells, share):
    y = 3 * rng.standard_normal((seeds, 1)) + rng.standard_normal((seeds, cells))
    y[rng.random(y.shape) < share] = np.nan
    return y


def by_dummies(y, weights):
    """The same by dummies of cells and seeds, no absorption, and matrices of all trials."""
    import statsmodels.api as sm

    seed, cell = np.nonzero(np.isfinite(y))
    design = np.hstack([np.eye(y.shape[1])[cell, 1:], np.eye(len(y))[seed]])
    values, aim = y[seed, cell], np.concatenate([weights[1:], np.zeros(len(y))])
    bread = np.linalg.inv(design.T @ design)
    maker = np.eye(len(values)) - design @ bread @ design.T
    residuals, scores, columns = maker @ values, [], []
    for i in range(len(y)):
        own = seed == i
        left, size, right = np.linalg.svd(maker[np.ix_(own, own)])
        root = (left * np.where(size > 1e-9, size.clip(1e-9) ** -0.5, 0.0)) @ right
        row = aim @ bread @ design[own].T @ root
        scores.append(row @ residuals[own])
        columns.append(maker[:, own] @ row)
    form = np.array(columns) @ np.array(columns).T
    estimate = float(sm.OLS(values, design).fit().params @ aim)
    return estimate, math.sqrt(np.square(scores).sum()), np.trace(form) ** 2 / (form**2).sum()


def test_complete_data_give_the_t_test_of_each_seeds_contrast():
    y = with_holes(np.random.default_rng(0), 5, 8, 0.0) + 100
    fit = fit_cells(y)
    for weights in factorial(3):
        known = stats.ttest_1samp(y @ weights, 0.0)
        mean, se, df, seeds = fit.contrast(weights)
        assert mean == pytest.approx((y @ weights).mean(), abs=1e-12)
        assert mean / se == pytest.approx(known.statistic, rel=1e-11)
        assert df == pytest.approx(4, abs=1e-11)
        assert seeds == 5
    np.testing.assert_allclose(fit.means, y.mean(axis=0), rtol=1e-13)


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_missing_trials_give_the_same_as_dummies_and_statsmodels(share):
    rng = np.random.default_rng(1)
    for _ in range(5):
        y = with_holes(rng, 6, 8, share)
        fit = fit_cells(y)
        for weights in factorial(3)[[0, 4, 6]]:
            found = fit.contrast(weights)
            assert found[:3] == pytest.approx(by_dummies(y, weights), rel=1e-8)


def test_pairs_of_cells_use_only_seeds_that_weigh_in():
    y = np.array([[1.0, 2.0], [0.5, 1.7], [np.nan, 9.0], [2.0, 2.9]])
    mean, se, df, seeds = fit_cells(y).contrast(np.array([-1.0, 1.0]))
    known = stats.ttest_1samp([1.0, 1.2, 0.9], 0.0)
    assert (mean, mean / se, df) == pytest.approx((31 / 30, known.statistic, 2))
    assert seeds == 3


def test_a_seed_apart_from_the_pair_does_not_count():
    y = np.full((5, 4), np.nan)
    y[:3, :2] = np.random.default_rng(0).standard_normal((3, 2))
    y[3:, 2:] = 1.0, 2.0
    fit = fit_cells(y)
    assert fit.contrast(np.array([-1.0, 1.0, 0.0, 0.0]))[3] == 3
    nothing = fit.contrast(np.array([-1.0, 0.0, 1.0, 0.0]))  # no seed links the two halves
    assert np.isnan(nothing[:3]).all()
    assert nothing[3] == 5


def test_a_cell_without_a_value_leaves_the_other_contrasts():
    y = with_holes(np.random.default_rng(2), 5, 4, 0.0)
    y[:, 3] = np.nan
    fit = fit_cells(y)
    assert np.isnan(fit.contrast(np.array([-0.5, 0.5, -0.5, 0.5]))[0])
    assert np.isnan(fit.means[3])
    known = fit_cells(y[:, :3]).contrast(np.array([-1.0, 1.0, 0.0]))
    assert fit.contrast(np.array([-1.0, 1.0, 0.0, 0.0])) == pytest.approx(known)


def test_no_value_at_all_and_one_seed_have_no_interval():
    weights = np.array([-1.0, 1.0])
    assert np.isnan(fit_cells(np.full((3, 2), np.nan)).contrast(weights)[:3]).all()
    mean, se, df, seeds = fit_cells(np.array([[1.0, 1.5]])).contrast(weights)
    assert (mean, seeds) == pytest.approx((0.5, 1))
    assert math.isnan(se)
    assert math.isnan(df)


def test_a_cell_that_rests_on_one_seed_has_a_mean_and_no_interval():
    y = with_holes(np.random.default_rng(3), 6, 3, 0.0)
    y[1:, 0] = np.nan
    mean, se, df, _ = fit_cells(y).contrast(np.array([-1.0, 1.0, 0.0]))
    assert math.isfinite(mean)
    assert math.isnan(se)
    assert math.isnan(df)


def test_identical_differences_have_no_spread_but_rounding():
    y = np.random.default_rng(4).random((5, 1)) + np.array([[0.0, 0.1, 0.3]])
    assert fit_cells(y).contrast(np.array([-1.0, 1.0, 0.0]))[1] == 0.0
    y[:, 1] = y[:, 0]
    assert fit_cells(y).contrast(np.array([-1.0, 1.0, 0.0]))[:2] == (0.0, 0.0)


@pytest.mark.parametrize("weights", [[1.0, 1.0, 0.0], [1.0, -1.0], [0.0, 0.0, 0.0]])
def test_weights_that_are_no_contrast_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        fit_cells(np.ones((3, 3))).contrast(np.array(weights))


@pytest.mark.parametrize("slope", [0.0, 1.4])
def test_intervals_cover_with_missing_trials_and_effects_that_vary_over_seeds(slope):
    rng, weights, covered = np.random.default_rng(5), factorial(2)[0], []
    for _ in range(600):
        y = with_holes(rng, 6, 4, 0.15) + slope * rng.standard_normal((6, 1)) * weights
        mean, se, df, _ = fit_cells(y).contrast(weights)
        if df >= 2:
            covered.append(abs(mean) <= stats.t.isf(0.025, df) * se)
    assert len(covered) > 500
    assert 0.92 < np.mean(covered) < 0.98
