"""The rule that reports followed before they knew interactions, for comparison: per-seed averages, t, Holm."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from benchmarks.known_truth.world import World
from reports.claims.design import Design
from reports.claims.estimates import Trials
from reports.stats.paired import ALPHA, judged
from reports.stats.sequential import family_level

OPEN = "not enough data"


@cache
def level(looks: tuple[int, ...], changes: int) -> float:
    """Its level at each look."""
    return family_level(looks, changes, np.random.default_rng(0)) if looks else ALPHA


def words(trials: Trials, design: Design, margin: float, alpha: float) -> dict[str, str]:
    """The verdict of each change."""
    values = {term.name: _by_seed(trials.values, design, place) for place, term in enumerate(design.compared)}
    found = judged({name: by_seed for name, by_seed in values.items() if by_seed}, margin, "lower", alpha)
    return {name: found[name][2] if name in found else OPEN for name in values}


def _by_seed(values: np.ndarray, design: Design, place: int) -> dict[int, float]:
    """Seed -> mean difference over the pairs of cells that both have; of a fraction its balanced contrast."""
    term = design.compared[place]
    if term.blocks:
        first, level_ = (np.array([block.cells[side] for block in term.blocks]) for side in (0, 1))
        differences = values[:, level_] - values[:, first]
    else:
        differences = (values @ design.fraction_weights(term))[:, None]
    known = np.isfinite(differences)
    return {
        seed: float(row[kept].mean())
        for seed, (row, kept) in enumerate(zip(differences, known, strict=True))
        if kept.any()
    }


def false(said: Mapping[str, str], world: World) -> bool:
    """Whether a verdict is false, its plain sentence taken at its word: it names no setting, so it is about each."""
    margin, tiny = world.margin, 1e-9
    for term in world.design.compared:
        word = said[term.name]
        if word == OPEN:
            continue
        if term.blocks:
            effects = np.array([world.means[b.cells[1]] - world.means[b.cells[0]] for b in term.blocks])
        else:
            effects = np.array([_main(world, term.name)])
        sign = -1 if word == "helps" else 1
        if word == "equivalent":
            wrong = bool((np.abs(effects) >= margin - tiny).any())
        else:
            wrong = sign * effects.mean() <= tiny or bool((sign * effects <= -margin + tiny).any())
        if wrong:
            return True
    return False


def _main(world: World, factor: str) -> float:
    """The effect of a factor of a fraction, alone: the sentence named no other term."""
    parts = (effect / 2 ** term.count("*") for term, effect in world.effects.items() if factor in term.split("*"))
    return world.margin * sum(parts)
