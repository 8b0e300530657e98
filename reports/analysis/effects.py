"""Effects of factors, alone and together: contrasts, simple effects, and Shapley shares."""

from itertools import permutations

import numpy as np
import pandas as pd

from reports.analysis.cells import Cells, pairs
from reports.analysis.intervals import effect_interval, seeds_interval
from reports.claims.rule import Judgement

EFFECTS = ("term", "order", "estimate", "low", "high", "p", "p_adjusted", "aliases")
SHAPLEY = ("factor", "value", "low", "high")
SIMPLE = ("factor", "other", "level", "effect", "low", "high", "n")
MOST_SHAPLEY = 6
"""Factors up to which all orders of switching them on are enumerated."""


def effects_frame(cells: Cells, judgement: Judgement) -> pd.DataFrame:
    """Return the main effects and interactions of a factorial, in a fraction each alias group once.

    Args:
        cells: The outcome.
        judgement: The numbers behind the verdicts.
    """
    design = cells.design
    if not (design.complete and len(design.factors) > 1) and not design.fraction:
        return pd.DataFrame(columns=list(EFFECTS))
    rows = []
    for term in (*design.compared, *design.interactions):
        known = judgement.numbers[term.name]
        shown = (known.estimate, known.low, known.high, known.p, known.p_adjusted)
        rows.append((term.name, term.order, *shown, ", ".join(term.aliases[1:])))
    return pd.DataFrame(rows, columns=list(EFFECTS))


def simple_frame(cells: Cells, alpha: float) -> pd.DataFrame:
    """Return the effect of each change at each level of each other factor.

    The effects are described, not tested.

    Args:
        cells: The outcome.
        alpha: One minus the confidence of the intervals.
    """
    design, rows = cells.design, []
    for term in design.compared if design.complete else ():
        for other, levels in design.factors.items():
            for level in levels if other != term.changes[0].factor else ():
                at_level = [block for block in term.blocks if block.at[other] == level]
                effects = list(cells.by_unit(pairs(at_level)).values())
                effect = effect_interval(cells, effects, alpha)
                ends = (effect.low, effect.high)
                rows.append((term.name, other, level, effect.mean, *ends, effect.n))
    return pd.DataFrame(rows, columns=list(SIMPLE))


def shapley_frame(cells: Cells, alpha: float) -> pd.DataFrame:
    """Return each factor's average change over all orders of switching the factors on.

    Args:
        cells: The outcome.
        alpha: One minus the confidence of the intervals over seeds.
    """
    design = cells.design
    names = list(design.factors)
    if not (design.two_level and design.complete and 1 < len(names) <= MOST_SHAPLEY):
        return pd.DataFrame(columns=list(SHAPLEY))

    place = {
        frozenset(f for f in names if levels[f] != design.factors[f][0]): design.index[cell]
        for cell, levels in design.settings
    }

    # A share is a fixed contrast of the cells, so that one pass over all orders serves every seed.
    orders = list(permutations(names))
    weights = {name: np.zeros(len(design.cells)) for name in names}
    for order in orders:
        on: frozenset[str] = frozenset()
        for name in order:
            weights[name][place[on | {name}]] += 1 / len(orders)
            weights[name][place[on]] -= 1 / len(orders)
            on |= {name}

    complete = np.isfinite(cells.raw).all(axis=1)
    if not complete.any():
        return pd.DataFrame(columns=list(SHAPLEY))
    shares = {
        name: seeds_interval(cells, (cells.raw[complete] @ row).tolist(), alpha)
        for name, row in weights.items()
    }
    rows = [(name, share.mean, share.low, share.high) for name, share in shares.items()]
    return pd.DataFrame(rows, columns=list(SHAPLEY))
