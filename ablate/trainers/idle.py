"""Finds factors that change nothing, whoever trains."""

from collections.abc import Callable, Sequence

from ablate.reading.problems import Problem
from ablate.study.design import Cell, meant_equal
from ablate.study.nouns import Factor, StudySpec

TRAIN_ALIKE = (
    "changes nothing: its levels train alike in every cell; "
    "if that is meant, list them in equal_arms"
)
"""The usual message."""


def idle_factors(
    spec: StudySpec,
    cells: Sequence[Cell],
    moves: Callable[[Factor], Callable[[Cell, Cell], bool]],
    message: str = TRAIN_ALIKE,
) -> list[Problem]:
    """Return a problem for each factor that has no effect in any cell.

    Args:
        spec: the study; cells that it lists under `equal_arms` may be the same.
        cells: of the study.
        moves: factor -> whether a cell and the same cell at the first level train differently.
        message: what to say of such a factor.
    """
    problems = []
    for factor in spec.factors:
        moved = moves(factor)
        pairs = (
            (cell, {**cell, factor.name: factor.reference})
            for cell in cells
            if cell[factor.name] != factor.reference
        )
        if not any(moved(cell, first) or meant_equal(spec, cell, first) for cell, first in pairs):
            problems.append(Problem(("factors", factor.name), message, at_key=True))
    return problems
