"""Seeds of several networks count as one number per network."""

import numpy as np
import pytest
from scipy import stats

from reports.claims import divergence
from reports.claims.estimates import Estimates, Trials
from reports.claims.networks import network_means, over_networks
from tests.reports.claims.made import design_of, trials_of

NAN = np.nan
NETWORKS = [0, 0, 0, 1, 1, 1, 2, 2, 2]


def nested(cells: int = 2) -> Trials:
    """Trials of three networks with three seeds each."""
    rng = np.random.default_rng(1)
    return trials_of(rng.normal(size=(9, cells)) + np.repeat(rng.normal(size=3), 3)[:, None])


def test_an_interval_over_networks_is_that_of_their_mean_differences() -> None:
    trials = nested()
    estimates = Estimates.of(over_networks(trials, NETWORKS), np.array([-1.0, 1.0]))
    differences = (trials.values[:, 1] - trials.values[:, 0]).reshape(3, 3).mean(axis=1)
    expected = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    low, high = estimates.interval(0.05)
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert estimates.df[0] == 2


def test_networks_count_equally_however_many_of_their_seeds_have_a_result() -> None:
    trials = nested()
    trials.values[[0, 1]] = NAN
    values = over_networks(trials, NETWORKS).values
    assert values[0] == pytest.approx(trials.values[2])
    assert values[1:] == pytest.approx(trials.values[3:].reshape(2, 3, 2).mean(axis=1))


def test_where_trials_are_missing_pairs_stay_pairs() -> None:
    seeds = np.array([[0.0, 1.0], [10.0, 11.5], [50.0, NAN]])
    means = network_means(seeds)
    assert means[1] - means[0] == pytest.approx(1.25)


def test_cells_that_no_seed_connects_are_not_compared() -> None:
    values = np.array([[0.0, 1.0, NAN, NAN], [0.2, 1.1, NAN, NAN], [NAN, NAN, 2.0, NAN]])
    means = network_means(values)
    assert np.isnan(means[2:]).all()
    assert means[:2] == pytest.approx([0.1, 1.05])


def test_a_network_without_any_result_has_no_means() -> None:
    assert np.isnan(network_means(np.full((2, 3), NAN))).all()


def test_diverged_trials_are_counted_one_by_one_and_tested_over_networks() -> None:
    values = np.zeros((9, 2))
    diverged = np.zeros((9, 2), bool)
    diverged[:3, 1] = True
    values[diverged] = NAN
    design = design_of({"a": ("off", "on")})
    (term,) = design.compared
    single = Trials.of(tuple(range(9)), values, diverged, np.zeros((9, 2), bool))
    networks = over_networks(single, NETWORKS)
    assert divergence.counts(networks, design, term) == divergence.counts(single, design, term)
    # All three lost trials are of one network, which may be the reason.
    assert divergence.p_value(networks, design, term) == pytest.approx(0.4226, abs=1e-3)
    assert divergence.p_value(single, design, term) < 0.15


def test_networks_that_lose_all_their_trials_are_no_more_evidence_than_their_number() -> None:
    diverged = np.zeros((9, 2), bool)
    diverged[:, 1] = True
    values = np.where(diverged, NAN, 0.0)
    design = design_of({"a": ("off", "on")})
    (term,) = design.compared
    single = Trials.of(tuple(range(9)), values, diverged, np.zeros((9, 2), bool))
    assert divergence.p_value(single, design, term) < 1e-3
    assert divergence.p_value(over_networks(single, NETWORKS), design, term) > 0.02


def test_a_diverged_trial_counts_as_worst_with_the_share_of_its_network() -> None:
    trials = nested()
    trials.values[0, 1], trials.diverged[0, 1] = NAN, True
    networks = over_networks(trials, NETWORKS)
    worst = networks.worst().values
    rest = networks.values[0, 1]
    assert worst[0, 1] == pytest.approx((np.nanmax(networks.values) + 2 * rest) / 3)
    assert (worst[1:] == networks.values[1:]).all()


def test_the_variance_that_steps_allow_is_that_of_a_mean_over_seeds() -> None:
    same = np.tile([[0.25, 0.5], [0.5, 0.75], [0.375, 0.625]], (3, 1))
    networks = over_networks(trials_of(same, step=True), NETWORKS)
    assert (networks.share, networks.each) == (8, 3)
    # All networks agree, so only the steps of 8 pairs in 3 trials and 3 networks are left.
    shares = np.array([0.375, 0.625])
    expected = np.sqrt((shares * (1 - shares)).sum() / 8 / 9)
    assert Estimates.of(networks, np.array([-1.0, 1.0])).se[0] == pytest.approx(expected)
