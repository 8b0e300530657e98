"""Regular fractional factorial designs of two-level factors: generators and aliases.

A factor is a column: a set of basic factors, written as a bit mask, whose levels are added modulo
2. Basic factors are single bits. An added factor is the sum of the basic factors that generate it.
A design has resolution R when any R - 1 columns are independent (Box and Hunter 1961). The
reference, which is all zeros, is always one of the cells.
"""

from collections.abc import Sequence
from itertools import combinations

MOST_TRIES = 200_000
"""Limit for the columns that one search tries; small designs need a handful."""


def columns_for_runs(n_factors: int, runs: int) -> list[int]:
    """Return the columns of the design of highest resolution with a given number of cells.

    Args:
        n_factors: number of factors, and of columns.
        runs: number of cells, a power of two.

    Raises:
        ValueError: `runs` isn't a power of two, is less than n_factors + 1, or is more than the
            2**n_factors cells of the full factorial.
    """
    if runs < 2 or runs & (runs - 1):
        raise ValueError(
            f"runs must be a power of two, not {runs}; "
            f"the next one is {1 << max(1, runs.bit_length())}"
        )
    basic = runs.bit_length() - 1
    if basic > n_factors:
        raise ValueError(
            f"{runs} runs are more than the {2**n_factors} cells of the full factorial"
        )
    if basic == n_factors:
        return [1 << i for i in range(n_factors)]

    for resolution in range(min(n_factors, 6), 2, -1):
        columns = _search(n_factors, basic, resolution)
        if columns:
            return columns
    raise ValueError(
        f"{n_factors} factors need at least {1 << n_factors.bit_length()} runs, not {runs}"
    )


def columns_for_resolution(n_factors: int, resolution: int) -> list[int]:
    """Return the columns of the smallest design with at least this resolution.

    If no fraction has it, the design is the full factorial.
    """
    for basic in range(1, n_factors):
        columns = _search(n_factors, basic, resolution)
        if columns:
            return columns
    return [1 << i for i in range(n_factors)]


def rows(columns: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the cells of a design, each with one number per factor.

    The number is 0 for the first level and 1 for the second. The first cell is all zeros.
    """
    basic = max(columns).bit_length()
    return [
        tuple((column & cell).bit_count() & 1 for column in columns) for cell in range(1 << basic)
    ]


def generators(names: Sequence[str], columns: Sequence[int]) -> dict[str, str]:
    """Return added factor -> the basic factors that generate it, for example `{"d": "a:b"}`."""
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
    """Return effect -> its aliases, the effects that the design can't distinguish from it.

    Effects are written `a` and `a:b`, with factors in the study's order. Effects without an alias
    are not listed.

    Args:
        names: the factors.
        columns: the column of each factor.
        order: largest number of factors in an interaction.
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
    """Return the columns of a design with at least this resolution in 2**basic cells.

    A new column must not be the sum of fewer than resolution - 1 chosen ones. Interactions of many
    factors are tried first, which gives the usual tables (E = ABCD before E = AB). Without a design
    the list is empty.
    """
    if basic >= n_factors:
        return [1 << i for i in range(n_factors)] if basic == n_factors else []

    start = [1 << i for i in range(basic)]
    candidates = [c for c in range(1, 1 << basic) if c.bit_count() >= max(2, resolution - 1)]
    candidates.sort(key=lambda column: (-column.bit_count(), column))
    tries = 0

    def grow(chosen: list[int], sums: list[set[int]], first: int) -> list[int]:
        """Return the columns with those that complete the design, or an empty list.

        `sums[k]` holds the sums of k chosen columns; candidates before `first` have been tried.
        """
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
            complete = grow([*chosen, column], larger, position + 1)
            if complete:
                return complete
        return []

    sums = [
        {_sum(chosen) for chosen in combinations(start, size)} for size in range(resolution - 1)
    ]
    return grow(start, sums, 0)


def _sum(columns: Sequence[int]) -> int:
    """Return the sum of columns modulo 2."""
    total = 0
    for column in columns:
        total ^= column
    return total
