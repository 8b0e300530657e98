"""Tests for an endless stream of proposals, each of which is kept or dropped after a few seeds.

Two things make luck look like progress: many proposals, and looking at each again and again. The
levels of the stream pay for the first, by LORD++ (Ramdas, Yang, Wainwright & Jordan 2017,
arXiv:1710.00499). The shares of the looks pay for the second, by the union bound. Each look is an
exact sign-flip test: it assumes only that a proposal without effect and the reference could change
places within a seed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

Guard = Literal["stream", "proposal"]
Decision = Literal["keep", "drop", "more"]

LOOKS = (8, 12, 20)
"""Numbers of seeds at which a proposal may be decided; with 8, a p of 0.004 is possible."""
SHARES = (0.1, 0.3, 0.6)
"""Part of a proposal's level that each look may spend; they add up to 1."""
ERROR = 0.05
"""Chance that a stream without any improvement keeps something, ever."""
EVEN, EVEN_SHARE = 10, 0.06
"""The first ten proposals get the same part of the error each; the others share the rest."""
HOPELESS = 0.10
"""A proposal is dropped early where even its optimistic effect would be kept less often."""
OPTIMISTIC = 0.90
"""Confidence of the one-sided limit that counts as the optimistic effect."""


@dataclass(frozen=True)
class Look:
    """A decision on one proposal.

    Attributes:
        decision: `keep`, `drop`, or `more`: more seeds are needed.
        reason: `better`, `too small`, `hopeless`, `not shown`, or `seeds`.
        seeds: Number of seeds that the decision rests on.
        missing: Number of further seeds until the next look; 0 after a decision.
        p: One-sided p of the sign-flip test at the last look; nan before the first.
        effect: Mean improvement over these seeds; nan without seeds.
        low: Lower end of the 95% interval of the improvement; nan with fewer than two seeds.
        high: Its upper end.
    """

    decision: Decision
    reason: str
    seeds: int
    missing: int
    p: float
    effect: float
    low: float
    high: float


def stream_level(number: int, kept: Sequence[int], error: float = ERROR) -> float:
    """Return the level of a proposal in a stream, by LORD++.

    While nothing was kept, the levels of all proposals add up to at most `error`, so that a stream
    without improvements keeps something with that chance at most, however the runs depend on each
    other. From the second proposal that is kept on, each earns the whole error again. Then at most
    a share `error` of what is kept is luck, on average, if each p value is valid given the past.

    Args:
        number: Place of the proposal in the stream, from 1.
        kept: Places of earlier proposals that were kept, ascending.
        error: The error to spend, in (0, 1).
    """
    rewards = sum(_part(number - place) for place in kept[1:])
    return error * min(1.0, _part(number) + rewards)


def _part(number: int) -> float:
    """Return the part of the error that the proposal at a place gets; all parts add up to 1."""
    if number <= EVEN:
        return EVEN_SHARE
    return (1 - EVEN * EVEN_SHARE) * EVEN / (number * (number - 1))


def flip_p(improvements: Sequence[float] | np.ndarray) -> float:
    """Return the exact one-sided p of the sign-flip test of "no improvement".

    It is the share of sign patterns whose sum is at least the observed one.

    Args:
        improvements: One finite number per seed, positive for better; up to 40.
    """
    data = np.asarray(improvements, dtype=float)
    # All sums are those of one half plus those of the other, so that 20 seeds take 1,024 each.
    first, second = _sums(data[: data.size // 2]), np.sort(_sums(data[data.size // 2 :]))
    enough = data.sum() - 1e-12 * np.abs(data).sum() - first
    below = np.searchsorted(second, enough, side="left").sum()
    return float(1 - below / (first.size * second.size))


def _sums(values: np.ndarray) -> np.ndarray:
    """Return the sums of all sign patterns of some values."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def decide(
    improvements: Sequence[float],
    level: float,
    margin: float | None = None,
    noise: float = 0.0,
) -> Look:
    """Return what the seeds so far say about a proposal.

    The decision of a look is final: later seeds don't change a decision of an earlier look.

    Args:
        improvements: One number per seed, in the order in which seeds count, positive for better.
        level: The proposal's level, in (0, 1).
        margin: The smallest improvement that matters; None: any.
        noise: Standard deviation that improvements have at least, from runs of equal settings. It
            only makes early drops rarer.
    """
    data = np.asarray(improvements, dtype=float)
    p = math.nan
    for place, n in enumerate(LOOKS):
        if data.size < n:
            return _look("more", "seeds", data, n - data.size, p)
        part = data[:n]
        p = flip_p(part)
        mean, sd = float(part.mean()), max(float(part.std(ddof=1)), noise)
        half = sd / math.sqrt(n)
        if margin is not None and mean + float(stdtrit(n - 1, 1 - ERROR)) * half < margin:
            return _look("drop", "too small", part, 0, p)
        if p <= level * SHARES[place]:
            return _look("keep", "better", part, 0, p)
        if n == LOOKS[-1]:
            break
        if _chance(mean, sd, n, level * SHARES[-1]) < HOPELESS:
            return _look("drop", "hopeless", part, 0, p)
    return _look("drop", "not shown", data[: LOOKS[-1]], 0, p)


def _chance(mean: float, sd: float, n: int, level: float) -> float:
    """Return the chance to be kept at the last look, if the optimistic effect is the true one."""
    if sd == 0:
        return 1.0 if mean > 0 else 0.0
    last = LOOKS[-1]
    effect = mean + float(ndtri(OPTIMISTIC)) * sd / math.sqrt(n)
    wanted = -float(stdtrit(last - 1, max(level, 1e-12))) * sd * math.sqrt(last) - n * mean
    return float(ndtr(((last - n) * effect - wanted) / (sd * math.sqrt(last - n))))


def _look(decision: Decision, reason: str, data: np.ndarray, missing: int, p: float) -> Look:
    """Return a decision with the usual interval of the improvement."""
    n = data.size
    mean = float(data.mean()) if n else math.nan
    half = math.nan
    if n > 1:
        half = float(stdtrit(n - 1, 0.975)) * float(data.std(ddof=1)) / math.sqrt(n)
    return Look(decision, reason, n, missing, p, mean, mean - half, mean + half)
