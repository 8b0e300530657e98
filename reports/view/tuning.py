"""The values that arms have chosen among tries, with what every try gave."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reports.view.study import Arm, StudyView


@dataclass(frozen=True)
class Chosen:
    """The choice of an arm.

    Attributes:
        arm: the arm.
        value: the value that it has chosen.
        tries: each value with the mean outcome of its tries that finished, NaN if none did, and
            the number of those that diverged.
    """

    arm: Arm
    value: Any
    tries: tuple[tuple[Any, float, int], ...]

    @cached_property
    def edge(self) -> str:
        """`smallest` or `largest` if the chosen value is one of these; empty if not a number."""
        values = [value for value, _, _ in self.tries]
        if any(isinstance(one, bool) or not isinstance(one, int | float) for one in values):
            return ""
        ends = {min(values): "smallest", max(values): "largest"}
        return ends.get(self.value, "")


def choices(view: StudyView) -> tuple[Chosen, ...]:
    """Return the choices of the arms that have chosen, in the plan's order."""
    rows = []
    for arm in view.arms:
        tuned = view.table.tuned.get(arm.cell_id)
        if tuned is None:
            continue
        tries = []
        for tried in tuned["tries"]:
            outcomes = tried.get("outcomes", [])
            finite = [value for value in outcomes if value is not None]
            mean = math.fsum(finite) / len(finite) if finite else math.nan
            tries.append((tried["value"], mean, len(outcomes) - len(finite)))
        rows.append(Chosen(arm, tuned["value"], tuple(tries)))
    return tuple(rows)
