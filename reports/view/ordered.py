"""Which factors have ordered levels, so that a sentence can speak of more or less of them."""

import math
from typing import Any

from reports.view.patches import UNTOLD, changed, levels_of, value_at
from reports.view.study import StudyView


def ordered_levels(view: StudyView, factor: str) -> tuple[str, ...] | None:
    """Return the levels of a factor from low to high; None where they have no order.

    They have one where the study file says `ordered: true`, where all labels are numbers, or where
    each level sets the same single option to a number; never where it says `ordered: false`.
    """
    levels = levels_of(view.study, factor)
    declared = view.factors[factor].get("ordered")
    if declared is not None:
        return levels if declared else None

    numbers = _labels(levels) or _numbers(view, factor, levels)
    if numbers is None or len(set(numbers.values())) < len(levels):
        return None
    return tuple(sorted(levels, key=lambda level: numbers[level]))


def size_of_weight(view: StudyView, factor: str) -> bool:
    """Return whether the levels of a factor are sizes of one loss's weight."""
    paths = changed(view.study, factor)
    return len(paths) == 1 and next(iter(paths)).startswith("losses.")


def _labels(levels: tuple[str, ...]) -> dict[str, float] | None:
    """Return the labels as numbers; None where one isn't a finite number."""
    try:
        numbers = {level: float(level) for level in levels}
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers.values())) else None


def _numbers(view: StudyView, factor: str, levels: tuple[str, ...]) -> dict[str, float] | None:
    """Return what the levels set their one option to.

    None where the levels change several options, or set the option to something else than a number.
    """
    paths = changed(view.study, factor)
    if len(paths) != 1:
        return None
    (path,) = paths
    values = {level: value_at(view.study, factor, level, path) for level in levels}

    # A loss that a config does not name has weight 0.
    usual: Any = 0.0 if path.startswith("losses.") else UNTOLD
    settings = {level: usual if value is UNTOLD else value for level, value in values.items()}

    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in settings.values()):
        return None
    return {level: float(value) for level, value in settings.items()}
