"""Gathers trial folders into the results tables `trials.csv` and `history.parquet`.

The tables depend on the folders only. They are identical however often they are gathered, and
however often the trials were interrupted.
"""

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.planning.plan_file import plan_document
from ablate.results import fresh
from ablate.study.outcome import degraded_at_step, summarise
from ablate.trial import journal, trial_file
from ablate.trial.journal import Line
from g2g_base import atomic
from g2g_base.spreadsheet import safe
from reports.documents.names import ArmNames
from reports.documents.plan import PlanDocument
from reports.documents.trial import TrialDocument

PARQUET = b"PAR1"
"""The last bytes of a complete history."""
ROWS_PER_GROUP = 500_000
"""Rows of the history that are held in memory at once."""


def gather(folder: Path) -> Path:
    """Write `trials.csv` and `history.parquet` of a study from its trials' folders, atomically.

    Args:
        folder: `OUT/<study>` with plan.json and trials/.

    Returns:
        The path of trials.csv. Its metric columns are empty for trials that did not finish.
    """
    own = StudyFolder(folder)
    made_from = fresh.content(folder, "tables")
    gathered = _Gathered(plan_document(folder), folder)
    atomic.replace(own.history_table, gathered.write_history)
    atomic.write_text(own.trials_table, gathered.trials_csv())
    fresh.note(folder, "tables", made_from)
    return own.trials_table


def up_to_date(folder: Path) -> bool:
    """Return whether the tables are complete and made from the folder's current content."""
    own = StudyFolder(folder)
    try:
        with own.trials_table.open("rb") as table, own.history_table.open("rb") as history:
            history.seek(-len(PARQUET), os.SEEK_END)
            if not table.readline().startswith(b"trial_id,") or history.read() != PARQUET:
                return False
    except OSError:
        return False
    return fresh.is_current(folder, "tables")


