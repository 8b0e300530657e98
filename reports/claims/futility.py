"""Changes that the remaining seeds can't decide, so that stopping costs no possible verdict."""

import math

from scipy import stats

from reports.claims.budget import Budget, Spending
from reports.claims.claim import interacting
from reports.claims.design import Design
from reports.claims.rule import OPEN, Judgement, Numbers, Rule

SPREAD = 0.90
"""Confidence of the spread's lower limit, because seeds to come may vary less than those seen."""
REACH = 1.645
"""Standard deviations by which the mean may still move."""


def futile(judgement: Judgement, design: Design, rule: Rule) -> tuple[str, ...]:
    """Return the changes without a verdict that the last planned look could not decide either.

    The final mean is taken to lie within `REACH` predictive standard deviations of today's mean,
    and the spread to be as small as its lower limit allows. A change is given up only if neither a
    direction nor equivalence of its average could be claimed anywhere in that range.

    In a fraction, a change is also given up if it belongs to a group of aliased interactions that
    stays established, because more seeds don't separate the interactions of the group.

    Args:
        judgement: What is claimed at the look that was reached last.
        design: What can be compared.
        rule: The study's rule; without planned looks and a margin, no change is given up.
    """
    if not rule.looks or not judgement.look or rule.margin is None:
        return ()

    budget = Budget.of_design(design, rule.share)
    last = Spending(rule.looks, len(rule.looks) - 1, rule.spend)
    direction = last.nominal(budget.one_direction(len(design.compared)))
    same = last.nominal(budget.equivalences, sides=1)
    levels = (direction / 2, same)

    tied = _tied(judgement, design, rule, budget, last)
    return tuple(
        name
        for name, word in judgement.verdicts.items()
        if word == OPEN
        and name in judgement.numbers
        and (
            name in tied or _hopeless(judgement.numbers[name], rule.margin, rule.looks[-1], levels)
        )
    )


def _tied(
    judgement: Judgement, design: Design, rule: Rule, budget: Budget, last: Spending
) -> set[str]:
    """Return the changes of groups of aliased interactions that stay established.

    Args:
        judgement: What is claimed at the look that was reached last.
        design: What can be compared.
        rule: The study's rule, with planned looks.
        budget: The levels of the study's families of claims.
        last: The spending at the last planned look.
    """
    groups = [c for c in judgement.claims if c.kind == "depends" and len(c.scope.terms) > 1]
    if not groups:
        return set()

    pairs = sum(term.order == 2 for term in design.interactions)
    level = last.nominal(budget.pairs / pairs * rule.share)
    return {
        name
        for claim in groups
        if _stays(judgement.numbers[claim.subject], rule.looks[-1], level)
        for name in interacting(claim)
    }


def _stays(numbers: Numbers, seeds: int, level: float) -> bool:
    """Return whether an established interaction can't be lost with `seeds` seeds.

    Args:
        numbers: Today's estimate.
        seeds: Seeds at the last planned look.
        level: Two-sided level of the interaction at that look.
    """
    if not 3 <= numbers.n < seeds or not numbers.se > 0:
        return False
    spread, moves = _reach(numbers, seeds, 1 - SPREAD)
    needed = stats.t.isf(level / 2, seeds - 1) * spread / math.sqrt(seeds)
    return bool(abs(numbers.mean) - moves > needed)


def _reach(numbers: Numbers, seeds: int, confidence: float) -> tuple[float, float]:
    """Return a limit of the spread, and how far the mean may still move with it.

    Args:
        numbers: Today's estimate.
        seeds: Seeds at the last planned look.
        confidence: Chance that the spread is above the limit; near 0, it is an upper limit.
    """
    n = numbers.n
    spread = numbers.se * math.sqrt(n) * math.sqrt((n - 1) / stats.chi2.ppf(confidence, n - 1))
    return spread, REACH * spread * math.sqrt(1 / n - 1 / seeds)


def _hopeless(numbers: Numbers, margin: float, seeds: int, levels: tuple[float, float]) -> bool:
    """Return whether neither claim can be reached with `seeds` seeds.

    Args:
        numbers: Today's estimate.
        margin: The smallest effect that matters, on the scale of the rule.
        seeds: Seeds at the last planned look.
        levels: One-sided levels of a direction and of equivalence at that look.
    """
    n = numbers.n
    if n < 3 or n >= seeds or not numbers.se > 0:
        return False

    spread, moves = _reach(numbers, seeds, SPREAD)

    # How far a mean must be from 0 to have a direction, and inside the margin to be equivalent.
    mean = abs(numbers.mean)
    direction, same = (
        stats.t.isf(level, seeds - 1) * spread / math.sqrt(seeds) for level in levels
    )
    return bool(mean + moves < direction and max(0.0, mean - moves) + same > margin)
