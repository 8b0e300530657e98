import math

import numpy as np
import pytest
from scipy import stats

from reports.stats.spending import SPENDING, look_levels

KNOWN = {  # of another simulation, of 400,000 studies by scipy's t test
    ((4, 6, 8, 12), 0.08, "even"): (0.0359, 0.0223, 0.0225, 0.0302),
    ((4, 6, 8, 12), 0.08, "middle"): (0.0090, 0.0133, 0.0218, 0.0582),
    ((4, 6, 8, 12), 0.08, "late"): (0.0024, 0.0118, 0.0245, 0.0628),
    ((4, 6, 8, 12), 0.05, "even"): (0.0228, 0.0135, 0.0129, 0.0179),
    ((4, 6, 8, 12), 0.05, "middle"): (0.0056, 0.0081, 0.0130, 0.0348),
    ((4, 6, 8, 12), 0.05, "late"): (0.00067, 0.0050, 0.0130, 0.0404),
    ((4, 7, 10), 0.05, "even"): (0.0258, 0.0186, 0.0177),
    ((4, 7, 10), 0.05, "middle"): (0.0079, 0.0180, 0.0344),
    ((3, 5, 7), 0.05, "even"): (0.0276, 0.0169, 0.0165),
    ((3, 5, 7), 0.05, "middle"): (0.0092, 0.0178, 0.0328),
    ((3, 5, 7), 0.05, "late"): (0.0028, 0.0182, 0.0378),
}


def cumulative_p(values, looks):
    """Two-sided p of the t test over the first n values of each study, for each look n: (studies,
    looks)."""
    return np.stack([stats.ttest_1samp(values[:, :n], 0.0, axis=1).pvalue for n in looks], axis=1)


@pytest.mark.parametrize(("case", "levels"), KNOWN.items())
def test_levels_are_those_of_another_simulation(case, levels):
    assert look_levels(*case) == pytest.approx(levels, rel=0.05)


@pytest.mark.parametrize("spend", list(SPENDING))
@pytest.mark.parametrize("alpha", [0.05, 0.0133])
def test_false_alarms_follow_the_spending_function(spend, alpha):
    looks, studies = (3, 5, 8), 100_000
    p = cumulative_p(np.random.default_rng(0).standard_normal((studies, 8)), looks)
    alarms = np.logical_or.accumulate(p < look_levels(looks, alpha, spend), axis=1).mean(axis=0)
    spent = [SPENDING[spend](n / 8, alpha) for n in looks]
    assert alarms == pytest.approx(spent, abs=4 * math.sqrt(alpha / studies))
    assert spent[-1] == pytest.approx(alpha)


def test_a_single_look_has_the_whole_level():
    assert look_levels((6,), 0.05, "late") == pytest.approx((0.05,))


def test_the_first_level_is_exact_however_small():
    level = look_levels((4, 6, 8, 12), 0.001, "late")[0]
    assert level == pytest.approx(SPENDING["late"](1 / 3, 0.001), rel=1e-6)
    assert level < 1e-6


@pytest.mark.parametrize(
    ("looks", "alpha", "spend", "words"),
    [
        ((5, 5), 0.05, "even", "increasing"),
        ((), 0.05, "even", "increasing"),
        ((1, 5), 0.05, "even", "increasing"),
        ((4, 6), 1.2, "even", "between 0 and 1"),
        ((4, 6), 0.05, "early", "even, middle, late"),
    ],
)
def test_slips_are_refused(looks, alpha, spend, words):
    with pytest.raises(ValueError, match=words):
        look_levels(looks, alpha, spend)
