"""How much of a variance lies between groups, and what more of which level would give.

The groups are networks, and a group's numbers are the differences that its seeds show. The
estimates are those of the analysis of variance of one random factor, with the interval of the F
distribution.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

FEWEST_GROUPS = 3
"""Groups below which nothing is said about the variance between them."""
VAGUE = 0.8
"""Width of the interval of a share above which the share is too uncertain to report."""
MOST_EACH = 1000
"""Limit for the advised number per group, where groups hardly differ."""


@dataclass(frozen=True)
class Components:
    """Variance of a number between groups and within them.

    Attributes:
        groups: Number of groups.
        each: Harmonic mean of the sizes of the groups.
        between: Variance between groups; 0 where the estimate is negative.
        within: Variance within groups.
        share: `between` as a share of their sum.
        low: Lower end of the interval of the share, 0 to 1.
        high: Upper end.
    """

    groups: int
    each: float
    between: float
    within: float
    share: float
    low: float
    high: float

    @property
    def vague(self) -> bool:
        """Whether the share is too uncertain to report."""
        return not self.high - self.low <= VAGUE

    def variance(self, groups: float, each: float) -> float:
        """Return the variance of a mean over this number of groups with `each` numbers each."""
        return self.between / groups + self.within / (groups * each)

    def half_width(self, groups: int, each: float, alpha: float) -> float:
        """Return the half-width of a t interval over groups, as these variances predict."""
        critical = float(stats.t.ppf(1 - alpha / 2, groups - 1))
        return critical * math.sqrt(self.variance(groups, each))


def components(groups: Sequence[Sequence[float]], alpha: float = 0.05) -> Components | None:
    """Return the components of variance of numbers in groups.

    With groups of equal size, these are the usual estimates (the mean squares between and within),
    and the interval of the share is exact for normal numbers. Groups of different sizes count
    equally, as if they all had the harmonic mean of the sizes (Thomas & Hultquist 1978).

    Args:
        groups: The numbers of each group; groups without any are left out.
        alpha: One minus the confidence of the interval.

    Returns:
        The components; None with too few groups, with one number in each, or without any variance.
    """
    data = [np.asarray(group, dtype=float) for group in groups if len(group)]
    rest = sum(len(group) for group in data) - len(data)
    if len(data) < FEWEST_GROUPS or rest < 1:
        return None

    each = len(data) / sum(1 / len(group) for group in data)
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in data) / rest
    means = float(np.var([group.mean() for group in data], ddof=1))
    if not within + means > 0:
        return None

    between = max(means - within / each, 0.0)
    ratio = each * means / within if within else math.inf
    df = (len(data) - 1, rest)
    ends = [_share(ratio / stats.f.ppf(level, *df), each) for level in (1 - alpha / 2, alpha / 2)]
    return Components(len(data), each, between, within, between / (between + within), *ends)


def _share(ratio: float, each: float) -> float:
    """Return the share of the variance between groups that a ratio of mean squares stands for."""
    return 1.0 if math.isinf(ratio) else max((ratio - 1) / (ratio - 1 + each), 0.0)


def best_each(parts: Components, cost_group: float, cost_one: float) -> int:
    """Return how many numbers per group give the narrowest interval for a given cost.

    The rule is that of two-stage sampling (Cochran 1977, Sampling Techniques, section 10.6): the
    square root of the ratio of the costs times the ratio of the variances.

    Args:
        parts: The variances.
        cost_group: Cost of a group without its numbers.
        cost_one: Cost of one number.
    """
    if not cost_group > 0:
        return 1
    if not parts.between > 0:
        return MOST_EACH
    best = math.sqrt(cost_group / cost_one * parts.within / parts.between)
    return min(max(round(best), 1), MOST_EACH)


@dataclass(frozen=True)
class Step:
    """One way to make a study larger.

    Attributes:
        of: `group`: another group with as many numbers as the others; `one`: another number in each
            group.
        cost: What it costs.
        half_width: Half-width of the interval afterwards.
    """

    of: Literal["group", "one"]
    cost: float
    half_width: float


def next_step(
    parts: Components, cost_group: float, cost_one: float, alpha: float = 0.05
) -> tuple[Step, Step]:
    """Return the cheaper way to narrow an interval over groups, and the other one.

    The cheaper way is the one that shortens the square of the interval more for what it costs: this
    square falls in proportion to the cost of a study that grows evenly.

    Args:
        parts: The variances, and the size of the study.
        cost_group: Cost of a group without its numbers.
        cost_one: Cost of one number.
        alpha: One minus the confidence of the interval.
    """
    groups, each = parts.groups, parts.each
    now = parts.half_width(groups, each, alpha) ** 2
    steps = (
        Step("group", cost_group + each * cost_one, parts.half_width(groups + 1, each, alpha)),
        Step("one", groups * cost_one, parts.half_width(groups, each + 1, alpha)),
    )

    def gained(step: Step) -> float:
        """Return how much of the square of the interval a step saves for each unit of cost."""
        return (now - step.half_width**2) / step.cost if step.cost > 0 else math.inf

    better, other = sorted(steps, key=gained, reverse=True)
    return better, other
