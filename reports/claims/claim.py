"""A claim: one thing that a report may say, as data from which all sentences are made."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "direction",
    "equivalent",
    "one_sided",
    "depends",
    "diverges",
    "composite",
    "idle",
    "undecided",
    "uncompared",
]
"""What a claim is about.

`one_sided` is `no harm` or `no benefit`; `composite` ranks diverged trials last.
"""

ScopeType = Literal["everywhere", "on_average", "at", "clean", "alias_group"]

VERDICTS = (
    *("harms", "helps", "equivalent", "depends", "no harm", "no benefit"),
    *("harms on average", "helps on average", "equivalent on average"),
    *("diverges", "not enough data"),
)
"""Words of a factor's verdict."""

ASSERTS_NOTHING = ("undecided", "uncompared")
"""Kinds of claims that say that something is unknown."""


class ClaimError(Exception):
    """Claim that contradicts itself: a defect of the analysis that must not reach readers."""


@dataclass(frozen=True)
class Scope:
    """Settings that a claim holds in.

    Attributes:
        type: `everywhere`: in each setting that was run; `on_average`: on the mean of those
            settings; `at`: at the levels of `at`; `clean`: on the mean over the settings in which
            no trial diverged; `alias_group`: on the sum of `terms`.
        at: Factor -> level.
        over: The settings, if they aren't all settings of the design.
        left_out: The settings of the design that have no result, or in which trials diverged.
        terms: In an alias group, the terms that the design can't distinguish.
        every: In a scope `clean`, whether the claim holds in each of its settings and not only on
            their mean.
    """

    type: ScopeType
    at: Mapping[str, str] = field(default_factory=dict)
    over: tuple[Mapping[str, str], ...] = ()
    left_out: tuple[Mapping[str, str], ...] = ()
    terms: tuple[str, ...] = ()
    every: bool = False

    @property
    def single(self) -> bool:
        """Whether the claim names its settings, so that it is about less than the whole design."""
        return self.type == "at"

    def to_dict(self) -> dict[str, Any]:
        """Return the scope as JSON."""
        return {
            "type": self.type,
            "at": dict(self.at),
            "over": [dict(levels) for levels in self.over],
            "left_out": [dict(levels) for levels in self.left_out],
            "terms": list(self.terms),
            "every": self.every,
        }


@dataclass(frozen=True)
class Counts:
    """Diverged trials and ended trials (finished or diverged) at the two levels of a comparison."""

    diverged: int
    ended: int
    diverged_first: int
    ended_first: int


