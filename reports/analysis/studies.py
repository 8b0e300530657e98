"""Effects of one study in the shape in which several studies are compared."""

from collections.abc import Mapping

import numpy as np

from reports.analysis.cells import Cells
from reports.analysis.robustness import bounds
from reports.claims.agreement import Measured, Part
from reports.claims.claim import depending
from reports.claims.design import Term
from reports.claims.estimates import SAME
from reports.claims.rule import Judgement


def parts_of(study: str, cells: Cells, judgement: Judgement, length: str) -> list[Part]:
    """Return the effects of every change that a study has a verdict on.

    Args:
        study: Name of the study, unique among those compared.
        cells: The study's outcome.
        judgement: What is claimed of the outcome.
        length: Planned length of the trials, in words.
    """
    outcome = cells.plan["outcome"]
    scale = "log" if cells.rule.log else "linear"
    summary = str(outcome.get("summary", "last"))
    measured = Measured(cells.metric, cells.better, scale, summary, length)
    margin = outcome.get("smallest_effect")
    return [
        Part(
            study=study,
            change=term.changes[0],
            word=judgement.verdicts[term.name],
            effects=_settled(cells, cells.effects(term)),
            measured=measured,
            margin=None if margin is None else float(margin),
            sets=_sets(cells, term),
            trials=_trials(cells, term),
            depends=_depends(judgement, term.name),
            diverged=int(cells.trials.diverged[:, _places(cells, term)].sum()),
            missing=bounds(cells, term)[0],
            aliases=term.aliases[1:],
        )
        for term in cells.design.compared
    ]


def _sets(cells: Cells, term: Term) -> frozenset[str]:
    """Return the paths of the config that the two levels of a change set."""
    change = term.changes[0]
    levels = cells.plan["factors"][change.factor]["levels"]
    patches = (
        levels.get(level) if isinstance(levels, Mapping) else None
        for level in (change.first, change.level)
    )
    return frozenset(str(path) for patch in patches for path in patch or {})


def _settled(cells: Cells, by_seed: Mapping[int, float]) -> tuple[float, ...]:
    """Return the effects without differences between seeds that are rounding alone."""
    values = np.array(list(by_seed.values()), dtype=float)
    largest = np.nanmax(np.abs(cells.own), initial=0.0)
    values = np.where(np.abs(values) <= SAME * largest, 0.0, values)
    if values.size and np.ptp(values) <= SAME * largest:
        values = np.full(values.shape, values[0])
    return tuple(values.tolist())


def _places(cells: Cells, term: Term) -> list[int]:
    """Return the cells that the effect of a term is made of; in a fraction all cells."""
    if not term.blocks:
        return list(range(len(cells.design.cells)))
    pairs = (block.cells for block in term.blocks)
    return sorted({cell for pair in pairs if len(set(pair)) > 1 for cell in pair})


def _trials(cells: Cells, term: Term) -> frozenset[str]:
    """Return the ids of the finished trials in these cells."""
    names = {cells.design.cells[place] for place in _places(cells, term)}
    rows = cells.table.trials
    used = rows["cell_id"].astype(str).isin(names) & (rows["status"] == "finished")
    return frozenset(str(trial) for trial in rows.loc[used, "trial_id"])


def _depends(judgement: Judgement, name: str) -> bool:
    """Return whether the change, or an alias of it, is in an established interaction."""
    return judgement.verdicts[name] == "depends" or name in depending(judgement.claims)
