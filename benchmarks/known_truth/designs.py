"""Designs of simulated studies.

The factors are a, b, c, and so on. Their levels are 0, 1, and so on; 0 is the first level.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from ablate.study import fractions
from reports.claims.design import Design

LETTERS = "abcdef"

Levels = Mapping[str, str]


def _design(
    kind: str, sizes: Sequence[int], cells: Sequence[Sequence[int]], reference: int = 0
) -> Design:
    """Return a design with these cells.

    Args:
        kind: kind of the design.
        sizes: number of levels of each factor.
        cells: the levels of all factors in each cell.
        reference: place of the reference among the cells.
    """
    names = LETTERS[: len(sizes)]
    factors = {name: tuple(map(str, range(size))) for name, size in zip(names, sizes, strict=True)}
    settings = tuple(
        ("".join(map(str, cell)), dict(zip(names, map(str, cell), strict=True))) for cell in cells
    )
    return Design(kind, factors, settings, settings[reference][0])


def factorial(*sizes: int) -> Design:
    """Return every combination of levels.

    Args:
        *sizes: number of levels of each factor.
    """
    kind = "full_factorial" if set(sizes) == {2} else "grid"
    return _design(kind, sizes, list(product(*map(range, sizes))))


def leave_one_out(factors: int) -> Design:
    """Return the cell with all factors on, and a cell for each factor that is off alone."""
    off = [[int(i != j) for j in range(factors)] for i in range(factors)]
    return _design("leave_one_out", [2] * factors, [[1] * factors, *off])


def one_at_a_time(*sizes: int) -> Design:
    """Return every level against the first one, with the other factors at their first level.

    Args:
        *sizes: number of levels of each factor.
    """
    moved = [
        [level if i == j else 0 for j in range(len(sizes))]
        for i, size in enumerate(sizes)
        for level in range(1, size)
    ]
    return _design("one_at_a_time", sizes, [[0] * len(sizes), *moved])


def fraction(factors: int, runs: int) -> Design:
    """Return the regular fraction that `plan` makes for this number of factors and cells."""
    cells = fractions.rows(fractions.columns_for_runs(factors, runs))
    return _design("fractional_factorial", [2] * factors, cells)


def without_last(*sizes: int) -> Design:
    """Return a full factorial whose last cell is excluded."""
    return _design("custom", sizes, list(product(*map(range, sizes)))[:-1])


DESIGNS: Mapping[str, Callable[[], Design]] = {
    "2^2": lambda: factorial(2, 2),
    "2^3": lambda: factorial(2, 2, 2),
    "2^4": lambda: factorial(2, 2, 2, 2),
    "3x2": lambda: factorial(3, 2),
    "3x3": lambda: factorial(3, 3),
    "leave-one-out 3": lambda: leave_one_out(3),
    "leave-one-out 6": lambda: leave_one_out(6),
    "one-at-a-time 3": lambda: one_at_a_time(2, 2, 2),
    "one-at-a-time 3+2": lambda: one_at_a_time(3, 2),
    "one factor, 2 levels": lambda: one_at_a_time(2),
    "one factor, 4 levels": lambda: one_at_a_time(4),
    "2^(3-1) III": lambda: fraction(3, 4),
    "2^(4-1) IV": lambda: fraction(4, 8),
    "2^(5-2) III": lambda: fraction(5, 8),
    "2^(5-1) V": lambda: fraction(5, 16),
    "2^2 less a cell": lambda: without_last(2, 2),
    "2^3 less a cell": lambda: without_last(2, 2, 2),
}
"""Name -> function that makes the design."""
