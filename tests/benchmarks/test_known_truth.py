"""Studies with known truth: the checker counts what is false, and the rule says little of it."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.known_truth import earlier_rule, said, table, targets, truths
from benchmarks.known_truth.checker import Checker, WrongScope
from benchmarks.known_truth.designs import DESIGNS
from benchmarks.known_truth.kinds import Kind, all_kinds
from benchmarks.known_truth.measure import Task, family, rule_of, run, tally
from benchmarks.known_truth.table import Row, limits, ratio
from benchmarks.known_truth.world import World
from reports.claims.claim import Claim, Scope
from reports.claims.judge import judge

EVERYWHERE, ON_AVERAGE = Scope("everywhere"), Scope("on_average")


def checker(design: str, effects: truths.Effects, **rest: object) -> Checker:
    return Checker(World(DESIGNS[design](), effects, **rest))  # type: ignore[arg-type]


def claim(
    kind: str,
    word: str,
    scope: Scope = EVERYWHERE,
    subject: str = "a",
    level: str = "1",
    **rest: object,
) -> Claim:
    p = 0.01 if kind not in ("undecided", "uncompared") else np.nan
    factor = subject.split("=")[0]
    return Claim(
        "x",
        kind,
        subject,
        scope,
        factor,
        level,
        "0",
        word,
        p_adjusted=p,
        **rest,  # type: ignore[arg-type]
    )


CROSSOVER = (
    (claim("equivalent", "equivalent"), True),
    (claim("equivalent", "equivalent on average", ON_AVERAGE), False),
    (claim("direction", "harms"), True),
    (claim("direction", "harms on average", ON_AVERAGE), True),
    (claim("one_sided", "no harm"), True),
    (claim("one_sided", "no benefit"), True),
    (claim("depends", "depends", ON_AVERAGE, "a × b"), False),
    (claim("depends", "depends", ON_AVERAGE, "a × c"), True),
    (claim("direction", "harms", Scope("at", {"b": "0"}), family="conditional"), False),
    (claim("direction", "harms", Scope("at", {"b": "1"}), family="conditional"), True),
    (claim("direction", "helps", Scope("at", {"b": "1"}), family="conditional"), False),
    (claim("equivalent", "equivalent", Scope("at", {"c": "1"}), family="conditional"), False),
    (claim("undecided", "not enough data"), False),
)


@pytest.mark.parametrize(
    ("said_", "false"),
    CROSSOVER,
    ids=lambda x: f"{x.word} {x.scope.type}" if isinstance(x, Claim) else "",
)
def test_claims_of_a_crossover(said_: Claim, false: bool) -> None:
    assert checker("2^3", truths.CROSSOVER).false(said_) is false


def test_an_effect_of_exactly_the_margin_is_outside_it() -> None:
    at_margin, inside = checker("2^2", {"a": 1}), checker("2^2", {"a": 0.99})
    for word in ("equivalent", "equivalent on average"):
        assert at_margin.false(claim("equivalent", word))
        assert not inside.false(claim("equivalent", word))
    assert at_margin.false(claim("one_sided", "no harm"))
    assert not at_margin.false(claim("one_sided", "no benefit"))


def test_harm_is_false_where_one_setting_is_better_by_the_margin() -> None:
    reversal = checker("2^2", truths.REVERSAL_AT_MARGIN)
    assert reversal.false(claim("direction", "harms"))
    assert not reversal.false(claim("direction", "harms on average", ON_AVERAGE))
    assert not checker("2^2", {"a": 3, "a*b": -3.99}).false(claim("direction", "harms"))
    assert checker("2^2", {}).false(claim("direction", "harms on average", ON_AVERAGE))
    assert checker("2^2", {"a": 1}).false(claim("direction", "helps"))


def test_a_claim_is_about_the_settings_that_it_names() -> None:
    one_setting = checker("2^2", {"a*b": 1})
    clean = Scope("clean", over=({"b": "0"},), left_out=({"b": "1"},), every=True)
    assert not one_setting.false(claim("equivalent", "equivalent", clean))
    assert one_setting.false(claim("equivalent", "equivalent"))
    assert one_setting.contrast(claim("undecided", "", clean)) == 0
    assert one_setting.contrast(claim("undecided", "", ON_AVERAGE)) == 0.5
    with pytest.raises(WrongScope):
        one_setting.false(claim("equivalent", "equivalent", Scope("clean", over=({"b": "2"},))))


def test_a_level_is_compared_with_the_first_one() -> None:
    levels = checker("3x2", truths.levels(a=(0, 3)))
    assert not levels.false(claim("equivalent", "equivalent", subject="a=1"))
    assert not levels.false(claim("direction", "harms", subject="a=2", level="2"))
    assert levels.false(claim("depends", "depends", ON_AVERAGE, "a=2 × b"))


def test_settings_without_a_cell_are_none() -> None:
    alone = checker("leave-one-out 3", {"a*b*c": 2})
    assert alone.effects(
        claim("direction", "harms", Scope("at", {"b": "1", "c": "1"}))
    ).tolist() == [2]
    assert checker("2^2 less a cell", {"a*b": 5}).effects(
        claim("equivalent", "equivalent")
    ).tolist() == [0]


def test_an_alias_group_is_the_sum_of_its_terms() -> None:
    hidden = checker("2^(3-1) III", {"c": 2, "a": -1, "b": -1, "a*b": 4})
    both = Scope("alias_group", terms=("c", "a × b"))
    assert hidden.contrast(claim("undecided", "", both, "c")) == pytest.approx(0)
    assert hidden.false(claim("direction", "harms on average", both, "c"))
    # A claim that hides the alias says something of the factor alone.
    assert not hidden.false(
        claim("direction", "harms on average", Scope("alias_group", terms=("c",)), "c")
    )
    with pytest.raises(WrongScope):
        hidden.false(
            claim("direction", "harms on average", Scope("alias_group", terms=("c", "a × c")), "c")
        )


def test_the_average_of_a_term_is_over_all_settings() -> None:
    assert checker("2^3", truths.CROSSOVER).average("a × b") == -3
    assert checker("2^3", truths.REVERSAL_AT_MARGIN).average("a") == 1
    assert checker("2^(3-1) III", {"c": 2, "a": -1, "b": -1, "a*b": 4}).average(
        "c"
    ) == pytest.approx(0)


def test_a_level_that_diverges_no_more_often_is_a_false_claim() -> None:
    for diverging, false in (
        ("equal 20 %", True),
        ("0 or 50 %", False),
        ("worst 15 % of all", True),
    ):
        found = checker("2^2", {}, diverging=diverging)
        assert found.false(claim("diverges", "diverges")) is false
        assert found.false(claim("diverges", "diverges", subject="b"))
        assert found.false(replace(claim("diverges", "diverges"), level="0", against="1"))
        assert found.false(claim("composite", "harms")) is false
        assert found.false(claim("composite", "helps"))


def test_draws_have_the_means_and_losses_of_their_world() -> None:
    world = World(DESIGNS["2^2"](), {"a": 2, "a*b": -1}, 0.5, missing=0.1, diverging="0 or 50 %")
    trials = world.draw(np.random.default_rng(1), 4000)
    within = trials.values - np.nanmean(trials.values[:, :1], axis=0)
    assert np.nanmean(within, axis=0) == pytest.approx([0, 0, 2, 1], abs=0.25)
    assert trials.diverged.mean(axis=0) == pytest.approx([0, 0, 0.45, 0.45], abs=0.03)
    assert np.isnan(trials.values).mean(axis=0) == pytest.approx([0.1, 0.1, 0.55, 0.55], abs=0.03)


@pytest.mark.parametrize(
    "noise", ["t3", "lognormal cells", "unequal", "slopes", "one slope", "skewed 0.5"]
)
def test_noise_is_centered(noise: str) -> None:
    world = World(DESIGNS["2^2"](), {}, 1.0, noise)
    values = world.draw(np.random.default_rng(2), 40_000).values
    assert (values[:, 2:] - values[:, :2]).mean() == pytest.approx(0, abs=0.03)
    assert 0.3 < (values[:, 3] - values[:, 0]).std() < 4


def test_shares_move_in_steps() -> None:
    world = World(DESIGNS["2^2"](), {}, 0.3, "shares of 16")
    trials = world.draw(np.random.default_rng(2), 10)
    assert trials.step == pytest.approx(1 / 16)
    assert world.margin == 0.1


def test_kinds_can_be_drawn() -> None:
    kinds = all_kinds()
    assert len(kinds) > 300
    for kind in kinds:
        trials = kind.world(kind.cells[0][1]).draw(np.random.default_rng(0), 3)
        assert trials.values.shape == (3, len(kind.world(1.0).design.cells))


def test_limits_and_the_error_of_coverage() -> None:
    assert limits(5, 100) == pytest.approx((0.01643, 0.11283), abs=1e-4)
    assert limits(0, 10) == pytest.approx((0, 0.30850), abs=1e-4)
    assert limits(1, 1) == (pytest.approx(0.025), 1)
    assert limits(0, 0) == (0, 1)
    # Two studies of three intervals: one covers all, one none.
    sums = Counter({"shown": 6, "covered": 3, "shown²": 18, "covered²": 9, "covered × shown": 9})
    assert ratio(sums) == pytest.approx((0.5, np.sqrt(2 * 1.5**2) / 6))


def test_a_row_fails_for_what_it_says() -> None:
    kind = Kind("test", "test", "2^2")
    good = Counter(studies=1000, changes=2000, shown=2000, covered=1900, nominal=1900)
    good |= Counter({"shown²": 4000, "covered²": 3650, "covered × shown": 3800})
    assert Row(kind, 5, 1.0, good).word == "PASS"
    for more, words in (
        ({"false mean": 80}, "FAIL: false mean"),
        ({"false diverges": 80}, "FAIL: false diverges"),
        ({"crashed": 1}, "FAIL: crashed"),
        ({"covered": 1700, "covered²": 3000, "covered × shown": 3400}, "FAIL: covers too little"),
    ):
        assert Row(kind, 5, 1.0, Counter({**good, **more})).word == words
    bad = Counter({**good, "false mean": 80})
    assert Row(replace(kind, excepted=True), 5, 1.0, bad).word == "printed"
    assert "8.0 (6.4–9.9)" in table.line(Row(kind, 5, 1.0, bad))


def test_targets_are_met_within_their_error() -> None:
    assert targets.Target("x", 0.79, 0.01, 0.80, 0.88).met
    assert targets.Target("x", 0.77, 0.01, 0.80, 0.88).met is False
    assert targets.Target("x", 0.91, 0.01, 0.80, 0.88).met is False
    assert targets.Target("x", 0.5, 0.01).met is None


def test_what_is_said_is_compared_with_what_was_measured() -> None:
    kind = next(kind for kind in all_kinds() if kind.name == "2^2, nothing acts")
    words = {"studies": 1000, "a is equivalent": 850, "b is equivalent": 850, "a is no harm": 140}
    much = list(said.compared([Row(kind, 5, 0.3, Counter(words))]))
    assert [target.met for target in much] == [True, False]
    assert all(any(kind.name == entry.kind for kind in all_kinds()) for entry in said.TABLE)


def test_the_earlier_rule_is_false_on_a_crossover() -> None:
    world = World(DESIGNS["2^2"](), truths.CROSSOVER, 0.3)
    words = earlier_rule.words(world.draw(np.random.default_rng(0), 5), world.design, 1.0, 0.05)
    assert words == {"a": "equivalent", "b": "equivalent"}
    assert earlier_rule.false(words, world)
    assert not earlier_rule.false(words, replace(world, effects={}))


def test_arms_of_decided_changes_stop() -> None:
    kind = next(
        k for k in all_kinds() if k.group == "looks" and "leave-one-out 3, 0, 1, 3" in k.name
    )
    world = kind.world(0.1)
    study = run(kind, world, world.draw(np.random.default_rng(0), 12))
    assert study.trials < 12 * 4
    assert judge(
        world.draw(np.random.default_rng(0), 12).first(study.seeds),
        world.design,
        rule_of(kind, 1.0),
    )


HUNDRED = (
    *(
        "2^2, nothing acts",
        "2^3, crossover +3, +3, both 0",
        "2^3, additive 0, 1, 1",
        "2^3, pure interaction ±1",
    ),
    *(
        "2^3, one setting at the margin",
        "leave-one-out 3, all at the margin",
        "3x2, crossover of one level",
    ),
    *(
        "2^(3-1) III, a pair cancels a main effect",
        "2^3, nothing acts, 10% missing",
        "2^3, a × b of 4, 70 % in one cell",
    ),
)


def test_a_hundred_studies_have_few_false_claims() -> None:
    kinds = {kind.name: kind for kind in all_kinds()}
    sums = Counter[str]()
    for name in HUNDRED:
        sums += tally(Task(kinds[name], 5, 0.6, 0, 10, seed=16))
    assert sums["studies"] == 100
    assert sums["crashed"] == sums["unbacked"] == 0
    # At 5 % more than 10 are false in 1 of 90 such samples.
    assert sums["false mean"] <= 10
    assert sums["false diverges"] <= 2
    assert 0.9 < sums["covered"] / sums["shown"] < 0.99
    assert sums["open"] < 0.7 * sums["changes"]


def test_claims_are_counted_in_a_family_each() -> None:
    assert family(claim("direction", "harms on average", ON_AVERAGE)) == "direction on average"
    assert (
        family(claim("direction", "harms", Scope("at", {"b": "0"}), family="conditional"))
        == "conditional"
    )
    assert {family(claim(kind, "")) for kind in ("depends", "one_sided", "diverges")} <= set(
        table.FAMILIES
    )
