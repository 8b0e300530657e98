"""The outcome rule applied to one trial's curve: the summary, and when the trial degraded."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

Curve = Sequence[tuple[int, float]]
"""Pairs (step, value), one per evaluation, in the order of steps."""


def summarise(curve: Curve, summary: str, better: str | None) -> float:
    """Return a curve as one number, in the metric's unit.

    Args:
        curve: one or more evaluations.
        summary: `last`; `best`, the best value that isn't NaN, or for a metric without a direction
            the last; `mean` over the evaluations after step 0; or `auc`, the area under the curve
            divided by the number of steps that it spans.
        better: `lower`, `higher`, or None.
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
    """Return the step at which the primary metric became, and stayed, worse than at step 0.

    A value counts as worse if it is worse by more than `relative` times the absolute value at
    step 0. Only evaluations after `after_step` count, and `patience` of them in a row must be
    worse.

    Args:
        curve: the evaluations of the primary metric.
        outcome: the outcome rule, as in plan.json.

    Returns:
        The step of the first such evaluation. None if the trial did not degrade, or if the curve
        has no finite value at step 0.
    """
    if not curve or curve[0][0] != 0 or not math.isfinite(curve[0][1]):
        return None

    rule = outcome["degradation"]
    start = curve[0][1]
    margin = rule["relative"] * abs(start)
    sign = 1 if outcome["better"] == "lower" else -1

    worse_steps: list[int] = []
    for step, value in curve[1:]:
        # Written with `not`, so that NaN counts as worse.
        worse = not sign * (value - start) <= margin
        if step > rule["after_step"] and worse:
            worse_steps.append(step)
            if len(worse_steps) >= rule["patience"]:
                return worse_steps[0]
        else:
            worse_steps.clear()
    return None
