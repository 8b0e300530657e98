"""A made study in the shape that `reports` reads: numbers by formula, the same on every machine."""

import itertools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports.table import StudyTable

EFFECTS = (0.002, 0.009, 0.03, 0.0, 0.004, 0.001)
NAMES = ("long_recon", "long_fm", "reassembly_fm", "restore", "labels", "extra")


def wobble(*numbers: float) -> float:
    """A number in [-1, 1] that looks like noise and depends on its arguments alone."""
    return math.sin(
        12.9898
        * sum((index + 1) * (number + 0.37) for index, number in enumerate(numbers))
        * 43.7585
    )


def figure_png(path: Path, noise: float, tile: int, pairs: int = 2) -> None:
    """The figure of the paper with flat discs: rows real, mixed, full_recon; columns pair by
    pair."""
    y, x = np.mgrid[0:tile, 0:tile]
    whole = np.zeros((3 * tile, 2 * pairs * tile, 3), np.uint8)
    for row, column in itertools.product(range(3), range(2 * pairs)):
        colour = np.array([80 + 40 * (column % 4), 200 - 30 * column, 60 + 60 * (row == 1)])
        disc = (x - tile / 2) ** 2 + (y - tile / 2) ** 2 < (tile / 3) ** 2
        picture = (
            np.where(disc[..., None], colour, 120)
            + (row > 0) * noise * 90 * np.sin(3 * x + 5 * y)[..., None]
        )
        part = picture.clip(0, 255).astype(np.uint8)
        whole[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile] = part
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(whole).save(path)


def made_study(
    folder: Path | None = None,
    factors: int = 2,
    seeds: int = 4,
    steps: int = 400,
    every: int = 50,
    names: Mapping[str, str] | None = None,
    status: Mapping[tuple[int, int], str] | None = None,
    tile: int = 16,
    name: str = "made",
    cells: int | None = None,
    equal: Mapping[int, int] | None = None,
) -> StudyTable:
    """A full factorial study.

    Args:
        folder: where pictures are written; None: no pictures.
        factors: number of on/off factors.
        seeds: replicates.
        steps: length of a trial.
        every: steps between evaluations.
        names: other names for the factors.
        status: (cell number, seed) -> how that trial ended, when it did not finish.
        tile: side of a tile, pixels.
        name: of the study.
        cells: only the first so many cells.
        equal: cell number -> the number of an earlier cell with the same configs.
    """
    called = [(names or {}).get(factor, factor) for factor in NAMES[:factors]]
    study_cells, trials, history, images = [], [], [], []
    for index, bits in enumerate(list(itertools.product((0, 1), repeat=factors))[:cells]):
        levels = {
            factor: ("without", "with")[bit] for factor, bit in zip(called, bits, strict=True)
        }
        cell_id = f"{(equal or {}).get(index, index):012x}"
        study_cells.append({"cell_id": cell_id, "levels": levels})
        if index in (equal or {}):
            continue
        amount = sum(effect * bit for effect, bit in zip(EFFECTS, bits, strict=False))
        for seed in range(seeds):
            trial_id = f"{0xABC0000 + index * 100 + seed:012x}"
            ended = (status or {}).get((index, seed), "finished")
            done = steps if ended == "finished" else steps // 2
            at = list(range(0, done + 1, every)) if ended != "failed" else []
            curve = [_value(amount, index, seed, step, steps) for step in at]
            other = [0.8 - 3 * (value - 0.03) + 0.01 * wobble(index, seed, 5) for value in curve]
            onset = next(
                (step for step, value in zip(at, curve, strict=True) if value > 1.1 * curve[0]),
                None,
            )
            for step, value, swap in zip(at, curve, other, strict=True):
                history.append((trial_id, 1, step, "metric/kid", value))
                history.append((trial_id, 1, step, "metric/swap_score", swap))
                if step:
                    history.append(
                        (trial_id, 1, step, "loss/adversarial", 1 + 0.1 * wobble(index, seed, step))
                    )
                    history.append(
                        (trial_id, 1, step, "health/gradient_norm", 2 + 0.2 * wobble(step, seed))
                    )
            trials.append(
                {
                    "trial_id": trial_id,
                    "cell_id": cell_id,
                    "status": ended,
                    "seed": seed,
                    **{f"level.{factor}": level for factor, level in levels.items()},
                    "metric.kid": curve[-1] if ended == "finished" else math.nan,
                    "metric.swap_score": other[-1] if ended == "finished" else math.nan,
                    "metric0.kid": curve[0] if curve else math.nan,
                    "metric0.swap_score": other[0] if other else math.nan,
                    "degraded_at_step": math.nan if onset is None else float(onset),
                    "steps_done": done if curve else 0,
                    "seconds": 100.0 + index + seed,
                    "peak_memory_mb": 800.0,
                    "error": {
                        "failed": "ValueError: a <b> & c",
                        "diverged": "loss/d_hinge became nan",
                    }.get(ended, ""),
                    "mlflow_run_id": "",
                }
            )
            if folder is not None and seed == 0:
                for step, value in list(zip(at, curve, strict=True))[::2]:
                    path = folder / trial_id / f"figure_{step:06d}.png"
                    figure_png(path, (value - 0.03) * 20, tile)
                    images.append(
                        (trial_id, step, str(path), ("real", "mixed", "full_recon"), 4, tile)
                    )
    return StudyTable(
        _plan(name, called, study_cells, seeds, trials),
        pd.DataFrame(trials),
        pd.DataFrame(history, columns=["trial_id", "attempt", "step", "name", "value"]),
        pd.DataFrame(images, columns=["trial_id", "step", "path", "rows", "columns", "tile_px"]),
    )


