"""The outcome rule of a study on one trial's curve: its summary, and when it counts as degraded."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

Curve = Sequence[tuple[int, float]]
"""(step, value) of each evaluation, in the order of steps."""


def summarise(curve: Curve, summary: str, better: str | None) -> float:
    """A curve as one number.

    Args:
        curve: at least one evaluation.
        summary: `last`; `best` (in the better direction, of the values that are numbers; of a
            metric without a direction, the last); `mean` over the evaluations after step 0; `auc`,
            the area under the curve divided by the steps it spans, so in the metric's own unit.
        better: `lower`, `higher` or None.
    """
    values = [value for _, value in curve]
    after_start = [value for step, value in curve if step > 0] or values
    if summary == "best" and better is not None:
        known = [value for value in values if not math.isnan(value)] or values
        return min(known) if better == "lower" else max(known)
    if summary == "mean":
        return math.fsum(after_start) / len(after_start)
    if summary == "auc" and curve[-1][0] > curve[0][0]:
        areas = [(b - a) * (u + v) / 2 for (a, u), (b, v) in itertools.pairwise(curve)]
        return math.fsum(areas) / (curve[-1][0] - curve[0][0])
    return values[-1]


def degraded_at_step(curve: Curve, outcome: Mapping[str, Any]) -> int | None:
    """The step at which the primary metric became and stayed worse than at step 0.

    Worse is by more than `relative` times the size of the value at step 0, for `patience`
    evaluations in a row, the
    first of them after `after_step`. None: not seen, or there is no value at step 0 to compare
    with.

    Args:
        curve: of the primary metric.
        outcome: as in plan.json.
    """
    if not curve or curve[0][0] != 0 or not math.isfinite(curve[0][1]):
        return None
    rule = outcome["degradation"]
    start = curve[0][1]
    margin = rule["relative"] * abs(start)
    sign = 1 if outcome["better"] == "lower" else -1
    row: list[int] = []
    for step, value in curve[1:]:
        worse = not sign * (value - start) <= margin  # a value that is no number is worse than any
        if step > rule["after_step"] and worse:
            row.append(step)
            if len(row) >= rule["patience"]:
                return row[0]
        else:
            row.clear()
    return None
