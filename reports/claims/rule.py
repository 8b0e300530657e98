"""The rule of a study, fixed before its runs, and what follows from it: the judgement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reports.claims.claim import Claim

WORDS = {1: "harms", -1: "helps"}
SIDES = {1: "no harm", -1: "no benefit"}
"""Of a contrast in which + is worse: what its sign is called, and what the absence of that side
is."""
OPEN = "not enough data"


@dataclass(frozen=True)
class Rule:
    """What a study decided before its runs.

    Attributes:
        better: `lower` or `higher`.
        margin: the smallest effect that matters, in the unit of the values; None: there is none.
        log: whether the values are logarithms, so that effects are ratios.
        looks: planned numbers of seeds.
        spend: how the error is spent over them.
        peeked: whether seeds were added after results had been looked at, without a plan.
        share: part of the error budget that this outcome may spend.
        divergence: whether claims about divergence are made of this outcome; of a second one they
            would say it twice.
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
        """+1 where larger values are worse, else -1."""
        return 1.0 if self.better == "lower" else -1.0


class Numbers(NamedTuple):
    """The estimate of a contrast as readers see it: in the outcome's own unit and direction.

    Attributes:
        estimate: on a log scale the ratio less 1, as are `low` and `high`.
        low: lower end of the interval.
        high: upper end.
        p: two-sided.
        p_adjusted: corrected for all claims of the report.
        n: seeds that count.
        df: degrees of freedom.
        se: standard error on the scale of the rule.
        mean: the estimate on that scale, + is worse.
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
        claims: all of them, each once.
        verdicts: name of a change -> its word.
        numbers: name of a change or interaction -> its estimate.
        level: of a test of the direction of one change, two-sided.
        alpha: intervals have confidence 1 - alpha.
        look: seeds at the last planned look that was reached; None: none was planned, 0: none was
            reached.
    """

    claims: tuple[Claim, ...]
    verdicts: Mapping[str, str]
    numbers: Mapping[str, Numbers]
    level: float
    alpha: float
    look: int | None = None
