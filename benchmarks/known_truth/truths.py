"""True effects of simulated studies, in units of the smallest effect that matters.

Positive effects are worse.
"""

import math
from collections.abc import Mapping

Effects = Mapping[str, float]
"""Term -> the effect that it adds where all its factors are at the level named.

Example: `{"a": 3, "a*b": -4, "a=2": 1}`. A factor without a level is meant at level 1.
"""

NOTHING: Effects = {}

CROSSOVER: Effects = {"a": 3, "b": 3, "a*b": -6}
PAIR: Effects = {"a": 1, "b": 1, "a*b": -2}
PAIR_OF_2: Effects = {"a": 2, "b": 2, "a*b": -4}
REVERSAL: Effects = {"a": 5, "b": -2, "a*b": -8}
REVERSAL_AT_MARGIN: Effects = {"a": 3, "a*b": -4}
THREE_WAY: Effects = {"a": 1, "b": 1, "c": 1, "a*b": -2, "a*c": -2, "b*c": -2, "a*b*c": 4}
AVERAGE_AT_MARGIN: Effects = {"a": 0.5, "a*b": 1}
ONE_CELL_AVERAGE_0: Effects = {"a": -1 / 3, "a*b*c": 4 / 3}
WITH_B: Effects = {"a*b": 3}


def additive(*effects: float) -> Effects:
    """Return one effect per factor, which is the same in every setting."""
    return {name: effect for name, effect in zip("abcdef", effects, strict=False) if effect}


def levels(**effects: tuple[float, ...]) -> Effects:
    """Return the effects of the levels after the first, as in `levels(a=(0, 1), b=(1,))`."""
    return {
        f"{name}={level}": effect
        for name, row in effects.items()
        for level, effect in enumerate(row, start=1)
        if effect
    }


def mean_at(effects: Effects, at: Mapping[str, str]) -> float:
    """Return the true mean outcome at these levels of all factors, in margins."""
    return math.fsum(
        effect
        for term, effect in effects.items()
        if all(_made(part, at) for part in term.split("*"))
    )


def _made(part: str, at: Mapping[str, str]) -> bool:
    """Check whether a factor is at the level that a part of a term names."""
    factor, _, level = part.partition("=")
    return at[factor] == (level or "1")
