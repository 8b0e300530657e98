"""Contrasts over seeds, and the p values that claims are made from."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.claims.estimates import Estimates
from reports.stats.paired import Interval
from reports.stats.skew import johnson_t, skewness
from tests.reports.claims.made import design_of, pairs_of, trials_of

PAIR = np.array([-1.0, 1.0])
DATA = [0.011, 0.019, 0.004, 0.015, 0.021]


def test_complete_data_have_the_usual_interval_to_twelve_digits() -> None:
    found, known = Estimates.of(pairs_of(DATA), PAIR), Interval.of(DATA)
    assert found.mean[0] == pytest.approx(known.mean, abs=1e-12)
    low, high = found.interval(0.05)
    assert (low[0], high[0]) == pytest.approx((known.low, known.high), abs=1e-12)
    assert found.df[0] == 4
    assert found.n[0] == 5


@pytest.mark.parametrize("contrast", ["a", "a × b"])
def test_contrasts_of_a_factorial_equal_the_old_arithmetic(contrast: str) -> None:
    """Per seed the mean over pairs of cells, then t over seeds."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(6, 4))
    design = design_of(("a", "b"))
    term = {t.name: t for t in (*design.mains, *design.interactions)}[contrast]
    row = np.zeros(4)
    for block in term.blocks:
        np.add.at(row, list(block.cells), term.signs / len(term.blocks))
    found = Estimates.of(trials_of(values), row)
    effects = {"a": values[:, [2, 3]] - values[:, [0, 1]]}
    by_seed = effects["a"].mean(axis=1) if contrast == "a" else (effects["a"] @ [-1, 1]) / 2
    known = Interval.of(by_seed.tolist())
    low, high = found.interval(0.05)
    assert (found.mean[0], low[0], high[0]) == pytest.approx(
        (known.mean, known.low, known.high), abs=1e-12
    )


SKEWED = [0.010, 0.011, 0.009, 0.010, 0.012, 0.010, 0.011, 0.009, 0.010, 0.070]


def test_p_is_that_of_t_unless_a_sample_is_skewed() -> None:
    found = Estimates.of(pairs_of(DATA), PAIR)
    mean, se = np.mean(DATA), np.std(DATA, ddof=1) / math.sqrt(5)
    assert not found.flagged[0]
    assert found.above()[0] == pytest.approx(stats.t.sf(mean / se, 4))
    assert found.apart()[0] == pytest.approx(2 * stats.t.sf(mean / se, 4))
    assert found.inside(0.03)[0] == pytest.approx(stats.t.cdf((mean - 0.03) / se, 4))


def test_a_skewed_sample_is_guarded() -> None:
    """Nine seeds near 0.01 and one far away: a claim needs Johnson's bound, and every seed within
    the margin."""
    found = Estimates.of(pairs_of(SKEWED), PAIR)
    mean, se = np.mean(SKEWED), np.std(SKEWED, ddof=1) / math.sqrt(10)
    assert found.flagged[0]
    guard = stats.t.sf(johnson_t(mean, se, 10, skewness(np.array(SKEWED)), 0.0), 9)
    assert found.above()[0] == pytest.approx(max(guard, stats.t.sf(mean / se, 9)))
    assert found.inside(0.05)[0] == 1.0  # one seed lies beyond the margin
    alone = Estimates.of(pairs_of(SKEWED), PAIR, guard=False)
    assert alone.above()[0] == pytest.approx(stats.t.sf(mean / se, 9))
    assert alone.inside(0.05)[0] < 1.0


def test_the_interval_of_a_skewed_sample_holds_all_seeds() -> None:
    low, high = (float(end[0]) for end in Estimates.of(pairs_of(SKEWED), PAIR).interval(0.05))
    usual = stats.ttest_1samp(SKEWED, 0.0).confidence_interval()
    assert low <= min(usual.low, min(SKEWED)) + 1e-12
    assert high >= max(usual.high, max(SKEWED)) - 1e-12
    low, high = (float(end[0]) for end in Estimates.of(pairs_of(DATA), PAIR).interval(0.05))
    usual = stats.ttest_1samp(DATA, 0.0).confidence_interval()
    assert (low, high) == pytest.approx((usual.low, usual.high), abs=1e-15)


