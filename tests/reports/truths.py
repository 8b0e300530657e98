"""Results tables with a known truth, and all that a report says of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from reports.build import Report
from reports.documents.chain import START, line_of, read_chain, sealed
from reports.documents.ledger import ledger_facts
from reports.documents.rule import LedgerFacts
from reports.render.csv_files import report_json
from reports.render.plain_text import to_text
from reports.table import StudyTable
from reports.words.headline import headline

Levels = Mapping[str, str]
STEPS = (0, 50, 100)
SWITCH = ("without", "with")
START_VALUE = 0.1
"""The outcome of every trial at step 0."""


def on(levels: Levels, *factors: str) -> bool:
    """Whether all of these factors are away from `without`."""
    return all(levels[factor] == "with" for factor in factors)


def crossed(factors: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """All combinations of levels."""
    return [dict(zip(factors, levels, strict=True)) for levels in product(*factors.values())]


def left_out(factors: Sequence[str]) -> list[dict[str, str]]:
    """The arms of a leave-one-out study: everything on, then each factor off."""
    whole = dict.fromkeys(factors, "with")
    return [whole, *({**whole, factor: "without"} for factor in factors)]


def noisy(size: float, seeds: int, start: int, centred: bool = True) -> np.ndarray:
    """Noise of one arm: normal over seeds, by default with a mean of exactly 0 and this spread."""
    drawn = np.random.default_rng([start, seeds]).normal(size=seeds)
    if centred and seeds > 1:
        drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return np.asarray(size * drawn)


def truth(
    factors: Sequence[str] | Mapping[str, Sequence[str]],
    effect: Callable[[dict[str, str]], float],
    *,
    cells: Sequence[Levels] | None = None,
    design: str = "full_factorial",
    seeds: int = 5,
    noise: float = 0.001,
    shared: float = 0.005,
    centred: bool = True,
    status: Callable[[dict[str, str], int], str] = lambda levels, seed: "finished",
    degraded: bool = False,
    ledger: LedgerFacts | None = None,
    start: int = 0,
    value: Callable[[dict[str, str], int], float] | None = None,
    margin: float | None = 0.01,
    **plan: Any,
) -> StudyTable:
    """A study's results table with a known truth.

    Args:
        factors: names of switches, or factor -> levels, the first level first.
        effect: what the levels of an arm add to the mean outcome of 0.1.
        cells: the arms, the reference first; None: all combinations.
        design: its name.
        seeds: how many.
        noise: standard deviation of a trial's own noise.
        shared: standard deviation of what the trials of a seed share.
        centred: whether the noise of every arm has mean 0, so that estimates are the truth itself.
        status: how the trial of these levels and this seed ended.
        degraded: whether every trial counts as degraded at step 50.
        ledger: when the rule was fixed.
        start: of the random numbers.
        value: outcome of these levels and this seed, instead of all the above.
        margin: smallest effect that matters.
        **plan: more entries of the plan; `outcome` is added to the usual one.
    """
    levels_of = factors if isinstance(factors, Mapping) else dict.fromkeys(factors, SWITCH)
    arms = [dict(cell) for cell in cells or crossed(levels_of)]
    shift = noisy(shared, seeds, 9000 + start, centred)
    trials = []
    for index, levels in enumerate(arms):
        own = noisy(noise, seeds, 100 * start + index, centred)
        for seed in range(seeds):
            made = START_VALUE + effect(levels) + shift[seed] + own[seed]
            outcome = made if value is None else value(levels, seed)
            trials.append(_trial(index, levels, seed, status(levels, seed), outcome, degraded))
    study = _plan(levels_of, arms, design, seeds, trials, margin, plan)
    return StudyTable(study, pd.DataFrame(trials), _history(trials), _images(), ledger)


def _trial(
    index: int, levels: Levels, seed: int, status: str, outcome: float, degraded: bool
) -> dict[str, Any]:
    finished, ended = status == "finished", status in ("finished", "diverged")
    return {
        "trial_id": f"{index * 100 + seed:012x}",
        "cell_id": f"{index:012x}",
        "status": status,
        "seed": seed,
        **{f"level.{factor}": level for factor, level in levels.items()},
        "metric.kid": outcome if finished else float("nan"),
        "metric0.kid": START_VALUE if ended else float("nan"),
        "degraded_at_step": 50.0 if degraded and ended else float("nan"),
        "steps_done": {"finished": 100, "diverged": 50}.get(status, 0),
        "seconds": 10.0 if ended else 0.0,
        "error": "loss became nan" if status == "diverged" else "",
    }


def _history(trials: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Straight curves from the common start to each outcome."""
    rows = [
        (trial["trial_id"], 1, step, "metric/kid", START_VALUE + share * (end - START_VALUE))
        for trial in trials
        for step, share in zip(STEPS, (0.0, 0.5, 1.0), strict=True)
        if step <= trial["steps_done"] and trial["status"] in ("finished", "diverged")
        for end in (trial["metric.kid"] if trial["status"] == "finished" else START_VALUE,)
    ]
    return pd.DataFrame(rows, columns=["trial_id", "attempt", "step", "name", "value"])


def _images() -> pd.DataFrame:
    return pd.DataFrame([], columns=["trial_id", "step", "path", "rows", "columns", "tile_px"])


def _plan(
    factors: Mapping[str, Sequence[str]],
    arms: Sequence[Levels],
    design: str,
    seeds: int,
    trials: Sequence[Mapping[str, Any]],
    margin: float | None,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """The plan as plan.json has it."""
    outcome = {"metric": "kid", "better": "lower", "summary": "last", "smallest_effect": margin}
    entries = {
        factor: {
            "levels": {level: {f"losses.{factor}": float(i)} for i, level in enumerate(levels)},
            "reference": levels[0],
            "when": {},
        }
        for factor, levels in factors.items()
    }
    return {
        "name": "truth",
        "question": "What acts?",
        "hash": "7f3a91c2deadbeef",
        "design": {"kind": design},
        "seeds": list(range(seeds)),
        "factors": entries,
        "reference_cell": f"{0:012x}",
        "cells": [
            {"cell_id": f"{i:012x}", "levels": dict(levels)} for i, levels in enumerate(arms)
        ],
        "trials": [
            {key: trial[key] for key in ("trial_id", "cell_id", "seed")} for trial in trials
        ],
        "aliases": {},
        "metrics": {"kid": {"better": "lower", "unit": "", "description": "distance"}},
        **more,
        "outcome": {**outcome, **more.get("outcome", {})},
    }


def said(report: Report) -> str:
    """Everything a report says of its study: the text, the lines of the command, and the file for
        programs.

    The glossary is left out: it defines words and says nothing of a study.
    """
    view = report.views[0]
    sections = tuple(part for part in report.document.sections if part.id != "glossary")
    text = to_text(replace(report.document, sections=sections))
    return "\n".join([text, *headline(view), report_json(view, {})])


def ledger_of(*entries: Mapping[str, Any]) -> LedgerFacts:
    """The facts of a ledger with these entries, sealed as the commands do."""
    lines, last = b"", START
    for entry in entries:
        whole = sealed({"plan": "7f3a91c2deadbeef", **entry, "previous": last})
        lines, last = lines + line_of(whole), whole["sha256"]
    plan = {"hash": "7f3a91c2deadbeef", "ledger": {"sha256": read_chain(lines).last}}
    return ledger_facts(lines, plan, {}, {})
