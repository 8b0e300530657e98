"""The tables of a study's results, and how to read them from the study folder."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pandas as pd

from g2g_base import spreadsheet
from reports.documents import ledger
from reports.documents.plan import PlanDocument
from reports.documents.rule import LedgerFacts
from reports.documents.trial import TrialDocument, TunedDocument, devices

FILES = ("plan.json", "trials.csv", "history.parquet")
TRIALS = ("trial_id", "cell_id", "status", "seed")
HISTORY = ("trial_id", "attempt", "step", "name", "value")
IMAGES = ("trial_id", "step", "path", "rows", "columns", "tile_px")
"""Files that a study folder must hold, and the columns that each frame must have."""


class ResultsError(Exception):
    """Error that says why the results of a study can't be read."""


@dataclass(frozen=True)
class StudyTable:
    """The results of a study.

    Attributes:
        study: the plan: name, question, hash, outcome, factors, cells, reference_cell, metrics,
            losses, versions; and `pilot`, the predicted cost, if `plan --pilot` was run.
        trials: one row per trial: trial_id, cell_id, status, seed, level.<factor>, metric.<name>,
            metric0.<name>, degraded_at_step, steps_done, seconds, error. Trials that recorded them
            also have digest.<part>, and plan_hash, the hash of the plan they ran under.
        history: trial_id, attempt, step, name, value; each (trial, step, name) occurs once.
        images: one row per figure: trial_id, step, path, rows (their names from top to bottom),
            columns, tile_px.
        ledger: when the rule was fixed and what has changed since; None for tables that were made
            without a folder.
        tuned: cell_id -> how the trials of the cell have chosen a value; only cells that chose one.
    """

    study: PlanDocument
    trials: pd.DataFrame
    history: pd.DataFrame
    images: pd.DataFrame
    ledger: LedgerFacts | None = None
    tuned: Mapping[str, TunedDocument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ResultsError if a frame lacks a column."""
        wanted = (
            ("trials", self.trials, TRIALS),
            ("history", self.history, HISTORY),
            ("images", self.images, IMAGES),
        )
        for name, frame, columns in wanted:
            missing = [column for column in columns if column not in frame]
            if missing:
                raise ResultsError(f"the table {name} lacks the column {', '.join(missing)}")


def load_results(folder: str | Path) -> StudyTable:
    """Read the results of a study from its folder, `runs/<study>`, as `run` left them.

    Args:
        folder: the study folder.

    Raises:
        ResultsError: plan.json, trials.csv, or history.parquet is missing or can't be read.
    """
    folder = Path(folder)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ResultsError(f"{folder}: no results of a study here ({', '.join(missing)} missing)")

    try:
        study = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        if (folder / "pilot.json").is_file():
            study["pilot"] = json.loads((folder / "pilot.json").read_text(encoding="utf-8"))
        trials = pd.read_csv(folder / "trials.csv", dtype=_types(folder / "trials.csv"))
        for column in trials.filter(like="level.").columns:
            trials[column] = trials[column].map(spreadsheet.plain)
        history = pd.read_parquet(folder / "history.parquet")
    except (OSError, ValueError) as error:
        raise ResultsError(f"{folder}: the results can't be read: {error}") from error

    for column in ("trial_id", "name"):
        history[column] = history[column].astype(str)

    documents = {trial: _document(folder / "trials" / trial) for trial in trials["trial_id"]}
    digests = pd.DataFrame({t: _recorded(document) for t, document in documents.items()}).T
    trials = trials.join(digests, on="trial_id") if len(digests.columns) else trials

    rows = [
        row
        for trial, document in documents.items()
        for row in _images(folder / "trials" / trial, trial, document)
    ]
    facts = ledger.of_folder(folder, study, documents)
    tuned = {
        document["cell_id"]: document["tuned"]
        for document in documents.values()
        if "value" in document.get("tuned", {})
    }
    images = pd.DataFrame(rows, columns=list(IMAGES))
    return StudyTable(study, trials, history, images, facts, tuned)


def _types(path: Path) -> dict[str, type]:
    """Return the type of each column that is text even where it looks like a number.

    Examples are ids that consist of digits, and levels such as 0.10.
    """
    header = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
    names = ("trial_id", "cell_id", "arm_code", "status", "error", "mlflow_run_id")
    return {name: str for name in header if name in names or name.startswith("level.")}


def _document(folder: Path) -> TrialDocument:
    """Return a trial's `trial.json`; empty if it is missing or can't be read."""
    try:
        content = json.loads((folder / "trial.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast(TrialDocument, content) if isinstance(content, dict) else {}


def _recorded(document: TrialDocument) -> dict[str, str]:
    """Return the columns that a trial's document adds: digests, its plan's hash, its devices."""
    digests = {
        f"digest.{part}": str(digest) for part, digest in (document.get("digests") or {}).items()
    }
    used = devices(document)
    return (
        digests
        | ({"plan_hash": str(document["plan_hash"])} if "plan_hash" in document else {})
        | ({"run": str(document["run"])} if "run" in document else {})
        | ({"device": ", then ".join(used)} if used else {})
    )


def _images(folder: Path, trial: str, document: TrialDocument) -> Iterator[tuple[Any, ...]]:
    """Yield one row per figure of a trial; none if the trial didn't record their layout."""
    layout = document.get("figure")
    if layout:
        for path in sorted((folder / "images").glob("figure_*.png")):
            step = int(path.stem.removeprefix("figure_"))
            yield (
                trial,
                step,
                str(path),
                tuple(layout["rows"]),
                int(layout["columns"]),
                int(layout["tile_px"]),
            )
