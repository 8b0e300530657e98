"""Trials of several seeds on each of several networks as one number per network and cell.

Trials that start from one network have the network in common, so they don't count as independent
evidence about the method. The unit of a claim about the method is the network: its seeds are
averaged first, and networks count equally, however many of their seeds have a result.
"""

from collections.abc import Sequence

import numpy as np

from reports.claims.estimates import Flags, Floats, Trials
from reports.stats.clustered import fit_cells


def over_networks(trials: Trials, networks: Sequence[int]) -> Trials:
    """Return trials whose rows are networks and whose values are means over a network's seeds.

    Args:
        trials: One row per seed.
        networks: The network of each row.

    Returns:
        One row per network, in the order in which they first appear. A network counts as diverged,
        or as open, in a cell if one of its trials there does.
    """
    order = tuple(dict.fromkeys(networks))
    rows = [np.array([own == network for own in networks]) for network in order]

    def sums(values: Floats) -> Floats:
        """Return (networks, cells): the sum over each network's seeds."""
        return np.array([values[row].sum(axis=0) for row in rows]).reshape(shape)

    shape = (len(order), trials.values.shape[1])
    means = [network_means(trials.values[row]) for row in rows]
    return Trials(
        seeds=order,
        values=np.array(means).reshape(shape),
        diverged=sums(trials.diverged.astype(float)) > 0,
        open=sums(trials.open.astype(float)) > 0,
        step=trials.step,
        share=trials.share,
        each=max((int(row.sum()) for row in rows), default=1),
        lost=sums(trials.lost_trials),
        ended=sums(trials.ended_trials),
    )


def network_means(values: Floats) -> Floats:
    """Return the mean of each cell over the seeds of one network.

    Where trials are missing, cells are compared in the seeds that they share: a difference of two
    cells is the mean of the differences that their seeds show, as a two-way fit has it. Cells that
    no chain of such seeds connects can't be compared, so only the largest group of connected cells
    has means.

    Args:
        values: (seeds, cells) outcomes; nan where a trial has none.

    Returns:
        (cells,) means; nan where a cell has none.
    """
    known = np.isfinite(values)
    whole = known[known.any(axis=1)]
    if not len(whole) or whole.all():
        means: Floats = values[known.any(axis=1)].mean(axis=0) if len(whole) else values[0] * np.nan
        return means

    cells = _connected(known)
    means = np.full(values.shape[1], np.nan)
    own = values[:, cells]
    means[cells] = fit_cells(own).means if len(cells) > 1 else np.nanmean(own, axis=0)
    return means


def _connected(known: Flags) -> list[int]:
    """Return the largest group of cells that seeds with results in two or more of them connect."""
    groups: list[set[int]] = []
    for row in known:
        cells = {int(cell) for cell in np.flatnonzero(row)}
        if cells:
            touching = [group for group in groups if group & cells]
            groups = [group for group in groups if not group & cells]
            groups.append(cells.union(*touching))
    sizes = [len(group) for group in groups]
    return sorted(groups[sizes.index(max(sizes))])
