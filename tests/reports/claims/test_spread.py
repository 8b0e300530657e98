"""Spreads that grow with means are found; equal ones, and outcomes without a logarithm, are not."""

import numpy as np
import pytest

from reports.claims.spread import growing_spread

NOISE = np.array([-1.0, -0.4, 0.1, 0.5, 0.8])[:, None]
"""Five seeds."""


def values(means: list[float], sds: list[float]) -> np.ndarray:
    """(5, arms) with about these means and spreads."""
    return np.array(means) + NOISE * np.array(sds)


def test_spreads_in_proportion_to_means_have_slope_one() -> None:
    means = [1.0, 2.0, 3.0, 4.0]
    found = growing_spread(values(means, [0.1 * mean for mean in means]))
    assert found is not None
    assert found.slope == pytest.approx(1)
    assert found.rank == pytest.approx(1)
    assert (found.narrow.cell, found.wide.cell, found.arms) == (0, 3, 4)
    assert found.wide.sd == pytest.approx(4 * found.narrow.sd)
    assert found.log_high == pytest.approx(found.log_low)


@pytest.mark.parametrize(
    ("means", "sds"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0.1, 0.1, 0.1, 0.1]),
        ([1.0, 2.0, 3.0, 4.0], [0.1, 0.12, 0.14, 0.16]),
        ([1.0, 1.2, 1.4, 1.8], [0.1, 0.12, 0.14, 0.18]),
        ([1.0, 2.0, 3.0], [0.1, 0.2, 0.3]),
        ([1.0, 2.0, 3.0, 4.0], [0.4, 0.3, 0.2, 0.05]),
        ([1.0, 2.0], [0.01, 0.5]),
    ],
    ids=["equal", "flat", "span below two", "three arms", "falling", "two arms"],
)
def test_no_reason_for_a_log_scale(means: list[float], sds: list[float]) -> None:
    assert growing_spread(values(means, sds)) is None


def test_three_arms_with_far_spreads_that_rank_as_means() -> None:
    found = growing_spread(values([1.0, 1.1, 1.2], [0.01, 0.03, 0.08]))
    assert found is not None
    assert found.rank == pytest.approx(1)
    assert growing_spread(values([1.0, 1.1, 1.2], [0.03, 0.08, 0.01])) is None


def test_a_log_scale_needs_outcomes_above_zero() -> None:
    table = values([1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.3, 0.4])
    table[0, 0] = 0.0
    assert growing_spread(table) is None
    assert growing_spread(np.full((5, 4), np.nan)) is None


def test_arms_with_few_or_equal_values_do_not_count() -> None:
    table = values([1.0, 2.0, 3.0, 4.0, 5.0], [0.1, 0.2, 0.3, 0.4, 0.5])
    table[2:, 0] = np.nan
    table[:, 1] = 2.0
    assert growing_spread(table) is None
    table[:, 1] = 2.0 + 0.2 * NOISE[:, 0]
    found = growing_spread(table)
    assert found is not None
    assert (found.arms, found.narrow.cell) == (4, 1)
