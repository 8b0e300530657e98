"""Whether tables and report are those of the study's current content, whatever the clock says."""

import hashlib
import json
from pathlib import Path

from ablate.disk.folder import StudyFolder, TrialFolder
from g2g_base import atomic


def content(folder: Path, what: str) -> str:
    """Return a digest of everything that tables or the report are made from.

    A journal counts by its size, since it only grows, and every attempt changes `trial.json`. The
    tables show which run of MLflow a trial is, and the report doesn't.

    Args:
        folder: `OUT/<study>` with plan.json and trials/.
        what: `tables` or `report`.
    """
    own = StudyFolder(folder)
    digest = hashlib.sha256()
    for trial in atomic.read_json(own.plan).get("trials", ()):
        where = TrialFolder(own.trial(trial["trial_id"]))
        size = where.journal.stat().st_size if where.journal.exists() else None
        digest.update(f"{trial['trial_id']} {size}".encode())
        document = atomic.read_json(where.document)
        run_id = document.pop("mlflow_run_id", None)
        digest.update(json.dumps(document, sort_keys=True).encode())
        if what == "tables":
            digest.update(f"{run_id}".encode())
            digest.update(_bytes(where.tracked))
    digest.update(_bytes(own.plan))
    return digest.hexdigest()


def is_current(folder: Path, what: str) -> bool:
    """Return whether `tables` or `report` were made from the current content."""
    return bool(atomic.read_json(StudyFolder(folder).made).get(what) == content(folder, what))


def note(folder: Path, what: str, made_from: str) -> None:
    """Note the content from which `tables` or `report` were made.

    Args:
        folder: `OUT/<study>`.
        what: `tables` or `report`.
        made_from: what `content` returned before they were made.
    """
    made = StudyFolder(folder).made
    atomic.write_json(made, {**atomic.read_json(made), what: made_from})


def _bytes(file: Path) -> bytes:
    """Return the content of a file; empty if it is missing."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
