import itertools

import numpy as np
import pytest
from scipy import stats

from reports.stats.exact import MOST_TRIALS, boschloo_p


@pytest.mark.parametrize(
    ("counts", "p"),
    [
        ((2, 5, 0, 5), 0.206),
        ((5, 5, 0, 5), 0.002),
        ((4, 4, 0, 4), 0.0078),
    ],
)
def test_known_tables(counts, p):
    assert boschloo_p(*counts) == pytest.approx(p, abs=5e-4)
    assert boschloo_p(*counts[2:], *counts[:2]) == pytest.approx(boschloo_p(*counts))


def test_it_never_errs_more_often_than_its_level():
    tables = list(itertools.product(range(6), range(5)))
    p = np.array([boschloo_p(d1, 5, d0, 4) for d1, d0 in tables])
    d1, d0 = np.array(tables).T
    for rate in np.linspace(0.02, 0.98, 25):
        chance = stats.binom.pmf(d1, 5, rate) * stats.binom.pmf(d0, 4, rate)
        for level in (0.01, 0.05, 0.2):
            assert chance[p <= level].sum() <= level + 1e-9


@pytest.mark.parametrize("counts", [(0, 5, 0, 5), (5, 5, 5, 5), (0, 0, 3, 5), (0, 0, 0, 0)])
def test_nothing_to_compare(counts):
    assert boschloo_p(*counts) == 1


def test_many_trials_are_compared_by_fishers_test():
    n = MOST_TRIALS
    known = stats.fisher_exact([[30, n - 30], [15, n - 15]]).pvalue
    assert boschloo_p(30, n, 15, n) == pytest.approx(known)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="6 of 5"):
        boschloo_p(6, 5, 0, 5)
