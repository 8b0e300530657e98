"""Each arm on its own: mean, spread, difference to the reference; when its trials degraded; its
other metrics."""

import math

import numpy as np
import pandas as pd

from reports.analysis.cells import Cells
from reports.analysis.intervals import effect_interval
from reports.claims.rule import Judgement
from reports.stats.paired import Interval, holm

ARMS = (
    *("n", "n_finished", "n_diverged", "n_failed", "mean", "sd"),
    *("difference", "low", "high", "p", "p_adjusted", "verdict"),
)
ONSET = ("trial_id", "cell_id", "seed", "degraded_at_step", "censored_at_step", "event")
METRICS = ("cell_id", "metric", "at", "n", "mean", "sd", "low", "high")


def arms_frame(cells: Cells, judgement: Judgement) -> pd.DataFrame:
    """A row per cell.

    Differences are described; an arm has a verdict only where it is a claim's.
    """
    design, trials = cells.design, cells.table.trials
    levels = dict(reversed(design.settings))
    reference, words = design.reference, arm_verdicts(cells, judgement)
    rows, p = [], []
    for cell, place in design.index.items():
        status = trials.loc[trials["cell_id"] == cell, "status"]
        own = Interval.of(cells.raw[:, place].tolist(), judgement.alpha)
        paired = []
        if cell != reference and reference in design.index:
            paired = list(cells.by_seed([(place, design.index[str(reference)])]).values())
        difference = effect_interval(cells, paired, judgement.alpha)
        p.append(difference.p)
        rows.append(
            {
                "cell_id": cell,
                **{f"level.{factor}": levels[cell][factor] for factor in design.factors},
                "n": len(status),
                **{
                    f"n_{word}": int((status == word).sum())
                    for word in ("finished", "diverged", "failed")
                },
                **{"mean": own.mean, "sd": own.sd, "difference": difference.mean},
                **{"low": difference.low, "high": difference.high, "p": difference.p},
                "verdict": words.get(cell, ""),
            }
        )
    for row, adjusted in zip(rows, holm(p), strict=True):
        row["p_adjusted"] = adjusted
    columns = [f"level.{factor}" for factor in design.factors]
    return pd.DataFrame(rows, columns=["cell_id", *columns, *ARMS])


def arm_verdicts(cells: Cells, judgement: Judgement) -> dict[str, str]:
    """The verdicts of arms that differ from the reference in one change, where that is the only
    setting it was seen in.

    In a leave-one-out study that leaves the change out the word is turned round: what harms helps
    by its absence.
    """
    design = cells.design
    found: dict[str, str] = {}
    if design.reference not in design.index:
        return found
    reference = design.index[str(design.reference)]
    for term in design.compared:
        if len(term.blocks) != 1:
            continue
        first, level = term.blocks[0].cells
        word = judgement.verdicts[term.name]
        if first == reference:
            found[design.cells[level]] = word
        elif level == reference:
            found[design.cells[first]] = TURNED.get(word, word)
    return found


TURNED = {"harms": "helps", "helps": "harms", "no harm": "no benefit", "no benefit": "no harm"}
"""A verdict on a level, seen from the arm without it."""


def onset_frame(trials: pd.DataFrame) -> pd.DataFrame:
    """When each trial degraded, or how long it was watched without."""
    rows = []
    for row in trials.to_dict("records"):
        step, done = row.get("degraded_at_step", math.nan), row.get("steps_done", math.nan)
        degraded = pd.notna(step)
        event = "degraded" if degraded else "diverged" if row["status"] == "diverged" else "none"
        censored = math.nan if degraded else done
        rows.append(
            (
                row["trial_id"],
                row["cell_id"],
                row["seed"],
                step if degraded else math.nan,
                censored,
                event,
            )
        )
    return pd.DataFrame(rows, columns=list(ONSET))


def metrics_frame(cells: Cells, alpha: float) -> pd.DataFrame:
    """Every recorded metric in every cell, at the end (finished trials) and at step 0 (all)."""
    trials, rows = cells.table.trials, []
    for column in trials:
        kind, _, name = str(column).partition(".")
        if kind not in ("metric", "metric0"):
            continue
        chosen = trials[trials["status"] == "finished"] if kind == "metric" else trials
        for cell in cells.design.cells:
            values = chosen.loc[chosen["cell_id"] == cell, str(column)].astype(float)
            own = Interval.of(values[np.isfinite(values)].tolist(), alpha)
            at = "end" if kind == "metric" else "step 0"
            rows.append((cell, name, at, own.n, own.mean, own.sd, own.low, own.high))
    return pd.DataFrame(rows, columns=list(METRICS))
