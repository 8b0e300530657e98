"""Whether several studies agree on a change, and the mean of its effect over these studies.

Effects are compared, never the words of verdicts. Two studies with different words need not
disagree, least of all if their margins differ. Whatever forbids a comparison is kept as a reason
next to the numbers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np

from reports.claims.claim import ClaimError
from reports.claims.design import Change
from reports.claims.estimates import FEWEST_SEEDS
from reports.stats.agreement import LEAST_STUDIES, over_studies, pooled_mean, welch_f
from reports.stats.paired import ALPHA, Interval, holm

What = Literal[
    "metric",
    "direction",
    "scale",
    "summary",
    "length",
    "levels",
    "shared_trials",
    "depends",
    "diverged",
    "few_seeds",
    "no_spread",
    "margin",
]
"""Reasons that forbid a comparison, see `Reason`."""


class Measured(NamedTuple):
    """How effects are measured; effects that are measured differently can't be compared.

    Attributes:
        metric: Name of the outcome.
        direction: `lower` or `higher`, whichever is better.
        scale: `linear` or `log`.
        summary: How the outcome is read from a curve, such as `last`.
        length: Planned length of the trials, in words.
    """

    metric: str
    direction: str
    scale: str
    summary: str
    length: str


@dataclass(frozen=True)
class Part:
    """Effects of one change in one study.

    Attributes:
        study: Name of the study, unique among those compared.
        change: The change, with its level and the first level.
        word: The study's verdict on the change.
        effects: One number per seed, on the scale of the study's rule; larger where the outcome is
            larger.
        measured: How the effects are measured.
        margin: The smallest effect that matters, as readers see it; None if the study has none.
        sets: Paths of the config that the two levels set.
        trials: Ids of the trials that the effects are made of.
        depends: Whether the study established that the effect depends on another factor.
        diverged: Number of trials at either level that diverged.
        missing: Number of pairs of trials of which one lacks an outcome.
        aliases: In a fraction, the terms that the study can't distinguish from the change.
    """

    study: str
    change: Change
    word: str
    effects: tuple[float, ...]
    measured: Measured
    margin: float | None = None
    sets: frozenset[str] = frozenset()
    trials: frozenset[str] = frozenset()
    depends: bool = False
    diverged: int = 0
    missing: int = 0
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reason:
    """Reason why studies must not be compared.

    Attributes:
        what: The kind of reason.
        forbids: `words` if the words of the verdicts can't be compared; `sizes` if the effects
            can't, so that there is no number over studies.
        studies: The studies concerned.
    """

    what: What
    forbids: Literal["words", "sizes"]
    studies: tuple[str, ...]


class StudyEffect(NamedTuple):
    """Effect in one study, with its own 95% interval, as readers see it.

    Attributes:
        study: Name of the study.
        word: Verdict of the study.
        estimate: Mean over seeds; on a log scale the ratio less 1, as are the ends.
        low: Lower end of the t interval; nan where the seeds are too few.
        high: Upper end.
        n: Number of seeds.
        margin: The smallest effect that matters; None if the study has none.
        missing: Number of pairs of trials of which one lacks an outcome.
        aliases: The terms that the study can't distinguish from the change.
    """

    study: str
    word: str
    estimate: float
    low: float
    high: float
    n: int
    margin: float | None
    missing: int
    aliases: tuple[str, ...]


class Mean(NamedTuple):
    """Mean over studies of equal weight, with its 95% interval, as readers see it."""

    estimate: float
    low: float
    high: float
    df: float


class Heterogeneity(NamedTuple):
    """Welch's F test of "the effect is the same in all studies"; `p_adjusted` is Holm's."""

    statistic: float
    df1: float
    df2: float
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class Agreement:
    """Comparison of several studies of one change.

    Attributes:
        change: The change; named `factor=level` if the studies name it in different ways.
        studies: The effect in each study, in the order of the studies.
        reasons: What forbids comparing words or sizes.
        log: Whether effects are ratios less 1.
        test: Whether the studies differ; None if sizes must not be compared.
        mean: The mean of these studies, about them alone; None if sizes must not be compared.
        over: The mean in studies like these, which takes them as a random sample of such studies;
            None if sizes must not be compared, or with fewer than three studies.
    """

    change: Change
    studies: tuple[StudyEffect, ...]
    reasons: tuple[Reason, ...] = ()
    log: bool = False
    test: Heterogeneity | None = None
    mean: Mean | None = None
    over: Mean | None = None

    def __post_init__(self) -> None:
        """Raise ClaimError for numbers that no data could support."""
        name, numbers = self.change.name, (self.test, self.mean, self.over)
        if len(self.studies) < 2:
            raise ClaimError(f"{name}: one study agrees with nothing")
        if self.forbidden("sizes") and any(number is not None for number in numbers):
            raise ClaimError(f"{name}: a number over studies whose sizes must not be compared")
        if self.over is not None and len(self.studies) < LEAST_STUDIES:
            raise ClaimError(f"{name}: {len(self.studies)} studies say nothing of others like them")

    def forbidden(self, which: Literal["words", "sizes"]) -> tuple[Reason, ...]:
        """Return the reasons that forbid comparing the words, or the sizes."""
        return tuple(reason for reason in self.reasons if reason.forbids == which)

    @property
    def differ(self) -> bool:
        """Whether it is established that the effect isn't the same in all of these studies."""
        return self.test is not None and self.test.p_adjusted < ALPHA

    @property
    def margins(self) -> tuple[float | None, ...]:
        """Margin of each study."""
        return tuple(study.margin for study in self.studies)

    def to_dict(self) -> dict[str, Any]:
        """Return the agreement as JSON; numbers that aren't finite are None."""
        change = self.change
        tuples = {"test": self.test, "mean": self.mean, "over": self.over}
        return {
            "change": change.name,
            "factor": change.factor,
            "level": change.level,
            "against": change.first,
            "scale": "log" if self.log else "linear",
            "studies": [_json(study._asdict()) for study in self.studies],
            "reasons": [
                {**vars(reason), "studies": list(reason.studies)} for reason in self.reasons
            ],
            "differ": self.differ,
            **{key: known and _json(known._asdict()) for key, known in tuples.items()},
        }


