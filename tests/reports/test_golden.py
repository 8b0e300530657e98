"""Whole reports as text: what a reader is told in the ordinary case and in every awkward one.

`UPDATE_GOLDEN=1 pytest tests/reports/test_golden.py` writes the texts again; read the difference
before you keep it.
"""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports import make_report
from reports.render.plain_text import to_text

GOLDEN = Path(__file__).parent / "golden"
ODD = {
    "long_recon": "λ_é 日本",
    "long_fm": '<script>alert("x")</script> & $x_1%',
    "reassembly_fm": "x" * 200,
}


def without_outcome(table):
    """The same study with nothing recorded of its primary outcome."""
    trials = table.trials.assign(
        **{"metric.kid": np.nan, "metric0.kid": np.nan, "degraded_at_step": np.nan}
    )
    return replace(
        table, trials=trials, history=table.history[table.history["name"] != "metric/kid"]
    )


def with_levels(table):
    """One factor with the levels 0, 0.1 and 1, whose effect grows with the level."""
    more = table.trials.iloc[4:].assign(
        cell_id="more", **{"level.long_recon": "1", "metric.kid": 0.07}
    )
    more["trial_id"] = [f"more{seed}" for seed in more["seed"]]
    trials = pd.concat([table.trials, more], ignore_index=True)
    trials["level.long_recon"] = trials["level.long_recon"].replace({"without": "0", "with": "0.1"})
    trials["metric.kid"] += 0.0001 * trials["seed"] * (trials["level.long_recon"] == "1")
    levels = {level: {"losses.long_recon": float(level)} for level in ("0", "0.1", "1")}
    cells = [
        {"cell_id": cell, "levels": {"long_recon": level}}
        for cell, level in zip(trials["cell_id"].unique(), levels, strict=True)
    ]
    factors = {"long_recon": {"levels": levels, "reference": "0", "when": {}}}
    return replace(table, study={**table.study, "cells": cells, "factors": factors}, trials=trials)


def narrowed(table):
    """What `--only long_recon=with` leaves."""
    cells = [cell for cell in table.study["cells"] if cell["levels"]["long_recon"] == "with"]
    trials = table.trials[table.trials["level.long_recon"] == "with"]
    return replace(
        table, study={**table.study, "cells": cells, "reference_cell": None}, trials=trials
    )


def without_a_number(table):
    """The same study with an outcome that is no number in any evaluation."""
    trials = table.trials.assign(
        **{"metric.kid": np.nan, "metric0.kid": np.nan, "degraded_at_step": np.nan}
    )
    history = table.history.assign(
        value=table.history["value"].where(table.history["name"] != "metric/kid")
    )
    return replace(table, trials=trials, history=history)


CASES = {
    "usual": lambda make, folder: make(folder, status={(3, 1): "diverged", (2, 3): "failed"}),
    "one_seed": lambda make, folder: make(seeds=1),
    "one_arm": lambda make, folder: make(factors=0),
    "all_failed": lambda make, folder: make(
        status={(i, s): "failed" for i in range(4) for s in range(4)}
    ),
    "diverged_arm": lambda make, folder: make(status={(3, s): "diverged" for s in range(4)}),
    "missing_metric": lambda make, folder: without_outcome(make()),
    "odd_labels": lambda make, folder: make(factors=3, seeds=2, names=ODD),
    "several_levels": lambda make, folder: with_levels(make(factors=1)),
    "no_images": lambda make, folder: make(factors=1),
    "equal_cells": lambda make, folder: make(equal={1: 0}),
    "narrowed": lambda make, folder: narrowed(make()),
    "no_number": lambda make, folder: without_a_number(make()),
}


KEPT = ("answer", "trust")
"""Sections that are kept of the awkward cases; of the usual one all are."""


@pytest.mark.parametrize("case", CASES)
def test_the_document_is_as_kept(case, make_study, tmp_path):
    document = make_report(CASES[case](make_study, tmp_path)).document
    assert not re.search(
        r"\b(nan|inf)\b|\bNone\b(?! of the)", to_text(document).replace("became nan", "")
    )
    if case != "usual":
        kept = tuple(section for section in document.sections if section.id in KEPT)
        document = replace(document, sections=kept)
    text = to_text(document)
    path = GOLDEN / f"{case}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_300_trials_are_told_by_arm(make_study):
    """60 arms: as many rows of the arms' table, 16 panels unfolded, every trial in the last
    table."""
    table = make_study(factors=6, seeds=5, steps=200, cells=60)
    document = make_report(table).document
    blocks = {block.name: block for block in document.blocks() if hasattr(block, "name")}
    assert len(table.trials) == 300
    assert len(blocks["arms"].rows) == 60
    assert len(blocks["curves"].panels) == 16
    assert len(blocks["curves-more"].panels) == 44
    assert len(blocks["trials"].rows) == 300
