"""Each arm on its own: outcome, difference to the reference, onset of degradation, and metrics."""

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
    """Return one row per cell.

    Differences are only described. An arm has a verdict only if a claim is about its change.

    Args:
        cells: The outcome.
        judgement: The verdicts on it.
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
            paired = list(cells.by_unit([(place, design.index[str(reference)])]).values())
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
    """Return the verdicts of arms that differ from the reference in one change.

    An arm has a verdict only if no other setting shows its change. In a leave-one-out study, the
    reference has the change and the arm lacks it, so the verdict is reversed: what harms, helps by
    its absence.
    """
    design = cells.design
    verdicts: dict[str, str] = {}
    if design.reference not in design.index:
        return verdicts

    reference = design.index[str(design.reference)]
    for term in design.compared:
        if len(term.blocks) != 1:
            continue
        first, level = term.blocks[0].cells
        word = judgement.verdicts[term.name]
        if first == reference:
            verdicts[design.cells[level]] = word
        elif level == reference:
            verdicts[design.cells[first]] = TURNED.get(word, word)
    return verdicts


TURNED = {"harms": "helps", "helps": "harms", "no harm": "no benefit", "no benefit": "no harm"}
"""Verdict on a level -> verdict on the arm without that level."""


def onset_frame(trials: pd.DataFrame) -> pd.DataFrame:
    """Return when each trial degraded, or how long it was observed without degrading."""
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
    """Return every recorded metric in every cell.

    Args:
        cells: The outcome, for its trials and cells.
        alpha: One minus the confidence of the intervals.

    Returns:
        One row per cell, metric, and time. The times are the end of finished trials, and step 0 of
        all trials.
    """
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
