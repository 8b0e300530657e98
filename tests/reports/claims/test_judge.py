"""The rule: what is claimed of made trials, in which scope, and what is not."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from reports.claims.claim import Claim
from reports.claims.design import Design
from reports.claims.estimates import Trials
from reports.claims.futility import futile
from reports.claims.judge import judge
from reports.claims.rule import Judgement, Rule
from reports.stats.paired import Interval
from tests.reports.claims.made import design_of, pairs_of, trials_of
from tests.reports.truths import crossed, left_out, noisy

ONE, TWO, THREE = design_of(("a",)), design_of(("a", "b")), design_of(("a", "b", "c"))
RULE = Rule(margin=0.01)


def table(
    cells: Mapping[int, float] | list[float], seeds: int = 5, noise: float = 0.001, start: int = 0
) -> np.ndarray:
    """(seeds, cells): these means with noise of mean 0 in every cell, and a shift of every seed."""
    means = np.asarray(list(cells.values()) if isinstance(cells, Mapping) else cells)
    own = np.column_stack([noisy(noise, seeds, 100 + start + cell) for cell in range(len(means))])
    return np.asarray(0.1 + means + own + noisy(0.005, seeds, 7)[:, None])


def claim_of(judgement: Judgement, id_: str) -> Claim:
    return next(claim for claim in judgement.claims if claim.id == id_)


def ids(judgement: Judgement) -> set[str]:
    return {claim.id for claim in judgement.claims}


# -- one factor ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "better", "word"),
    [
        (0.03, "lower", "harms"),
        (-0.03, "lower", "helps"),
        (0.001, "lower", "equivalent"),
        (0.03, "higher", "harms"),
    ],
)
def test_one_factor_has_a_direction_or_none(effect: float, better: str, word: str) -> None:
    """Values have + for worse, whatever is better in the outcome's own unit."""
    found = judge(trials_of(table([0.0, effect])), ONE, Rule(better, 0.01))
    assert found.verdicts == {"a": word}
    (claim,) = found.claims
    assert claim.scope.type == "everywhere"
    own = effect if better == "lower" else -effect
    assert claim.estimate == pytest.approx(own)
    assert claim.low < own < claim.high


def test_numbers_are_those_of_the_usual_interval() -> None:
    differences = [0.011, 0.019, 0.004, 0.015, 0.021]
    found, known = judge(pairs_of(differences), ONE, RULE).numbers["a"], Interval.of(differences)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (known.mean, known.low, known.high), abs=1e-12
    )
    assert (found.n, found.df) == (5, 4)


def test_one_sided_claims_where_a_direction_is_open() -> None:
    """At most a little worse than 0, and surely not by the margin."""
    found = judge(pairs_of([-0.012, -0.002, -0.009, 0.001, -0.006]), ONE, Rule(margin=0.01))
    assert found.verdicts == {"a": "no harm"}
    assert claim_of(found, "one_sided:a:harm").p_adjusted < 0.05
    assert judge(pairs_of([0.012, 0.002, 0.009, -0.001, 0.006]), ONE, RULE).verdicts == {
        "a": "no benefit"
    }


def test_without_a_margin_nothing_is_equivalent() -> None:
    found = judge(trials_of(table([0.0, 0.0])), ONE, Rule(margin=None))
    assert found.verdicts == {"a": "not enough data"}
    assert judge(trials_of(table([0.0, 0.03])), ONE, Rule(margin=None)).verdicts == {"a": "harms"}


@pytest.mark.parametrize("differences", [[0.05, 0.05], [0.05, 0.06], [0.05] * 5])
def test_two_seeds_and_no_spread_have_no_verdict(differences: list[float]) -> None:
    found = judge(pairs_of(differences), ONE, RULE)
    assert found.verdicts == {"a": "not enough data"}
    assert math.isnan(claim_of(found, "undecided:a").low)


def test_nothing_at_all_is_equivalent_and_idle() -> None:
    found = judge(pairs_of([0.0] * 4), ONE, RULE)
    assert found.verdicts == {"a": "equivalent"}
    assert ids(found) == {"equivalent:a", "idle:a"}


