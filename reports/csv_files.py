"""The numbers behind a report as tidy files: one header line, UTF-8, `.` decimals, empty for missing."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from reports.answer import lead, others
from reports.document import plain
from reports.view import StudyView

FRAMES = ("arms", "effects", "shapley", "verdicts", "checks", "simple", "differences", "onset", "metrics")
"""Frames of an analysis that become files of their own name."""


def csv_texts(view: StudyView) -> dict[str, str]:
    """File name -> content, every number with all its digits."""
    return {f"{name}.csv": csv_text(getattr(view.analysis, name)) for name in FRAMES}


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV; equal frames give equal text."""
    return frame.to_csv(index=False, lineterminator="\n")


def report_json(view: StudyView, files: dict[str, list[str]]) -> str:
    """The headline for programs: question, answer in words, verdicts, plan hash, versions, paths of the files."""
    study = view.study
    content = {
        "name": study["name"],
        "question": study.get("question", ""),
        "answer": plain(lead(view)),
        "more": [plain(sentence) for sentence in others(view)],
        "plan_hash": study.get("hash", ""),
        "outcome": study["outcome"],
        "versions": study.get("versions") or {},
        "trials": {str(k): int(v) for k, v in view.table.trials["status"].value_counts().sort_index().items()},
        "verdicts": [
            {key: _json(item) for key, item in row.items()} for row in view.analysis.verdicts.to_dict("records")
        ],
        "files": files,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _json(value: Any) -> Any:
    """A cell of a frame as JSON: missing and non-finite numbers are null."""
    if value is None or value is pd.NA:
        return None
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(folder: Path, texts: dict[str, str]) -> list[Path]:
    """Writes files into a folder, made when missing; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        paths.append(path)
    return paths
