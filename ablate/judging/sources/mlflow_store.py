"""Runs in an MLflow store: an sqlite file, a folder of runs, a server, or a database."""

from collections.abc import Iterable
from pathlib import Path

from ablate.disk.secrets import masked
from ablate.judging.columns import named
from ablate.judging.question import Question
from ablate.judging.source import Source
from ablate.study.found import Found
from ablate.study.nouns import StudyError
from ablate.tracking.read_file import EXPERIMENT, runs_in_file
from ablate.tracking.store import DATABASES, sqlite_path

KIND = "MLflow store"
SQLITE = b"SQLite format 3\x00"
"""First bytes of an sqlite file."""


def is_store(place: str) -> bool:
    """Return whether a path or an address is an MLflow store."""
    path = sqlite_path(place) or Path(place)
    if path.is_file():
        with path.open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    scheme = place.partition("://")[0].partition("+")[0]
    known = ("http", "https", "databricks", *DATABASES)
    return _is_folder(path) or ("://" in place and scheme in known) or place == "databricks"


def read_store(question: Question) -> Found:
    """Return the runs of a store.

    Raises:
        StudyError: the file is not a store, or holds several experiments of which none is chosen.
        Infrastructure: the store doesn't answer.
    """
    place = question.source
    path = sqlite_path(place) or Path(place)
    if path.is_file():
        runs = runs_in_file(path)
    else:
        from ablate.tracking.read_client import runs_of_store

        runs = runs_of_store(
            place, lambda names: _whole(question, names), question.where.get(EXPERIMENT)
        )

    names = list(dict.fromkeys(run.values[EXPERIMENT] for run in runs))
    if len(names) > 1 and EXPERIMENT not in question.where:
        raise StudyError(
            f"{masked(place)}: holds runs of {len(names)} experiments; choose one by "
            f"--where {EXPERIMENT}=NAME: {', '.join(names[:12])}"
        )
    return Found(KIND, masked(place), runs)


def _whole(question: Question, names: Iterable[str]) -> list[str]:
    """Return the metrics whose whole curves are read: the outcome, and further outcomes."""
    names, whole = list(names), []
    for wanted in question.metrics:
        try:
            whole.append(named(wanted, names, "outcome"))
        except StudyError:
            continue  # another run may have it; the runs without it are counted later
    return whole


def _is_folder(path: Path) -> bool:
    """Return whether a folder is one in which MLflow keeps runs as files."""
    return path.is_dir() and any(path.glob("*/meta.yaml"))


SOURCES = {
    "mlflow": Source(
        "an MLflow store (its .db file, its folder mlruns, or its address)", is_store, read_store
    )
}
