"""Does a level make trials diverge? Counts on both sides, tested and corrected."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.claims.budget import Spending
from reports.claims.claim import Counts
from reports.claims.divergence import counts, diverging, p_value, sides
from reports.claims.estimates import Trials
from tests.reports.claims.made import design_of, trials_of
from tests.reports.truths import left_out

ONE = design_of(("a",))
TWO = design_of(("a", "b"))


def lost(*columns: str) -> Trials:
    """Trials of which those marked x in a cell's column diverged, a string per cell, a mark per
    seed."""
    flags = np.array([[mark == "x" for mark in column] for column in columns]).T
    values = np.where(flags, np.nan, 0.1 + 0.01 * np.arange(flags.shape[0])[:, None])
    return trials_of(values, diverged=flags)


def test_one_pair_per_seed_is_boschloos_test() -> None:
    trials = lost(".....", "xxx..")
    (term,) = ONE.compared
    known = stats.boschloo_exact([[3, 2], [0, 5]], alternative="two-sided").pvalue
    assert p_value(trials, ONE, term) == pytest.approx(known, abs=1e-6)
    assert counts(trials, ONE, term) == Counts(3, 5, 0, 5)


def test_both_levels_of_a_factorial_count_each_trial_once() -> None:
    trials = lost("...", "x..", "xxx", "xx.")
    a, b = TWO.compared
    assert sides(TWO, a) == ([2, 3], [0, 1], 2)
    assert counts(trials, TWO, a) == Counts(5, 6, 1, 6)
    assert counts(trials, TWO, b) == Counts(3, 6, 3, 6)


def test_seeds_whose_trials_diverge_together_count_as_seeds() -> None:
    """Four trials of two seeds: over trials it is 4 of 8 against 0 of 8, over seeds two of four."""
    trials = lost("....", "....", "xx..", "xx..")
    (a, _) = TWO.compared
    over_trials = stats.boschloo_exact([[4, 4], [0, 8]], alternative="two-sided").pvalue
    t = stats.ttest_1samp([1.0, 1.0, 0.0, 0.0], 0.0).pvalue
    assert over_trials < 0.05 < t
    assert p_value(trials, TWO, a) == pytest.approx(t)


def test_equal_differences_of_all_seeds_pass() -> None:
    trials = lost("....", "....", "xxxx", "xxxx")
    a, b = TWO.compared
    known = stats.boschloo_exact([[8, 0], [0, 8]], alternative="two-sided").pvalue
    assert p_value(trials, TWO, a) == pytest.approx(known, abs=1e-6)
    assert p_value(trials, TWO, b) == 1.0


@pytest.mark.parametrize("columns", [("..", "xx"), (".....", ".....")])
def test_few_seeds_and_no_divergence_are_not_tested(columns: tuple[str, str]) -> None:
    (term,) = ONE.compared
    assert math.isnan(p_value(lost(*columns), ONE, term))


@pytest.mark.parametrize(
    ("columns", "level", "against"),
    [(("....", "xxxx"), "with", "without"), (("xxxx", "...."), "without", "with")],
)
def test_the_claim_names_the_level_that_loses_trials(
    columns: tuple[str, str], level: str, against: str
) -> None:
    (claim,) = diverging(lost(*columns), ONE, ONE.compared, Spending())
    assert (claim.kind, claim.subject, claim.level, claim.against) == (
        "diverges",
        "a",
        level,
        against,
    )
    assert claim.p_adjusted < 0.05


def test_levels_are_corrected_by_holm() -> None:
    """One of three arms loses 4 of 8: enough alone, not of three."""
    names = ("a", "b", "c")
    design = design_of(names, left_out(names), "leave_one_out")
    trials = lost("........", "xxxx....", "........", "........")
    p = p_value(trials, design, design.compared[0])
    assert p < 0.05 < 3 * p
    assert diverging(trials, design, design.compared, Spending()) == []
    assert len(diverging(trials, ONE, ONE.compared[:0], Spending())) == 0
    alone = lost("........", "xxxx....")
    assert len(diverging(alone, ONE, ONE.compared, Spending())) == 1


def test_a_setting_of_its_own_is_named() -> None:
    names = ("a", "b")
    design = design_of(names, left_out(names), "leave_one_out")
    trials = lost("xxxxx", ".....", "xxxxx")
    (claim,) = diverging(trials, design, design.compared, Spending())
    assert (claim.subject, claim.scope.type, claim.scope.at) == ("a", "at", {"b": "with"})