def test_a_quantised_outcome_needs_more_than_agreement() -> None:
    """Shares of 16: seeds that agree on a difference of one step show nothing."""
    values = -np.array([[8, 9], [7, 8], [9, 10], [8, 9]]) / 16
    found = judge(trials_of(values, step=True), ONE, Rule("higher", 0.05))
    assert found.verdicts == {"a": "not enough data"}
    assert "quantised" in claim_of(found, "undecided:a").caveats
    assert judge(trials_of(-values + np.array([0, 0.4]), step=True), ONE, RULE).verdicts == {
        "a": "harms"
    }


def test_skewed_seeds_are_flagged_and_need_every_seed_within_the_margin() -> None:
    skewed = [0.0010, 0.0012, 0.0009, 0.0011, 0.0010, 0.0013, 0.0008, 0.0011, 0.0010, 0.0120]
    found = judge(pairs_of(skewed), ONE, Rule(margin=0.01))
    assert found.verdicts == {"a": "no benefit"}
    assert "skewed" in claim_of(found, "one_sided:a:benefit").caveats
    assert judge(pairs_of(skewed), ONE, Rule(margin=0.013)).verdicts == {"a": "equivalent"}


def test_on_a_log_scale_effects_are_ratios() -> None:
    values = np.log(table([0.0, 0.036], noise=0.0005))
    found = judge(trials_of(values), ONE, Rule(margin=math.log1p(0.1), log=True))
    assert found.verdicts == {"a": "harms"}
    claim = claim_of(found, "direction:a")
    assert claim.estimate == pytest.approx(0.36, abs=0.01)
    assert claim.percent == pytest.approx(100 * claim.estimate)


# -- interactions --------------------------------------------------------------------------


def test_additive_factors_harm_everywhere() -> None:
    found = judge(trials_of(table([0.0, 0.0, 0.03, 0.03])), TWO, RULE)
    assert found.verdicts == {"a": "harms", "b": "equivalent"}
    assert claim_of(found, "direction:a").scope.type == "everywhere"


def test_a_crossover_has_no_average() -> None:
    found = judge(trials_of(table([0.0, 0.03, 0.03, 0.0])), TWO, RULE)
    assert found.verdicts == {"a": "depends", "b": "depends"}
    assert claim_of(found, "depends:a_×_b").estimate == pytest.approx(-0.03)
    conditional = {c.id: c.word for c in found.claims if c.gate}
    assert conditional == {
        "direction:a,b=without": "harms",
        "direction:a,b=with": "helps",
        "direction:b,a=without": "harms",
        "direction:b,a=with": "helps",
    }
    gate = claim_of(found, "depends:a_×_b")
    assert all(c.p_adjusted >= gate.p_adjusted for c in found.claims if c.gate)


def test_a_factor_that_acts_at_one_level_only() -> None:
    found = judge(trials_of(table([0.0, 0.0, 0.0, 0.04])), TWO, RULE)
    assert claim_of(found, "equivalent:a,b=without").scope.at == {"b": "without"}
    assert claim_of(found, "direction:a,b=with").word == "harms"
    assert claim_of(found, "one_sided:a:benefit").scope.type == "everywhere"


def test_an_interaction_below_the_margin_is_no_dependence() -> None:
    """Effects of 0.030 and 0.034 are told apart surely, and differ by less than 0.010."""
    found = judge(trials_of(table([0.0, 0.0, 0.030, 0.034], noise=0.0003)), TWO, RULE)
    assert found.numbers["a × b"].p_adjusted < 0.05
    assert found.verdicts == {"a": "harms", "b": "equivalent"}


def test_an_average_without_its_settings() -> None:
    """Four noisy settings of which none alone excludes the opposite by a small margin."""
    values = table([0.0, 0.0, 0.013, 0.013], seeds=7, noise=0.008)
    found = judge(trials_of(values), TWO, Rule(margin=0.001))
    assert found.verdicts["a"] == "harms on average"
    assert claim_of(found, "direction:a").scope.type == "on_average"


