"""What can't be decided with the seeds that are left: a stop that costs no verdict anyone could
have had."""

import math

from scipy import stats

from reports.claims.budget import Budget, Spending
from reports.claims.design import Design
from reports.claims.rule import OPEN, Judgement, Numbers, Rule

SPREAD = 0.90
"""Confidence of the lower limit of the spread: the seeds to come may vary less than those seen."""
REACH = 1.645
"""Standard deviations that the mean may still move."""


def futile(judgement: Judgement, design: Design, rule: Rule) -> tuple[str, ...]:
    """Changes without a verdict that the last planned look could not decide either.

    The final mean is taken to lie within `REACH` predictive standard deviations of today's, and the
    spread to be as small as its lower limit allows. A change is given up only if neither a
    direction nor equivalence of its average could be claimed anywhere in that range.
    """
    if not rule.looks or not judgement.look or rule.margin is None:
        return ()
    budget = Budget.of_design(design, rule.share)
    last = Spending(rule.looks, len(rule.looks) - 1, rule.spend)
    direction = last.nominal(budget.one_direction(len(design.compared)))
    same = last.nominal(budget.equivalences, sides=1)
    levels = (direction / 2, same)
    return tuple(
        name
        for name, word in judgement.verdicts.items()
        if word == OPEN
        and name in judgement.numbers
        and _hopeless(judgement.numbers[name], rule.margin, rule.looks[-1], levels)
    )


def _hopeless(numbers: Numbers, margin: float, seeds: int, levels: tuple[float, float]) -> bool:
    """Whether neither claim can be reached with so many seeds; levels are one-sided."""
    n = numbers.n
    if n < 3 or n >= seeds or not numbers.se > 0:
        return False
    spread = numbers.se * math.sqrt(n) * math.sqrt((n - 1) / stats.chi2.ppf(SPREAD, n - 1))
    moves = REACH * spread * math.sqrt(1 / n - 1 / seeds)
    mean = abs(numbers.mean)
    direction, same = (
        stats.t.isf(level, seeds - 1) * spread / math.sqrt(seeds) for level in levels
    )
    return bool(mean + moves < direction and max(0.0, mean - moves) + same > margin)