class _Gathered:
    """One pass over the trials, which streams the history to its file and keeps one row per trial.

    Args:
        plan: the content of plan.json.
        folder: the study's folder.
    """

    def __init__(self, plan: PlanDocument, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.names = ArmNames(plan)
        self.rows: list[dict[str, Any]] = []
        self.metrics: dict[str, None] = {}

    def write_history(self, path: Path) -> None:
        """Write the history, one row per trial, step, and name.

        The columns are trial_id, attempt, step, name, and value. This also collects the rows for
        `trials_csv`.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        text = pa.dictionary(pa.int32(), pa.string())
        schema = pa.schema(
            [
                ("trial_id", text),
                ("attempt", pa.int32()),
                ("step", pa.int64()),
                ("name", text),
                ("value", pa.float64()),
            ]
        )

        with pq.ParquetWriter(path, schema) as writer:
            columns: list[list[Any]] = [[], [], [], [], []]
            for row in self._history():
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
                if len(columns[0]) >= ROWS_PER_GROUP:
                    writer.write_table(_table(columns, schema))
                    columns = [[], [], [], [], []]
            writer.write_table(_table(columns, schema))

    def _history(self) -> Iterator[tuple[str, int, int, str, float]]:
        """Yield the rows of the history, and collect the trials' own rows on the way."""
        for planned in self.plan["trials"]:
            id_ = planned["trial_id"]
            where = StudyFolder(self.folder).trial(id_)
            lines = journal.effective(journal.read(where))
            self.rows.append(self._trial(planned, trial_file.standing(where), lines, where))
            seen: set[tuple[int, str]] = set()
            for line in lines:
                for name, value in line.values.items():
                    if (line.step, name) not in seen:
                        seen.add((line.step, name))
                        yield id_, line.attempt, line.step, name, value

    def _trial(
        self,
        planned: Mapping[str, Any],
        document: TrialDocument,
        lines: Sequence[Line],
        where: Path,
    ) -> dict[str, Any]:
        """Return the row of one trial in trials.csv."""
        status = trial_file.status_of(document)
        row: dict[str, Any] = {
            "trial_id": planned["trial_id"],
            "cell_id": planned["cell_id"],
            "status": status,
            "seed": planned["seed"],
            "network": planned.get("network"),
            "arm_code": self.names.code(planned["levels"]),
        }
        row |= {f"level.{name}": level for name, level in planned["levels"].items()}
        row |= {f"config.{path}": value for path, value in flat(document.get("config", {})).items()}

        curves = metric_curves(lines)
        self.metrics |= dict.fromkeys(curves)
        outcome = self.plan["outcome"]
        chosen = {rule["metric"]: rule["better"] for rule in (*outcome.get("also", ()), outcome)}
        for name, curve in curves.items():
            if status == "finished":
                better = (self.plan.get("metrics", {}).get(name) or {}).get("better")
                row[f"metric.{name}"] = summarise(
                    curve, outcome["summary"], chosen.get(name, better)
                )
            if curve[0][0] == 0:
                row[f"metric0.{name}"] = curve[0][1]

        row["degraded_at_step"] = degraded_at_step(curves.get(outcome["metric"], []), outcome)
        row["steps_done"] = document.get("steps_done", 0)
        # Those that another trial has trained for this one; absent if it went on from none
        if shared := _shared(lines):
            row["shared_steps"] = shared
        row["seconds"] = document.get("seconds", 0.0)
        row["peak_memory_mb"] = max((document.get("peak_memory_mb") or {}).values(), default=None)
        row["error"] = document.get("error")
        row["mlflow_run_id"] = atomic.read_json(TrialFolder(where).tracked).get("run_id")
        return row

    def trials_csv(self) -> str:
        """Return the content of trials.csv; of the config, it has only the values that vary."""
        # A trial without a config has a damaged document and says nothing about what varies.
        known = [row for row in self.rows if any(name.startswith("config.") for name in row)]
        varying = [
            name
            for name in _names(known, "config.")
            if len({_text(_config(row, name)) for row in known}) > 1
        ]
        for row in known:
            row.update({name: _config(row, name) for name in varying})

        networks = any(row["network"] is not None for row in self.rows)
        columns = [
            *("trial_id", "cell_id", "status", "seed"),
            *(("network",) if networks else ()),
            "arm_code",
            *_names(self.rows, "level."),
            *varying,
            *(f"metric.{name}" for name in self.metrics),
            *(f"metric0.{name}" for name in self.metrics),
            *(
                "degraded_at_step",
                "steps_done",
                *(("shared_steps",) if any("shared_steps" in row for row in self.rows) else ()),
                "seconds",
                "peak_memory_mb",
                "error",
                "mlflow_run_id",
            ),
        ]

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([safe(_text(row.get(name))) for name in columns] for row in self.rows)
        return text.getvalue()


def _shared(lines: Sequence[Line]) -> int:
    """Return the number of first steps that a trial has not trained itself."""
    return max((line.step for line in lines if line.attempt == 0), default=0)


def metric_curves(lines: Sequence[Line]) -> dict[str, list[tuple[int, float]]]:
    """Return metric name -> (step, value) of each evaluation, in the order of the lines."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line.values.items():
            if name.startswith("metric/"):
                curves.setdefault(name.removeprefix("metric/"), []).append((line.step, value))
    return curves


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return dotted path -> value of a config as JSON.

    The seed is left out because it has a column of its own.
    """
    values: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            values |= flat(value, f"{prefix}{key}.")
        elif f"{prefix}{key}" != "seed":
            values[prefix + key] = value
    return values


def _config(row: Mapping[str, Any], name: str) -> Any:
    """Return a value of the config; a loss that is absent is off, so its weight is 0."""
    return row.get(name, 0.0 if name.startswith("config.losses.") else None)


def _names(rows: Sequence[Mapping[str, Any]], prefix: str) -> list[str]:
    """Return the columns with this prefix that any row has, by first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row if name.startswith(prefix)))


def _text(value: Any) -> str:
    """Return the text of a CSV field: empty if missing, floats with all their digits."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _table(columns: Sequence[Sequence[Any]], schema: Any) -> Any:
    """Return columns of values as an Arrow table of this schema."""
    import pyarrow as pa

    arrays = [
        pa.array(column, kind.value_type).dictionary_encode()
        if pa.types.is_dictionary(kind)
        else pa.array(column, kind)
        for column, kind in zip(columns, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