@dataclass(frozen=True)
class Claim:
    """One thing that a report may say.

    Attributes:
        id: Unique in a report.
        kind: What the claim is about.
        subject: Name of the change: a factor, or `factor=level` for a factor with several levels;
            for `depends` the term.
        factor: The factor; empty for `depends`.
        level: The level that is compared, or that makes trials diverge.
        against: The level that it is compared with.
        word: `harms`, `helps`, `equivalent`, `no harm`, `no benefit`, `depends`, `diverges`, or
            empty.
        scope: The settings that it holds in.
        estimate: Change of the outcome from the first level, in the outcome's unit (on a log scale
            the ratio less 1).
        low: Lower end of the estimate's interval.
        high: Upper end of the estimate's interval.
        confidence: Confidence of the interval.
        percent: The estimate in percent of the first level's mean in the same seeds; nan if that
            mean is uncertain, and for interactions.
        percent_low: Lower end of the interval of that ratio.
        percent_high: Upper end of the interval of that ratio.
        p: Uncorrected p value of the test.
        p_adjusted: p corrected over all claims of the report; a claim is made if it is below 0.05.
        test: `t`, `t by CR2`, `sequence`, `Boschloo`, or `exact`.
        df: Degrees of freedom.
        n_seeds: Number of seeds that have both sides.
        n_pairs: Number of pairs of trials.
        family: Family of claims whose share of the error it spends.
        gate: Id of the claim that had to be made first.
        counts: Diverged trials at both levels.
        look: Seeds at the planned look that decided it; None if no look did.
        caveats: `skewed`, `quantised`, `unplanned_look`, `missing`, `diverged`, and `small`: the
            interval reaches into the margin. Reports add `interim`, `plan_narrowed`, and
            `rule_changed`.
    """

    id: str
    kind: Kind
    subject: str
    scope: Scope
    factor: str = ""
    level: str = ""
    against: str = ""
    word: str = ""
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    confidence: float = 0.95
    percent: float = math.nan
    percent_low: float = math.nan
    percent_high: float = math.nan
    p: float = math.nan
    p_adjusted: float = math.nan
    test: str = ""
    df: float = math.nan
    n_seeds: int = 0
    n_pairs: int = 0
    family: str = ""
    gate: str = ""
    counts: Counts | None = None
    look: int | None = None
    caveats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ClaimError for a claim that no data could support."""
        if self.kind in ASSERTS_NOTHING:
            if self.word not in ("", "not enough data"):
                raise ClaimError(f"{self.id}: asserts nothing, yet says {self.word}")
        elif self.kind != "idle" and not self.p_adjusted < 0.05:
            raise ClaimError(f"{self.id}: {self.kind} with a corrected p of {self.p_adjusted}")
        if self.scope.type == "alias_group" and len(self.scope.terms) < 1:
            raise ClaimError(f"{self.id}: an alias group without terms")
        if self.scope.type == "at" and not self.scope.at and self.kind != "undecided":
            raise ClaimError(f"{self.id}: holds at levels that it does not name")

    def to_dict(self) -> dict[str, Any]:
        """Return the claim as JSON; numbers that are not finite are None."""
        numbers = (
            "estimate",
            "low",
            "high",
            "percent",
            "percent_low",
            "percent_high",
            "p",
            "p_adjusted",
            "df",
        )
        content: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "word": self.word,
            "subject": self.subject,
        }
        content |= {"factor": self.factor, "level": self.level, "against": self.against}
        content |= {"scope": self.scope.to_dict()}
        content |= {name: _finite(getattr(self, name)) for name in numbers}
        content |= {"confidence": self.confidence, "test": self.test}
        content |= {"n_seeds": self.n_seeds, "n_pairs": self.n_pairs, "family": self.family}
        content |= {"gate": self.gate or None, "look": self.look, "caveats": list(self.caveats)}
        if self.counts is not None:
            content["counts"] = vars(self.counts).copy()
        return content


def averaged(claim: Claim) -> bool:
    """Return whether a claim is about the mean of several settings and nothing more."""
    scope = claim.scope
    mean = scope.type in ("on_average", "alias_group") or (
        scope.type == "clean" and not scope.every
    )
    return claim.kind in ("direction", "equivalent") and mean


def interacting(claim: Claim) -> set[str]:
    """Return the changes of an interaction, and those of its aliases."""
    return {name for term in (claim.scope.terms or (claim.subject,)) for name in term.split(" × ")}


def depending(claims: Iterable[Claim]) -> set[str]:
    """Return the changes of all established interactions."""
    return {name for claim in claims if claim.kind == "depends" for name in interacting(claim)}


def check(claims: tuple[Claim, ...]) -> None:
    """Check the claims of a report against each other.

    Raises:
        ClaimError: An average is claimed of a factor in an established interaction, a conditional
            claim lacks its gate, or an id occurs twice.
    """
    ids = {claim.id for claim in claims}
    if len(ids) < len(claims):
        raise ClaimError("two claims have one id")
    blocked = depending(claims)
    for claim in claims:
        if averaged(claim) and claim.subject in blocked:
            raise ClaimError(f"{claim.id}: an average beside an established interaction")
        if claim.gate and claim.gate not in ids:
            raise ClaimError(f"{claim.id}: its gate {claim.gate} is no claim")


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def ranked(claims: Iterable[Claim], *kinds: Kind, word: str = "") -> list[Claim]:
    """Return the claims of these kinds, the largest effect first.

    Args:
        claims: The claims to choose from.
        *kinds: Kinds of the chosen claims.
        word: Their word; empty for any.
    """
    chosen = [claim for claim in claims if claim.kind in kinds and (not word or claim.word == word)]
    return sorted(
        chosen, key=lambda claim: 0.0 if math.isnan(claim.estimate) else -abs(claim.estimate)
    )