def _value(amount: float, index: int, seed: int, step: int, steps: int) -> float:
    """The outcome: a rise to `amount` after a third of the steps, the same start for equal
    seeds."""
    rise = (
        amount
        * (1 + 0.1 * wobble(index, seed))
        / (1 + math.exp(-(step - steps / 3) / (steps / 16)))
    )
    return (
        0.03
        + 0.0005 * wobble(seed)
        + rise * (step > 0)
        + 0.0002 * wobble(index, seed, step) * (step > 0)
    )


def _plan(
    name: str,
    factors: list[str],
    cells: list[dict[str, Any]],
    seeds: int,
    trials: list[dict[str, Any]],
) -> dict[str, Any]:
    """The plan as plan.json has it."""
    groups = [
        [c["levels"] for c in cells if c["cell_id"] == id_]
        for id_ in dict.fromkeys(c["cell_id"] for c in cells)
    ]
    return {
        "name": name,
        "question": "Which loss makes image quality fall when training resumes?",
        "hash": "7f3a91c2deadbeef",
        "design": {"kind": "full_factorial"},
        "seeds": list(range(seeds)),
        "outcome": {
            "metric": "kid",
            "better": "lower",
            "summary": "last",
            "smallest_effect": 0.01,
            "degradation": {"relative": 0.1, "after_step": 0, "patience": 1},
        },
        "factors": {
            factor: {
                "levels": {"without": {f"losses.{factor}": 0.0}, "with": {f"losses.{factor}": 0.1}},
                "reference": "without",
                "when": {},
            }
            for factor in factors
        },
        "reference_cell": cells[0]["cell_id"],
        "cells": cells,
        "trials": [
            {key: trial[key] for key in ("trial_id", "cell_id", "seed")} for trial in trials
        ],
        "excluded": [],
        "equal_cells": [group for group in groups if len(group) > 1],
        "aliases": {},
        "metrics": {
            "kid": {
                "better": "lower",
                "unit": "",
                "description": "kernel distance of mixed and real images",
            },
            "swap_score": {
                "better": "higher",
                "unit": "share",
                "description": "share of swaps that took",
            },
        },
        "losses": {"long_recon": "originals and full reconstructions, pixels"},
        "versions": {"torch": "2.14.1"},
    }


@pytest.fixture(scope="session")
def make_study() -> Callable[..., StudyTable]:
    """The function that makes a study."""
    return made_study


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyTable:
    """Two factors, four seeds, one trial diverged, one failed, with pictures."""
    return made_study(
        tmp_path_factory.mktemp("study"), status={(3, 1): "diverged", (2, 3): "failed"}
    )
