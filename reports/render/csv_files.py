"""The numbers behind a report as tidy files.

The files are UTF-8 with one header line. Numbers have `.` as decimal point, and missing values are
empty.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from g2g_base import spreadsheet
from reports.page.blocks import plain
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.facts import plan_narrowed, progress, rule_changed, rule_fixed
from reports.words.names import aliases
from reports.words.replicates import replicates_json
from reports.words.sentences import sentence

FRAMES = (
    "arms",
    "effects",
    "shapley",
    "verdicts",
    "checks",
    "simple",
    "differences",
    "onset",
    "metrics",
)
"""Frames of an analysis; each becomes a file of the same name."""
NETWORK_FRAMES = ("networks", "variance")
"""The same for studies of several networks."""

CLAIMS = (
    *(
        "id",
        "outcome",
        "kind",
        "word",
        "subject",
        "factor",
        "level",
        "against",
        "scope",
        "at",
        "terms",
    ),
    *(
        "estimate",
        "low",
        "high",
        "confidence",
        "percent",
        "percent_low",
        "percent_high",
        "p",
        "p_adjusted",
    ),
    *("test", "df", "n_seeds", "n_pairs", "family", "gate", "look", "caveats", "sentence"),
)
"""Columns of claims.csv.

`scope` is the type of the scope, `at` its levels (`factor=level`, separated by spaces), and `terms`
its alias group.
"""


def csv_texts(view: StudyView) -> dict[str, str]:
    """Return the content of every CSV file by name; each number has all its digits."""
    names = (*FRAMES, *(NETWORK_FRAMES if view.analysis.cells.network_of else ()))
    frames = {name: _coded(view, getattr(view.analysis, name)) for name in names}
    texts = {f"{name}.csv": csv_text(frame) for name, frame in frames.items()}
    return texts | {"claims.csv": csv_text(claims_frame(view))}


def _coded(view: StudyView, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the codes of its arms after their ids; unchanged without such ids."""
    if "cell_id" not in frame:
        return frame
    codes = {cell: arm.code for cell, arm in view.arm_of.items()}
    coded = frame.copy()
    coded.insert(
        list(frame).index("cell_id") + 1, "arm_code", frame["cell_id"].astype(str).map(codes)
    )
    return coded


def claims_json(view: StudyView) -> list[dict[str, Any]]:
    """Return every claim with its sentence, the claims of the primary outcome first.

    Claims of a further outcome have ids that start with its name. Facts about the whole study, such
    as `interim`, are added to the caveats of each claim.
    """
    facts = (
        ("interim", progress(view).interim),
        ("plan_narrowed", bool(plan_narrowed(view))),
        ("rule_changed", bool(rule_changed(view))),
    )
    caveats = [name for name, true in facts if true]

    claims = []
    for one in (view, *view.further):
        start = "" if one is view else f"{one.metric}:"
        for claim in one.analysis.claims:
            content = claim.to_dict()
            ids = {"id": start + claim.id, "gate": start + claim.gate if claim.gate else None}
            words = {"outcome": one.metric, "sentence": plain(sentence(one, claim))}
            claims.append({**content, **ids, **words, "caveats": [*content["caveats"], *caveats]})
    return claims


def claims_frame(view: StudyView) -> pd.DataFrame:
    """Return the claims as a frame with one row per claim and the columns `CLAIMS`."""
    rows = []
    for claim in claims_json(view):
        scope = claim["scope"]
        at = " ".join(f"{factor}={level}" for factor, level in scope["at"].items())
        flat = {"scope": scope["type"], "at": at, "terms": ", ".join(scope["terms"])}
        rows.append({**claim, **flat, "caveats": " ".join(claim["caveats"])})
    return pd.DataFrame(rows, columns=list(CLAIMS))


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV; identical frames give identical text."""
    cells = frame.copy()
    for name in frame.select_dtypes(exclude="number").columns:
        cells[name] = frame[name].map(spreadsheet.safe)
    return cells.to_csv(index=False, lineterminator="\n")


def report_json(view: StudyView, files: dict[str, list[str]]) -> str:
    """Return the headline of a report as JSON, for other programs.

    It holds the question, the answer in words, the verdicts and claims, the plan's hash, the
    versions, and the paths of the files.

    Args:
        view: the study.
        files: ending -> paths of the report's other files, relative to its folder.
    """
    study = view.study
    content = {
        "name": study["name"],
        "question": study.get("question", ""),
        "answer": plain(lead(view)),
        "more": [plain(sentence) for sentence in others(view)],
        "plan_hash": study.get("hash", ""),
        "outcome": study["outcome"],
        "versions": study.get("versions") or {},
        "trials": {
            str(k): int(v)
            for k, v in view.table.trials["status"].value_counts().sort_index().items()
        },
        "verdicts": [_verdict(view, row) for row in view.analysis.verdicts.to_dict("records")],
        "claims": claims_json(view),
        "interim": progress(view).interim,
        "progress": asdict(progress(view)),
        "replicates": replicates_json(view),
        "registered": _registered(view),
        "files": files,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _verdict(view: StudyView, row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row of verdicts with the ids of its claims and the aliases of its factor."""
    cells = {str(key): _json(item) for key, item in row.items()}
    others = list(aliases(view, str(row["factor"])))
    return {**cells, "claims": str(row["claims"]).split(), "aliases": others}


def _registered(view: StudyView) -> dict[str, Any]:
    """Return when the rule was fixed, as far as the ledger shows."""
    ledger = view.table.ledger
    if ledger is None:
        return {
            "state": "absent",
            "before_trials": False,
            "changes": 0,
            "sentence": rule_fixed(view),
        }
    return {
        "state": ledger.state,
        "before_trials": ledger.fixed_before_trials,
        "changes": len(ledger.rule_changes),
        "peeked": ledger.peeked,
        "registration": None if ledger.registered is None else ledger.registered.plan_hash,
        "sentence": rule_fixed(view),
    }


def _json(value: Any) -> Any:
    """Return a cell of a frame as JSON; missing and non-finite numbers become null."""
    if value is None or value is pd.NA:
        return None
    # numpy's scalars aren't JSON.
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(folder: Path, texts: dict[str, str]) -> list[Path]:
    """Write files into a folder, which is created if missing, and return their paths.

    Args:
        folder: the folder.
        texts: file name -> content.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        paths.append(path)
    return paths
