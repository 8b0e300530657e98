"""Which factors have levels with an order, so that more of something can be spoken of."""

import math
from typing import Any

from reports.view.patches import UNTOLD, changed, levels_of, value_at
from reports.view.study import StudyView


def ordered_levels(view: StudyView, factor: str) -> tuple[str, ...] | None:
    """Return the levels of a factor from low to high; None where they have no order.

    They have one where the study file says `ordered: true`, where all labels are numbers, or where
    each level sets one and the same option to a number; never where it says `ordered: false`.
    """
    levels = levels_of(view.study, factor)
    told = view.factors[factor].get("ordered")
    if told is not None:
        return levels if told else None

    numbers = _labels(levels) or _numbers(view, factor, levels)
    if numbers is None or len(set(numbers.values())) < len(levels):
        return None
    return tuple(sorted(levels, key=lambda level: numbers[level]))


def size_of_weight(view: StudyView, factor: str) -> bool:
    """Return whether the levels of a factor are sizes of one loss's weight."""
    paths = changed(view.study, factor)
    return len(paths) == 1 and next(iter(paths)).startswith("losses.")


def _labels(levels: tuple[str, ...]) -> dict[str, float] | None:
    """The labels as numbers; None where one is no number."""
    try:
        numbers = {level: float(level) for level in levels}
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers.values())) else None


def _numbers(view: StudyView, factor: str, levels: tuple[str, ...]) -> dict[str, float] | None:
    """What the levels set one option to; None where they change several, or to no number."""
    paths = changed(view.study, factor)
    if len(paths) != 1:
        return None
    (path,) = paths
    values = {level: value_at(view.study, factor, level, path) for level in levels}
    # A loss that is not named weighs 0.
    usual: Any = 0.0 if path.startswith("losses.") else UNTOLD
    found = {level: usual if value is UNTOLD else value for level, value in values.items()}
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in found.values()):
        return None
    return {level: float(value) for level, value in found.items()}
