"""Fractional factorial designs: sizes, resolution, balance, aliases."""

from collections.abc import Sequence
from functools import reduce
from itertools import combinations, product
from operator import xor

import pytest

from ablate.study.fractions import (
    alias_table,
    columns_for_resolution,
    columns_for_runs,
    generators,
    rows,
)


def resolution_of(columns: Sequence[int]) -> int | None:
    """Length of the shortest set of factors whose columns add up to nothing; None for a full
    factorial."""
    for size in range(1, len(columns) + 1):
        for chosen in combinations(columns, size):
            if reduce(xor, chosen) == 0:
                return size
    return None


@pytest.mark.parametrize(
    ("factors", "resolution", "runs"),
    [
        (3, 3, 4),
        (4, 4, 8),
        (5, 3, 8),
        (5, 5, 16),
        (6, 4, 16),
        (7, 3, 8),
        (7, 4, 16),
        (8, 4, 16),
        (8, 5, 64),
    ],
)
def test_smallest_designs_of_the_textbook(factors: int, resolution: int, runs: int) -> None:
    columns = columns_for_resolution(factors, resolution)
    assert len(rows(columns)) == runs
    found = resolution_of(columns)
    assert found is not None
    assert found >= resolution


@pytest.mark.parametrize(
    ("factors", "runs", "resolution"), [(5, 16, 5), (6, 32, 6), (7, 8, 3), (7, 16, 4), (7, 64, 6)]
)
def test_runs_give_the_highest_resolution(factors: int, runs: int, resolution: int) -> None:
    columns = columns_for_runs(factors, runs)
    assert len(rows(columns)) == runs
    found = resolution_of(columns)
    assert found is not None
    assert found >= resolution


def test_all_cells_when_there_are_enough_runs() -> None:
    assert sorted(rows(columns_for_runs(2, 4))) == sorted(product((0, 1), repeat=2))
    assert sorted(rows(columns_for_resolution(2, 5))) == sorted(product((0, 1), repeat=2))


@pytest.mark.parametrize(("factors", "runs"), [(7, 4), (3, 3), (3, 0), (2, 8), (2, 2)])
def test_impossible_numbers_of_runs(factors: int, runs: int) -> None:
    with pytest.raises(ValueError, match="runs"):
        columns_for_runs(factors, runs)


def test_columns_are_balanced_and_pairwise_orthogonal_and_hold_the_reference() -> None:
    table = rows(columns_for_runs(7, 8))
    assert table[0] == (0,) * 7
    assert len(set(table)) == 8
    for i, j in combinations(range(7), 2):
        assert sorted((row[i], row[j]) for row in table) == sorted(
            list(product((0, 1), repeat=2)) * 2
        )


def test_aliases_equal_those_found_by_multiplying_signs() -> None:
    names, columns = "abcde", columns_for_runs(5, 8)
    signs = [[1 - 2 * bit for bit in row] for row in rows(columns)]

    def contrast(effect: str) -> tuple[int, ...]:
        values = [1] * len(signs)
        for name in effect.split(":"):
            values = [
                value * row[names.index(name)] for value, row in zip(values, signs, strict=True)
            ]
        return tuple(values)

    def same(one: str, other: str) -> bool:
        a, b = contrast(one), contrast(other)
        return a == b or a == tuple(-value for value in b)

    effects = [*names, *(":".join(pair) for pair in combinations(names, 2))]
    expected = {e: tuple(o for o in effects if o != e and same(e, o)) for e in effects}
    assert alias_table(names, columns) == {
        effect: others for effect, others in expected.items() if others
    }


def test_generators_name_the_products() -> None:
    assert generators("abcd", columns_for_resolution(4, 4)) == {"d": "a:b:c"}
