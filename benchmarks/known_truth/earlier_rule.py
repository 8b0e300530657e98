"""The rule that reports followed before they considered interactions, for comparison.

It takes one average per seed, Student's t, and Holm's correction of directions. It calls an effect
equivalent if the 95% interval lies inside the margin. All looks have the same level, which pays for
all of them.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from scipy import special, stats

from benchmarks.known_truth.world import World
from reports.claims.design import Design, Term
from reports.claims.estimates import Trials

OPEN = "not enough data"
ALPHA = 0.05
STUDIES = 200_000


@cache
def level(looks: tuple[int, ...], changes: int) -> float:
    """Return the level of each look.

    At this level, 95 of 100 studies without effects have no false alarm by Holm's smallest test at
    any look.

    Args:
        looks: numbers of seeds at the planned looks; empty for a study without looks.
        changes: number of changes that Holm's method corrects for.
    """
    if not looks:
        return ALPHA
    values = np.random.default_rng(0).standard_normal((STUDIES, looks[-1]))
    smallest = np.min([stats.ttest_1samp(values[:, :n], 0.0, axis=1).pvalue for n in looks], axis=0)
    return changes * float(np.quantile(smallest, ALPHA / changes))


def words(trials: Trials, design: Design, margin: float, alpha: float) -> dict[str, str]:
    """Return the verdict on each change, by its name."""
    return judged(
        {term.name: _by_seed(trials.values, design, term) for term in design.compared},
        margin,
        alpha,
    )


def judged(
    effects: Mapping[str, np.ndarray], margin: float, alpha: float = ALPHA
) -> dict[str, str]:
    """Return the verdict on each change from its effect in each seed.

    Args:
        effects: change -> its effect in each seed; positive is worse.
        margin: the smallest effect that matters.
        alpha: level of the tests and intervals.
    """
    n = np.array([len(row) for row in effects.values()])
    mean, sd = (
        np.array([of(row) if len(row) > 1 else np.nan for row in effects.values()])
        for of in (np.mean, _deviation)
    )

    error = sd / np.sqrt(np.maximum(n, 1))
    half = special.stdtrit(n - 1, 1 - alpha / 2) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(mean == 0, 1.0, 2 * special.stdtr(n - 1, -np.abs(mean) / error))

    low, high, corrected = mean - half, mean + half, _holm(p)
    inside, apart = (-margin < low) & (high < margin), (corrected < alpha) & (low * high > 0)
    verdicts = np.where(
        inside, "equivalent", np.where(apart, np.where(mean > 0, "harms", "helps"), OPEN)
    )
    return dict(zip(effects, verdicts.tolist(), strict=True))


def _deviation(row: np.ndarray) -> float:
    """Return the standard deviation with n - 1 in the denominator."""
    return float(row.std(ddof=1))


def _holm(p: np.ndarray) -> np.ndarray:
    """Return Holm's step-down correction of the known p values; unknown ones stay nan."""
    adjusted, order = (
        np.full(len(p), np.nan),
        [int(place) for place in np.argsort(p) if np.isfinite(p[place])],
    )
    steps = [min(1.0, (len(order) - rank) * float(p[place])) for rank, place in enumerate(order)]
    adjusted[order] = np.maximum.accumulate(steps) if steps else steps
    return adjusted


def _by_seed(values: np.ndarray, design: Design, term: Term) -> np.ndarray:
    """Return the effect of a change in each seed that has one.

    The effect is the mean difference over the pairs of cells of which both have finished. In a
    fraction, it is the balanced contrast.
    """
    if not term.blocks:
        differences = (values @ design.fraction_weights(term))[:, None]
    else:
        first, moved = (np.array([block.cells[side] for block in term.blocks]) for side in (0, 1))
        differences = values[:, moved] - values[:, first]
    return np.array([row[np.isfinite(row)].mean() for row in differences if np.isfinite(row).any()])


def false(verdicts: Mapping[str, str], world: World) -> bool:
    """Check whether any verdict is false when its plain sentence is taken literally.

    The sentence names no setting, so it is about each setting.
    """
    return any(
        _false(verdicts[term.name], _effects(world, term), world.margin)
        for term in world.design.compared
    )


def _false(word: str, effects: Sequence[float], margin: float, tiny: float = 1e-9) -> bool:
    """Check whether a verdict is false for a change with these effects in its settings."""
    if word == OPEN:
        return False
    if word == "equivalent":
        return max(map(abs, effects)) >= margin - tiny
    sign = 1 if word == "harms" else -1
    return sign * sum(effects) <= tiny or min(sign * effect for effect in effects) <= tiny - margin


def _effects(world: World, term: Term) -> list[float]:
    """Return the true effect of a change in each setting.

    A fraction has one setting here. Its effect is that of the factor alone, because the rule named
    no aliases.
    """
    if term.blocks:
        return [
            float(world.means[block.cells[1]] - world.means[block.cells[0]])
            for block in term.blocks
        ]

    named = {name: effect for name, effect in world.effects.items() if term.name in name.split("*")}
    return [world.margin * sum(effect / 2 ** name.count("*") for name, effect in named.items())]