def test_equivalent_on_average_needs_no_single_setting() -> None:
    values = table([0.0] * 8, seeds=6, noise=0.005)
    found = judge(trials_of(values), THREE, RULE)
    assert set(found.verdicts.values()) == {"equivalent on average"}
    assert all(claim.scope.type == "on_average" for claim in found.claims)


def test_a_three_way_interaction_owns_all_three() -> None:
    signs = [
        np.prod([1 if x == "with" else -1 for x in cell.values()])
        for cell in crossed(THREE.factors)
    ]
    found = judge(trials_of(table([0.01 * sign for sign in signs])), THREE, RULE)
    assert set(found.verdicts.values()) == {"depends"}
    assert [c.id for c in found.claims if c.kind == "depends"] == ["depends:a_×_b_×_c"]


def test_a_pair_within_a_larger_interaction_claims_no_average_over_its_third_factor() -> None:
    effects = [
        0.06 * (cell["a"] == cell["b"] == "with") + 0.06 * (set(cell.values()) == {"with"})
        for cell in crossed(THREE.factors)
    ]
    claims = judge(trials_of(table(effects)), THREE, RULE).claims
    established = {claim.id for claim in claims if claim.kind == "depends"}
    assert established >= {"depends:a_×_b", "depends:a_×_b_×_c"}
    levels = [len(claim.scope.at) for claim in claims if claim.gate]
    assert levels == [2] * 12  # every change, at every combination of the two others


# -- fractions and equal cells -------------------------------------------------------------


HALF = design_of(
    ("a", "b", "c"),
    [c for c in crossed(THREE.factors) if sum(x == "with" for x in c.values()) % 2],
    "fractional_factorial",
)


def sign(cell: Mapping[str, str], *those: str) -> int:
    """The sign of a contrast of these factors in a cell."""
    return int(np.prod([1 if cell[name] == "with" else -1 for name in those]))


ABCD = ("a", "b", "c", "d")
EIGHT = [
    c
    for c in crossed(dict.fromkeys(ABCD, ("without", "with")))
    if sign(c, "d") == sign(c, "a", "b", "c")
]
OF_EIGHT = design_of(ABCD, EIGHT, "fractional_factorial")


def test_a_contrast_of_a_fraction_is_about_its_alias_group() -> None:
    means = [-0.01 if levels["c"] == "with" else 0.01 for _, levels in HALF.settings]
    found = judge(trials_of(table(means)), HALF, RULE)
    claim = claim_of(found, "direction:c")
    assert (claim.word, claim.scope.type) == ("helps on average", "alias_group")
    assert claim.scope.terms == ("c", "a × b")
    assert found.verdicts["a"] == "equivalent on average"
    assert "everywhere" not in {claim.scope.type for claim in found.claims}


def test_pairs_that_act_block_every_factor_of_their_group() -> None:
    means = [0.02 * sign(c, "a", "b") + 0.015 * sign(c, "a") for c in EIGHT]
    found = judge(trials_of(table(means)), OF_EIGHT, RULE)
    assert set(found.verdicts.values()) == {"not enough data"}
    (claim,) = [c for c in found.claims if c.kind == "depends"]
    assert set(claim.scope.terms) == {"a × b", "c × d"}


@pytest.mark.parametrize(("size", "given_up"), [(0.02, {"a", "b", "c", "d"}), (0.0, set())])
def test_more_seeds_are_futile_where_aliased_pairs_act(size: float, given_up: set[str]) -> None:
    """At the first of two looks, where the direction of `a` is still to come."""
    rule = Rule(margin=0.01, looks=(5, 10))
    means = [size * sign(c, "a", "b") + 0.004 * sign(c, "a") for c in EIGHT]
    found = judge(trials_of(table(means, noise=0.003)), OF_EIGHT, rule)
    assert set(futile(found, OF_EIGHT, rule)) == given_up