def agreements(parts: Iterable[Part]) -> tuple[Agreement, ...]:
    """Compare the studies on every change that two or more of them share.

    A change is shared where factor, level, and first level have the same labels. The tests of all
    shared changes are corrected together by Holm's method.

    Args:
        parts: The parts of all studies; the order of changes and studies is kept.
    """
    groups: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        change = part.change
        groups.setdefault((change.factor, change.first, change.level), []).append(part)
    shared = [group for group in groups.values() if len(group) > 1]

    reasons = [_reasons(group) for group in shared]
    tests = [
        None if _forbid_sizes(forbidding) else welch_f(_samples(group))
        for group, forbidding in zip(shared, reasons, strict=True)
    ]

    # All tests are one family, so that more shared changes cause no more false alarms.
    adjusted = holm([math.nan if test is None else test[3] for test in tests])
    return tuple(
        _agreement(group, forbidding, None if test is None else Heterogeneity(*test, p))
        for group, forbidding, test, p in zip(shared, reasons, tests, adjusted, strict=True)
    )


def _agreement(
    parts: Sequence[Part],
    reasons: tuple[Reason, ...],
    test: Heterogeneity | None,
) -> Agreement:
    """Return the comparison of one change; without a test, there is no mean either."""
    log = all(part.measured.scale == "log" for part in parts)
    studies, change = tuple(_effect(part) for part in parts), _common(parts)
    if test is None:
        return Agreement(change, studies, reasons, log)

    samples = _samples(parts)
    *numbers, df = pooled_mean(samples)
    mean = _mean(numbers, df, log)
    similar = over_studies(samples)
    over = (
        None
        if similar is None
        else _mean((similar.mean, similar.low, similar.high), similar.n - 1, log)
    )
    return Agreement(change, studies, reasons, log, test, mean, over)


def _mean(numbers: Sequence[float], df: float, log: bool) -> Mean:
    """Return a mean as readers see it, from its estimate and the ends of its interval."""
    estimate, low, high = (_shown(number, log) for number in numbers)
    return Mean(estimate, low, high, float(df))


def _common(parts: Sequence[Part]) -> Change:
    """Return the change that all parts are about; a factor may have more levels in one study."""
    change = parts[0].change
    if all(part.change.name == change.name for part in parts):
        return change
    return Change(f"{change.factor}={change.level}", change.factor, change.level, change.first)


def _effect(part: Part) -> StudyEffect:
    """Return the effect in one study."""
    interval, log = Interval.of(part.effects), part.measured.scale == "log"
    return StudyEffect(
        study=part.study,
        word=part.word,
        estimate=_shown(interval.mean, log),
        low=_shown(interval.low, log),
        high=_shown(interval.high, log),
        n=interval.n,
        margin=part.margin,
        missing=part.missing,
        aliases=part.aliases,
    )


def _reasons(parts: Sequence[Part]) -> tuple[Reason, ...]:
    """Return every reason that forbids comparing words or sizes of these studies."""
    everyone = tuple(part.study for part in parts)
    reasons: list[Reason] = []
    measures: tuple[What, ...] = ("metric", "direction", "scale", "summary", "length")
    for what in measures:
        if len({getattr(part.measured, what) for part in parts}) > 1:
            reasons.append(Reason(what, "sizes", everyone))

    # Levels with the same labels that set other keys are another change. Other values of the same
    # keys don't forbid a comparison.
    if len({part.sets for part in parts}) > 1:
        reasons.append(Reason("levels", "sizes", everyone))

    # Studies with a trial in common are not independent, and a mean would count it twice.
    common = {one.study for a, b in combinations(parts, 2) if a.trials & b.trials for one in (a, b)}
    by_study: tuple[tuple[What, set[str]], ...] = (
        ("shared_trials", common),
        ("depends", {part.study for part in parts if part.depends}),
        ("diverged", {part.study for part in parts if part.diverged}),
        ("few_seeds", {part.study for part in parts if _known(part).size < FEWEST_SEEDS}),
        ("no_spread", {part.study for part in parts if _flat(part)}),
    )
    for what, concerned in by_study:
        if concerned:
            studies = tuple(study for study in everyone if study in concerned)
            reasons.append(Reason(what, "sizes", studies))

    if len({part.margin for part in parts}) > 1:
        reasons.append(Reason("margin", "words", everyone))
    return tuple(reasons)


def _forbid_sizes(reasons: Iterable[Reason]) -> bool:
    """Return whether a reason forbids comparing the sizes of effects."""
    return any(reason.forbids == "sizes" for reason in reasons)


def _flat(part: Part) -> bool:
    """Return whether all seeds have one and the same effect, and there are enough of them."""
    values = _known(part)
    return bool(values.size >= FEWEST_SEEDS and np.ptp(values) == 0)


def _known(part: Part) -> np.ndarray:
    """Return the effects that are known."""
    values = np.array(part.effects, dtype=float)
    known: np.ndarray = values[np.isfinite(values)]
    return known


def _samples(parts: Sequence[Part]) -> list[np.ndarray]:
    return [_known(part) for part in parts]


def _shown(value: float, log: bool) -> float:
    """Return an effect as readers see it: a difference of logarithms as a ratio less 1."""
    return math.expm1(value) if log else value


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as JSON."""
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
