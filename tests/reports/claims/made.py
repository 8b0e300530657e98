"""Designs and trials made by hand, for tests of the rule."""

from collections.abc import Mapping, Sequence

import numpy as np

from reports.claims.design import Design
from reports.claims.estimates import Trials
from tests.reports.truths import SWITCH, crossed


def design_of(
    factors: Sequence[str] | Mapping[str, Sequence[str]],
    cells: Sequence[Mapping[str, str]] | None = None,
    kind: str = "full_factorial",
    equal: Mapping[int, int] | None = None,
) -> Design:
    """A design whose first cell is the reference; `equal`: cell -> the earlier cell with its
    configs."""
    named = factors if isinstance(factors, Mapping) else dict.fromkeys(factors, SWITCH)
    levels = {name: tuple(those) for name, those in named.items()}
    arms = list(cells) if cells is not None else crossed(levels)
    settings = tuple((f"c{(equal or {}).get(i, i)}", dict(arm)) for i, arm in enumerate(arms))
    return Design(kind, levels, settings, "c0")


def trials_of(
    values: object, diverged: object = None, open_: object = None, step: bool = False
) -> Trials:
    """Trials of these values (seeds, cells), + is worse."""
    array = np.asarray(values, dtype=float)
    none = np.zeros(array.shape, dtype=bool)
    flags = [none if flag is None else np.asarray(flag, dtype=bool) for flag in (diverged, open_)]
    return Trials.of(range(len(array)), array, flags[0], flags[1], quantised=step)


def pairs_of(differences: Sequence[float]) -> Trials:
    """Two cells that differ by these numbers, one per seed."""
    first = 0.5 + 0.013 * np.arange(len(differences)) ** 1.5
    return trials_of(np.column_stack([first, first + np.asarray(differences)]))
