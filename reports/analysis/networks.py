"""Studies of several networks: effects in single networks, and how much networks add to them."""

import math
from collections.abc import Sequence

import pandas as pd
from scipy import stats

from reports.analysis.cells import Cells
from reports.analysis.intervals import effect_interval
from reports.claims.design import Term
from reports.claims.rule import Judgement
from reports.documents.plan import PretrainingDocument
from reports.stats.nested import best_each, components, next_step

NETWORKS = ("factor", "network", "effect", "low", "high", "n_seeds")
VARIANCE = (
    *("factor", "networks", "seeds_each", "between_networks", "within_networks"),
    *("share", "share_low", "share_high", "vague"),
    *("network_steps", "seed_steps", "best_seeds_each"),
    *("next", "next_steps", "other_steps"),
    *("half_width", "next_half_width", "other_half_width"),
)


def networks_frame(cells: Cells, alpha: float) -> pd.DataFrame:
    """Return the effect of each change in each network, with an interval over its seeds.

    Such an interval is about that network and no other. It is described, not tested.

    Args:
        cells: The outcome.
        alpha: One minus the confidence of the intervals.
    """
    rows = []
    for term in cells.design.compared if cells.network_of else ():
        for network, effects in effects_by_network(cells, term).items():
            own = effect_interval(cells, effects, alpha)
            rows.append((term.name, network, own.mean, own.low, own.high, own.n))
    return pd.DataFrame(rows, columns=list(NETWORKS))


def effects_by_network(cells: Cells, term: Term) -> dict[int, list[float]]:
    """Return network -> the effects of a change in its seeds, on the scale of the rule."""
    groups: dict[int, list[float]] = {}
    for seed, effect in cells.effects_by_seed(term).items():
        groups.setdefault(cells.network_of.get(seed, seed), []).append(effect)
    return groups


def variance_frame(cells: Cells, judgement: Judgement) -> pd.DataFrame:
    """Return how much networks add to the variance of each effect, and what to run next.

    Variances are on the scale of the rule. Costs are training steps of all arms. `next` is
    `network` or `seed`: another network with as many seeds, or another seed on each network,
    whichever narrows the interval more for its steps. `half_width` is that of the interval as it
    is; the others are in proportion to it as the variances predict.

    Args:
        cells: The outcome.
        judgement: The numbers behind the verdicts.
    """
    rows, alpha = [], judgement.alpha
    network_steps, seed_steps = costs(cells)
    for term in cells.design.compared if cells.network_of else ():
        parts = components(list(effects_by_network(cells, term).values()))
        if parts is None:
            continue
        row = [term.name, parts.groups, parts.each, parts.between, parts.within]
        row += [parts.share, parts.low, parts.high, parts.vague, network_steps, seed_steps]
        if seed_steps > 0:
            better, other = next_step(parts, network_steps, seed_steps, alpha)
            predicted = parts.half_width(parts.groups, parts.each, alpha)
            numbers = judgement.numbers[term.name]
            now = numbers.se * float(stats.t.ppf(1 - alpha / 2, numbers.df))
            scale = now / predicted
            row += [
                best_each(parts, network_steps, seed_steps),
                "network" if better.of == "group" else "seed",
                *(better.cost, other.cost, now),
                *(better.half_width * scale, other.half_width * scale),
            ]
        rows.append([*row, *[None] * (len(VARIANCE) - len(row))])
    return pd.DataFrame(rows, columns=list(VARIANCE))


def costs(cells: Cells) -> tuple[float, float]:
    """Return the training steps of a network, and those of one seed of it in all arms.

    A network costs the pre-trainings that no other network needs, with those that they start from.
    """
    trials, networks = cells.table.trials, len(set(cells.network_of.values()))
    if not networks:
        return math.nan, math.nan

    done = trials[trials["status"] == "finished"]
    steps = done["steps_done"].astype(float) if "steps_done" in done else pd.Series(dtype=float)
    arms = len(cells.design.cells)
    return _own_steps(cells.plan.get("pretrainings", ()), networks), (
        float(steps.mean()) * arms if len(steps) else math.nan
    )


def _own_steps(starts: Sequence[PretrainingDocument], networks: int) -> float:
    """Return the steps of the pre-trainings of a network that the others don't share."""
    steps: dict[str, list[int]] = {}
    for start in starts:
        steps.setdefault(start["study"], []).append(start["steps"])
    # A study with fewer trials than there are networks made what they all start from.
    return sum(sum(those) for those in steps.values() if len(those) >= networks) / networks
