"""How 5% of error are shared among claims and over looks."""

import math

import numpy as np
import pytest

from reports.claims.budget import ERROR, Budget, Spending
from reports.stats.spending import look_levels


@pytest.mark.parametrize(
    ("factors", "pairs", "higher", "shares"),
    [
        (1, 0, 0, (0.04, 0.04, 0.0, 0.0)),
        (8, 0, 0, (0.04, 0.04, 0.0, 0.0)),
        (2, 1, 0, (0.03, 0.03, 0.014, 0.0)),
        (3, 3, 1, (0.03, 0.03, 0.0105, 0.0035)),
        (4, 6, 5, (0.03, 0.03, 0.010, 0.004)),
        (6, 7, 0, (0.03, 0.03, 0.014, 0.0)),
    ],
)
def test_shares(factors: int, pairs: int, higher: int, shares: tuple[float, ...]) -> None:
    found = Budget.of(factors, pairs, higher)
    assert (found.direction, found.equivalence, found.pairs, found.higher) == pytest.approx(shares)
    assert found.direction + found.pairs + found.higher <= ERROR


def test_a_p_at_its_level_is_adjusted_to_the_error() -> None:
    spending = Spending()
    assert spending.adjusted(np.array([0.01, 0.005, 0.9]), 0.01).tolist() == pytest.approx(
        [0.05, 0.025, 1.0]
    )


def test_holm_is_statsmodels_at_the_level() -> None:
    """A family at level 0.03: an adjusted p of 0.05 is where Holm's corrected p is 0.03."""
    from statsmodels.stats.multitest import multipletests

    p = [0.001, 0.02, 0.014, 0.4]
    found = Spending().holm(p, 0.03)
    known = multipletests(p, alpha=0.03, method="holm")
    assert found.tolist() == pytest.approx(np.minimum(known[1] * 0.05 / 0.03, 1.0).tolist())
    assert ((found < ERROR) == known[0]).all()


def test_holm_counts_a_test_that_could_not_be_made() -> None:
    found = Spending().holm([0.001, math.nan], 0.05)
    assert found[0] == pytest.approx(0.002)
    assert math.isnan(found[1])


def test_a_look_spends_its_part() -> None:
    looks = (4, 6, 8, 12)
    for at in range(4):
        spending = Spending(looks, at, "late")
        assert spending.nominal(0.02) == look_levels(looks, 0.02, "late")[at]
        assert spending.nominal(0.02, sides=1) == look_levels(looks, 0.04, "late")[at] / 2
    assert Spending(looks, 3, "late").nominal(0.02) < 0.02


def test_a_level_of_nothing_claims_nothing() -> None:
    """A level so small that not one simulated study may be stopped is 0."""
    spending = Spending((4, 6, 8, 12), 1, "late")
    assert spending.nominal(1e-7) == 0
    found = spending.adjusted(np.array([0.0, math.nan]), 1e-7)
    assert found[0] == 1.0
    assert math.isnan(found[1])