def test_equal_configs_count_at_both_levels() -> None:
    """`b` acts only with `a`: of its two settings one is 0 by construction, and its average
    half."""
    design = design_of(("a", "b"), equal={1: 0})
    found = judge(trials_of(table([0.0, 0.0, 0.02])), design, RULE)
    assert found.numbers["b"].estimate == pytest.approx(0.01)
    assert found.numbers["a"].estimate == pytest.approx(0.01)


# -- missing and diverged trials -----------------------------------------------------------


def test_a_missing_arm_narrows_the_scope() -> None:
    values = table([0.0, 0.0, 0.0, 0.0, 0.02, 0.02, 0.02, 0.02])
    values[:, 7] = np.nan
    claim = claim_of(judge(trials_of(values), THREE, RULE), "direction:a")
    assert claim.scope.left_out == ({"b": "with", "c": "with"},)
    assert len(claim.scope.over) == 3
    assert "missing" in claim.caveats


def lost(values: np.ndarray, cell: int, seeds: list[int]) -> Trials:
    flags = np.zeros(values.shape, dtype=bool)
    flags[seeds, cell] = True
    return trials_of(np.where(flags, np.nan, values), diverged=flags)


def test_means_are_taken_over_clean_settings() -> None:
    """Trials diverge with both factors: each has one clean setting of two."""
    found = judge(lost(table([0.0, 0.02, 0.03, 0.9]), 3, [0, 2]), TWO, RULE)
    a, b = claim_of(found, "direction:a"), claim_of(found, "direction:b")
    assert (a.scope.type, a.scope.over, a.estimate) == (
        "clean",
        ({"b": "without"},),
        pytest.approx(0.03),
    )
    assert (b.scope.type, b.scope.over, b.estimate) == (
        "clean",
        ({"a": "without"},),
        pytest.approx(0.02),
    )


def test_fewer_than_half_of_the_settings_clean_give_no_mean() -> None:
    values = table([0.0] * 4 + [0.02] * 4)
    flags = np.zeros(values.shape, dtype=bool)
    flags[0, [4, 5, 6]] = True
    found = judge(trials_of(np.where(flags, np.nan, values), diverged=flags), THREE, RULE)
    assert math.isnan(found.numbers["a"].estimate)
    assert "direction:a" not in ids(found)
    assert found.verdicts["b"] in ("equivalent", "equivalent on average")


def test_survivors_may_only_confirm_a_harm() -> None:
    """One setting in which 2 of 8 diverged: harm needs survivors and worst values, help is never
    said."""
    names = ("a", "b")
    design = design_of(
        names, [{"a": "without", "b": "without"}, {"a": "with", "b": "without"}], "custom"
    )
    worse = judge(lost(table([0.0, 0.05], seeds=8), 1, [0, 3]), design, RULE)
    assert claim_of(worse, "direction:a").word == "harms"
    assert "diverged" in claim_of(worse, "direction:a").caveats
    better = judge(lost(table([0.0, -0.05], seeds=8), 1, [0, 3]), design, RULE)
    assert better.verdicts["a"] == "not enough data"
    assert "direction:a" not in ids(better)


def test_counting_diverged_runs_as_worst() -> None:
    """No mean may be given; with diverged runs at the worst value the level is worse in every
    seed."""
    values = table([0.0, 0.0, 0.02, 0.02], seeds=6)
    flags = np.zeros(values.shape, dtype=bool)
    flags[0, 2] = flags[1, 3] = True
    found = judge(trials_of(np.where(flags, np.nan, values), diverged=flags), TWO, RULE)
    claim = claim_of(found, "composite:a")
    assert (claim.kind, claim.word) == ("composite", "harms")
    assert found.verdicts["a"] == "not enough data"
    assert claim.counts is not None
    assert claim.counts.diverged == 2


@pytest.mark.parametrize(("cell", "level"), [(1, "with"), (0, "without")])
def test_a_level_that_loses_all_trials_diverges(cell: int, level: str) -> None:
    found = judge(lost(table([0.0, 0.0]), cell, [0, 1, 2, 3, 4]), ONE, RULE)
    assert found.verdicts == {"a": "diverges"}
    assert claim_of(found, "diverges:a").level == level


