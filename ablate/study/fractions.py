"""Regular fractional factorial designs of two-level factors: generators and aliases.

A factor is a column: a set of basic factors, written as a bit mask, whose levels are added modulo
2. Basic factors are single bits; an added factor is the sum of the basic factors that generate it.
A design has resolution R when any R - 1 columns are independent (Box and Hunter 1961). All zeros,
the reference, is always one of its cells.
"""

from collections.abc import Sequence
from itertools import combinations

MOST_TRIES = 200_000
"""Nodes of the search; small designs need a handful."""


def columns_for_runs(n_factors: int, runs: int) -> list[int]:
    """The columns of the design of highest resolution with so many cells.

    Raises:
        ValueError: `runs` is no power of two, has fewer than n_factors + 1 cells, or is more than
            all cells.
    """
    if runs < 2 or runs & (runs - 1):
        raise ValueError(
            f"runs must be a power of two, not {runs}; the next one is {1 << max(1, runs.bit_length())}"
        )
    basic = runs.bit_length() - 1
    if basic > n_factors:
        raise ValueError(
            f"{runs} runs are more than the {2**n_factors} cells of the full factorial"
        )
    if basic == n_factors:
        return [1 << i for i in range(n_factors)]
    for resolution in range(min(n_factors, 6), 2, -1):
        found = _search(n_factors, basic, resolution)
        if found:
            return found
    raise ValueError(
        f"{n_factors} factors need at least {1 << n_factors.bit_length()} runs, not {runs}"
    )


def columns_for_resolution(n_factors: int, resolution: int) -> list[int]:
    """The columns of the smallest design of at least this resolution; the full factorial if none is
    smaller."""
    for basic in range(1, n_factors):
        found = _search(n_factors, basic, resolution)
        if found:
            return found
    return [1 << i for i in range(n_factors)]


def rows(columns: Sequence[int]) -> list[tuple[int, ...]]:
    """The cells as 0 (first level) and 1 (second level), one number a factor; the first cell is all
    zeros."""
    basic = max(columns).bit_length()
    return [
        tuple((column & cell).bit_count() & 1 for column in columns) for cell in range(1 << basic)
    ]


def generators(names: Sequence[str], columns: Sequence[int]) -> dict[str, str]:
    """Added factor -> the basic factors it is the product of, e.g. `{"d": "a:b"}`."""
    basic = {
        column: name for name, column in zip(names, columns, strict=True) if column.bit_count() == 1
    }
    return {
        name: ":".join(basic[1 << bit] for bit in range(column.bit_length()) if column >> bit & 1)
        for name, column in zip(names, columns, strict=True)
        if column.bit_count() > 1
    }


def alias_table(
    names: Sequence[str], columns: Sequence[int], order: int = 2
) -> dict[str, tuple[str, ...]]:
    """Effect -> effects it cannot be told from, for main effects and interactions up to `order`.

    Effects are written `a` and `a:b`, factors in the study's order. Effects without an alias are
    not listed.
    """
    effects: dict[int, list[str]] = {}
    for size in range(1, order + 1):
        for chosen in combinations(range(len(names)), size):
            effects.setdefault(_sum([columns[i] for i in chosen]), []).append(
                ":".join(names[i] for i in chosen)
            )
    table = {}
    for group in effects.values():
        for effect in group:
            if len(group) > 1:
                table[effect] = tuple(other for other in group if other != effect)
    return table


def _search(n_factors: int, basic: int, resolution: int) -> list[int]:
    """Columns of a design with at least this resolution in 2**basic cells, or an empty list.

    A new column must not be the sum of fewer than resolution - 1 chosen ones; interactions of many
    factors are tried first, which gives the usual tables (E = ABCD before E = AB).
    """
    if basic >= n_factors:
        return [1 << i for i in range(n_factors)] if basic == n_factors else []
    start = [1 << i for i in range(basic)]
    candidates = [c for c in range(1, 1 << basic) if c.bit_count() >= max(2, resolution - 1)]
    candidates.sort(key=lambda column: (-column.bit_count(), column))
    tries = 0

    def grow(chosen: list[int], sums: list[set[int]], first: int) -> list[int]:
        nonlocal tries
        if len(chosen) == n_factors:
            return chosen
        for position in range(first, len(candidates) - (n_factors - len(chosen)) + 1):
            tries += 1
            if tries > MOST_TRIES:
                return []
            column = candidates[position]
            if any(column in level for level in sums):
                continue
            larger = [sums[0]] + [
                a | {column ^ value for value in b} for a, b in zip(sums[1:], sums, strict=False)
            ]
            found = grow([*chosen, column], larger, position + 1)
            if found:
                return found
        return []

    sums = [
        {_sum(chosen) for chosen in combinations(start, size)} for size in range(resolution - 1)
    ]
    return grow(start, sums, 0)


def _sum(columns: Sequence[int]) -> int:
    """Sum modulo 2."""
    total = 0
    for column in columns:
        total ^= column
    return total
