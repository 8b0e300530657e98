"""The rule of a study, fixed before its trials, and the judgement that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reports.claims.claim import Claim

WORDS = {1: "harms", -1: "helps"}
SIDES = {1: "no harm", -1: "no benefit"}
"""Words for a contrast's sign (+ is worse): `WORDS` names it, `SIDES` says that it is ruled out."""
OPEN = "not enough data"


@dataclass(frozen=True)
class Rule:
    """What a study decided before its trials.

    Attributes:
        better: `lower` or `higher`.
        margin: The smallest effect that matters, in the unit of the values; None if there is none.
        log: Whether the values are logarithms, so that effects are ratios.
        looks: Planned numbers of seeds.
        spend: How the error is spent over the looks.
        peeked: Whether seeds were added without a plan, after someone had seen results.
        share: Part of the error budget that this outcome may spend.
        divergence: Whether claims about divergence are made of this outcome. Only the primary
            outcome makes them, so that they appear once.
    """

    better: str = "lower"
    margin: float | None = None
    log: bool = False
    looks: tuple[int, ...] = ()
    spend: str = "late"
    peeked: bool = False
    share: float = 1.0
    divergence: bool = True

    @property
    def worse(self) -> float:
        """+1 if larger values are worse, else -1."""
        return 1.0 if self.better == "lower" else -1.0


class Numbers(NamedTuple):
    """Estimate of a contrast as readers see it, in the outcome's own unit and direction.

    Attributes:
        estimate: On a log scale the ratio less 1, as are `low` and `high`.
        low: Lower end of the interval.
        high: Upper end of the interval.
        p: Two-sided p value.
        p_adjusted: The p value corrected for all claims of the report.
        n: Number of seeds that count.
        df: Degrees of freedom.
        se: Standard error on the scale of the rule.
        mean: The estimate on that scale; + is worse.
    """

    estimate: float
    low: float
    high: float
    p: float
    p_adjusted: float
    n: int
    df: float
    se: float
    mean: float


@dataclass(frozen=True)
class Judgement:
    """What is claimed of a study.

    Attributes:
        claims: All claims, each once.
        verdicts: Name of a change -> its verdict.
        numbers: Name of a change or interaction -> its estimate.
        level: Two-sided level of a test of the direction of one change.
        alpha: One minus the confidence of intervals.
        look: Seeds at the last planned look that was reached; 0 if none was reached, None if none
            was planned.
    """

    claims: tuple[Claim, ...]
    verdicts: Mapping[str, str]
    numbers: Mapping[str, Numbers]
    level: float
    alpha: float
    look: int | None = None