def test_two_seeds_and_equal_numbers_say_nothing() -> None:
    two = Estimates.of(pairs_of([0.1, 0.12]), PAIR)
    assert math.isnan(two.apart()[0])
    assert math.isnan(two.interval(0.05)[0][0])
    equal = Estimates.of(pairs_of([0.1] * 5), PAIR)
    assert equal.se[0] == 0
    assert math.isnan(equal.apart()[0])
    assert math.isnan(equal.interval(0.05)[0][0])


def test_exactly_nothing_is_known() -> None:
    flat = Estimates.of(pairs_of([0.0] * 5), PAIR)
    assert flat.flat[0]
    assert flat.apart()[0] == 1.0
    assert flat.inside(0.01)[0] == 0.0
    assert flat.interval(0.05)[0][0] == flat.interval(0.05)[1][0] == 0.0


def test_rounding_of_the_arithmetic_is_nothing() -> None:
    found = Estimates.of(pairs_of([1e-14, -2e-14, 1e-14]), PAIR)
    assert found.flat[0]
    mixed = Estimates.of(pairs_of([0.01, -0.02, 0.01 + 1e-15]), PAIR)
    assert mixed.mean[0] == 0.0
    assert mixed.se[0] > 0


def test_missing_cells_leave_the_rest_in_use() -> None:
    """Two of ten trials are missing: the estimate is the contrast of cell means with seeds as
    blocks."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(6, 4)) * 0.1 + np.array([0.0, 0.0, 1.0, 1.0])
    values[0, 2] = values[3, 1] = np.nan
    row = np.array([-0.5, -0.5, 0.5, 0.5])
    found = Estimates.of(trials_of(values), row)
    assert found.n[0] == 6
    assert 2 <= found.df[0] < 6
    assert math.isnan(found.skew[0])
    seeds, cells = np.nonzero(np.isfinite(values))
    columns = np.column_stack(
        [cells == cell for cell in range(4)] + [seeds == seed for seed in range(1, 6)]
    )
    fitted, *_ = np.linalg.lstsq(columns.astype(float), values[seeds, cells], rcond=None)
    assert found.mean[0] == pytest.approx(float(row @ fitted[:4]))


def test_a_share_of_few_things_has_a_least_spread() -> None:
    """Three seeds that agree on 9 against 8 of 16 pairs: the binomial spread allows no claim."""
    values = np.array([[8, 9], [7, 8], [9, 10]]) / 16
    found = Estimates.of(trials_of(values, step=True), PAIR)
    p = np.array([8, 9]) / 16
    assert found.se[0] == pytest.approx(math.sqrt((p * (1 - p)).sum() / 16 / 3))
    assert found.apart()[0] > 0.5


def test_a_sequence_is_wider_and_claims_less() -> None:
    usual, valid = (Estimates.of(pairs_of(DATA), PAIR, sequence) for sequence in (False, True))
    assert valid.apart()[0] > usual.apart()[0]
    assert valid.valid_interval(0.05)[0][0] < usual.interval(0.05)[0][0]


def test_worst_values_and_parts_of_trials() -> None:
    values = np.array([[0.1, np.nan], [0.2, 0.5], [0.3, 0.4]])
    trials = trials_of(values, diverged=np.isnan(values))
    assert trials.worst().values[0, 1] == 0.5
    assert not trials.worst().diverged.any()
    assert trials.first(2).seeds == (0, 1)
    assert trials.without(1).seeds == (0, 2)
    assert trials.without(1).values[:, 0].tolist() == [0.1, 0.3]