# -- looks, further outcomes, added seeds --------------------------------------------------


LOOKS = Rule(margin=0.01, looks=(4, 8), spend="even")


def test_a_verdict_of_a_look_stays() -> None:
    """At the first look the effect is clear; later seeds without it make it undecided, not
    undone."""
    early = [0.030, 0.031, 0.029, 0.030]
    found = judge(pairs_of([*early, 0.0, 0.06, -0.04, 0.05]), ONE, LOOKS)
    assert found.verdicts == {"a": "harms"}
    assert claim_of(found, "direction:a").look == 4
    assert found.look == 8
    assert judge(pairs_of([*early, 0.0, 0.06, -0.04, 0.05]), ONE, RULE).verdicts == {
        "a": "not enough data"
    }


def test_seeds_between_looks_are_not_looked_at() -> None:
    found = judge(pairs_of([0.02, 0.05, -0.03, 0.01, 0.030, 0.031]), ONE, LOOKS)
    assert found.look == 4
    assert found.verdicts == {"a": "not enough data"}
    assert judge(pairs_of([0.03, 0.031]), ONE, LOOKS).look == 0


def test_an_open_trial_keeps_its_look_from_being_reached() -> None:
    values = pairs_of([0.030, 0.031, 0.029, 0.030]).values.copy()
    waiting = np.zeros(values.shape, dtype=bool)
    waiting[3, 1], values[3, 1] = True, np.nan
    assert judge(trials_of(values, open_=waiting), ONE, LOOKS).look == 0


def test_levels_of_a_look_are_stricter() -> None:
    whole, first = (
        judge(pairs_of([0.02] * 3 + [0.021]), ONE, RULE),
        judge(pairs_of([0.02] * 3 + [0.021]), ONE, LOOKS),
    )
    assert whole.level == pytest.approx(0.04)
    assert first.level < whole.level
    assert first.alpha < whole.alpha == 0.05


def test_a_share_of_the_budget_asks_for_more() -> None:
    """Two further outcomes share one budget: what is found at 4% need not be found at 2%."""
    differences = [0.011, 0.026, 0.004, 0.017, 0.021]
    whole = judge(pairs_of(differences), ONE, RULE).numbers["a"].p_adjusted
    half = judge(pairs_of(differences), ONE, Rule(margin=0.01, share=0.5)).numbers["a"].p_adjusted
    assert half == pytest.approx(2 * whole)


def test_added_seeds_are_judged_by_a_valid_sequence() -> None:
    differences = [0.030, 0.036, 0.026, 0.033, 0.029, 0.031]
    found = judge(pairs_of(differences), ONE, Rule(margin=0.01, peeked=True))
    claim = claim_of(found, "direction:a")
    assert (claim.test, "unplanned_look" in claim.caveats) == ("sequence", True)
    usual = claim_of(judge(pairs_of(differences), ONE, RULE), "direction:a")
    assert claim.low < usual.low
    assert claim.p_adjusted > usual.p_adjusted


# -- designs without interactions ----------------------------------------------------------


def test_leave_one_out_claims_at_the_settings_of_the_reference() -> None:
    names = ("a", "b", "c")
    design = design_of(names, left_out(names), "leave_one_out")
    found = judge(trials_of(table([0.02, 0.0, 0.02, 0.02])), design, RULE)
    claim = claim_of(found, "direction:a")
    assert (claim.word, claim.scope.type, claim.scope.at) == (
        "harms",
        "at",
        {"b": "with", "c": "with"},
    )
    assert found.verdicts == {"a": "harms", "b": "equivalent", "c": "equivalent"}
    assert found.level == pytest.approx(0.04 / 3)


def test_what_no_arm_shows_alone_is_uncompared() -> None:
    cells = [{"a": "without", "b": "without"}, {"a": "with", "b": "with"}]
    design: Design = design_of(("a", "b"), cells, "custom")
    found = judge(trials_of(table([0.0, 0.05])), design, RULE)
    assert ids(found) == {"uncompared:a", "uncompared:b"}
    assert set(found.verdicts.values()) == {"not enough data"}
