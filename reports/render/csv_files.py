"""The numbers behind a report as tidy files: one header line, UTF-8, `.` decimals, empty for
missing."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from reports.page.blocks import plain
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.facts import progress, rule_changed, rule_fixed
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
"""Frames of an analysis that become files of their own name."""


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
"""Columns of claims.csv; of `scope`, `at` is `factor=level` with spaces between, `terms` an alias
group."""


def csv_texts(view: StudyView) -> dict[str, str]:
    """File name -> content, every number with all its digits."""
    texts = {f"{name}.csv": csv_text(getattr(view.analysis, name)) for name in FRAMES}
    return texts | {"claims.csv": csv_text(claims_frame(view))}


def claims_json(view: StudyView) -> list[dict[str, Any]]:
    """Every claim with its sentence, those of the primary outcome first."""
    facts = (("interim", progress(view).interim), ("rule_changed", bool(rule_changed(view))))
    caveats = [name for name, true in facts if true]
    found = []
    for one in (view, *view.further):
        start = "" if one is view else f"{one.metric}:"
        for claim in one.analysis.claims:
            content = claim.to_dict()
            ids = {"id": start + claim.id, "gate": start + claim.gate if claim.gate else None}
            told = {"outcome": one.metric, "sentence": plain(sentence(one, claim))}
            found.append({**content, **ids, **told, "caveats": [*content["caveats"], *caveats]})
    return found


def claims_frame(view: StudyView) -> pd.DataFrame:
    """A row per claim."""
    rows = []
    for claim in claims_json(view):
        scope = claim["scope"]
        at = " ".join(f"{factor}={level}" for factor, level in scope["at"].items())
        flat = {"scope": scope["type"], "at": at, "terms": ", ".join(scope["terms"])}
        rows.append({**claim, **flat, "caveats": " ".join(claim["caveats"])})
    return pd.DataFrame(rows, columns=list(CLAIMS))


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV; equal frames give equal text."""
    return frame.to_csv(index=False, lineterminator="\n")


def report_json(view: StudyView, files: dict[str, list[str]]) -> str:
    """The headline for programs: question, answer in words, verdicts, plan hash, versions, paths of
    the files."""
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
    """A row of verdicts; `claims` holds the ids of what it rests on, `aliases` what can't be told
    from it."""
    found = {str(key): _json(item) for key, item in row.items()}
    others = list(aliases(view, str(row["factor"])))
    return {**found, "claims": str(row["claims"]).split(), "aliases": others}


def _registered(view: StudyView) -> dict[str, Any]:
    """When the rule was fixed, as far as the ledger shows."""
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
