"""Reads the runs of an MLflow store in an sqlite file, whatever version of MLflow wrote it.

MLflow's client opens only stores of its own version, and changes them to open them. The tables that
are read here are the same from MLflow 1.0 to 3.17; the file is opened for reading only.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ablate.study.found import FoundRun
from ablate.study.nouns import Status, StudyError

ENDS: Mapping[str, Status] = {
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "interrupted",
    "RUNNING": "running",
    "SCHEDULED": "planned",
}
"""Status of a run in MLflow -> status of a trial."""
OWN = ("finished", "diverged", "failed", "interrupted")
"""Values of the tag `status` with which a study of this package says how a trial ended."""
EXPERIMENT = "experiment"
"""Column with the name of a run's experiment."""


def runs_in_file(path: Path) -> tuple[FoundRun, ...]:
    """Return the runs of all experiments that are not deleted, oldest first.

    Args:
        path: the sqlite file.

    Raises:
        StudyError: the file isn't an MLflow store, or can't be read.
    """
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=20)
        ) as connection:
            return _runs(connection)
    except sqlite3.DatabaseError as error:
        raise StudyError(f"{path}: is not an MLflow store that can be read: {error}") from None


def _runs(connection: sqlite3.Connection) -> tuple[FoundRun, ...]:
    """Return the runs of an open store."""
    rows = list(
        connection.execute(
            "SELECT r.run_uuid, r.name, r.status, r.start_time, r.end_time, e.name "
            "FROM runs r JOIN experiments e USING (experiment_id) "
            "WHERE r.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active' "
            "ORDER BY r.start_time, r.run_uuid"
        )
    )

    params: dict[str, dict[str, str]] = defaultdict(dict)
    for run, key, value in connection.execute("SELECT run_uuid, key, value FROM params"):
        params[run][key] = value
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for run, key, value in connection.execute("SELECT run_uuid, key, value FROM tags"):
        tags[run][key] = value or ""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for run, key, step, value, is_nan in connection.execute(
        "SELECT run_uuid, key, step, value, is_nan FROM metrics ORDER BY step, timestamp, rowid"
    ):
        curves[run][key].append((int(step), float("nan") if is_nan else unbounded(value)))

    return tuple(
        found_run(id_, name, status, start, end, experiment, params[id_], tags[id_], curves[id_])
        for id_, name, status, start, end, experiment in rows
    )


def found_run(
    id_: str,
    name: str | None,
    status: str,
    start: float | None,
    end: float | None,
    experiment: str,
    params: Mapping[str, str],
    tags: Mapping[str, str],
    curves: Mapping[str, Iterable[tuple[int, float]]],
) -> FoundRun:
    """Return an MLflow run as a run of another program.

    Args:
        id_: the run's id.
        name: its name, which may be missing.
        status: MLflow's word for how it ended.
        start: when it started, in Unix milliseconds.
        end: when it ended, in Unix milliseconds.
        experiment: the name of its experiment.
        params: its parameters.
        tags: its tags.
        curves: metric -> values in the order of steps and times.
    """
    said = tags.get("status", "")
    values: dict[str, Any] = {f"tags.{key}": text for key, text in tags.items()}
    # A dictionary without them would let a parameter named like one of these be lost.
    values = {EXPERIMENT: experiment, "run_id": id_, **values, **params}
    return FoundRun(
        name=name or tags.get("mlflow.runName") or id_,
        values=values,
        curves={key: numbered(points) for key, points in curves.items()},
        status=said if said in OWN else ENDS.get(status, "finished"),  # type: ignore[arg-type]
        error=" ".join(tags.get("error", "").split()) or None,
        started=start / 1000 if start else None,
        seconds=(end - start) / 1000 if start and end else 0.0,
    )


def numbered(points: Iterable[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """Return a curve with one value per step: the newest.

    A program that logs several values without naming steps has them all at step 0. Their order then
    takes the place of the step.
    """
    points = list(points)
    if len(points) > 1 and all(step == 0 for step, _ in points):
        return tuple(enumerate(value for _, value in points))
    return tuple(dict(points).items())


def unbounded(value: float) -> float:
    """Return a value as it was logged: MLflow stores infinite ones as the largest number."""
    return value if abs(value) < 1.7976931348623157e308 else float("inf") * (1 if value > 0 else -1)
