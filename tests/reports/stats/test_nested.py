"""Components of variance between and within groups, and the cheaper way to a narrower interval."""

import math

import numpy as np
import pytest

from reports.stats.nested import Components, best_each, components, next_step


def drawn(rng: np.random.Generator, groups: int, each: int, between: float) -> list[list[float]]:
    means = math.sqrt(between) * rng.standard_normal(groups)
    return [list(mean + rng.standard_normal(each)) for mean in means]


def test_the_estimates_are_those_of_the_mean_squares() -> None:
    groups = [[1.0, 2.0, 3.0], [4.0, 5.0, 9.0], [2.0, 2.0, 5.0]]
    parts = components(groups)
    assert parts is not None
    means = [np.mean(group) for group in groups]
    within = np.mean([np.var(group, ddof=1) for group in groups])
    assert parts.within == pytest.approx(within)
    assert parts.between == pytest.approx(np.var(means, ddof=1) - within / 3)
    assert (parts.groups, parts.each) == (3, 3)
    # F = 13 / 3.667, and its 2.5% point at 2 and 6 degrees of freedom is 0.02543.
    assert parts.low == 0.0
    assert parts.high == pytest.approx(0.9788, abs=2e-4)


@pytest.mark.parametrize("between", [0.0, 1.0, 4.0])
def test_the_interval_of_the_share_covers(between: float) -> None:
    rng = np.random.default_rng(4)
    share, hits = between / (between + 1), 0
    for _ in range(400):
        parts = components(drawn(rng, 5, 3, between))
        assert parts is not None
        hits += parts.low <= share <= parts.high
    # Where networks don't differ, only one end of the interval can miss.
    assert 0.92 <= hits / 400 <= (0.98 if between else 0.995)


def test_groups_of_different_sizes_count_equally() -> None:
    parts = components([[0.0, 2.0], [5.0, 6.0, 7.0, 6.0], [1.0]])
    assert parts is not None
    assert parts.each == pytest.approx(3 / (1 / 2 + 1 / 4 + 1))
    assert parts.variance(3, parts.each) == pytest.approx(np.var([1.0, 6.0, 1.0], ddof=1) / 3)


@pytest.mark.parametrize(
    "groups", [[[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0], [3.0]], [[1.0, 1.0]] * 3, [[], [1.0, 2.0]]]
)
def test_too_little_says_nothing(groups: list[list[float]]) -> None:
    assert components(groups) is None


def test_a_share_is_vague_where_its_interval_is_wide() -> None:
    rng = np.random.default_rng(5)
    few, many = components(drawn(rng, 3, 2, 1.0)), components(drawn(rng, 40, 5, 4.0))
    assert few is not None
    assert few.vague
    assert many is not None
    assert not many.vague


def test_no_other_number_per_group_is_cheaper() -> None:
    parts = Components(5, 3, 1.0, 4.0, 0.2, 0.0, 1.0)
    best = best_each(parts, 1000, 100)

    def costly(each: int) -> float:
        """Variance times cost, which doesn't depend on the number of groups."""
        return parts.variance(1, each) * (1000 + each * 100)

    assert best == min(range(1, 30), key=costly) == 6


def test_free_groups_need_one_number_each_and_equal_groups_many() -> None:
    assert best_each(Components(5, 3, 1.0, 4.0, 0.2, 0.0, 1.0), 0, 100) == 1
    assert best_each(Components(5, 3, 0.0, 4.0, 0.0, 0.0, 1.0), 10, 100) == 1000


def test_the_next_step_is_the_one_that_saves_more_for_its_cost() -> None:
    networks = Components(5, 3, 4.0, 1.0, 0.8, 0.2, 1.0)
    better, other = next_step(networks, 1000, 100)
    assert (better.of, other.of) == ("group", "one")
    assert (better.cost, other.cost) == (1300, 500)
    assert better.half_width < networks.half_width(5, 3, 0.05)
    seeds = Components(8, 1.5, 0.0, 4.0, 0.0, 0.0, 1.0)
    assert next_step(seeds, 100_000, 100)[0].of == "one"
