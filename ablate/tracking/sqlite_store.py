"""What MLflow's client can't do with a store in an sqlite file: open it safely, and move it.

MLflow writes down absolute paths of artifacts. After a move of the output folder, these paths are
corrected in the store itself, in the two columns that hold them (the same from MLflow 3.9 to 3.17).
"""

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ablate.disk.folder import OutFolder
from ablate.tracking.store import sqlite_path
from g2g_base.locks import alone


@contextmanager
def one_process_at_a_time(uri: str) -> Iterator[None]:
    """Let only one process at a time open an sqlite store.

    The first one creates the tables, which fails if several processes try it at once.
    """
    path = sqlite_path(uri)
    if path is None:
        yield
        return
    with alone(path.with_name(f".{path.name}.lock")):
        with closing(sqlite3.connect(path, timeout=20)) as connection:
            # The file keeps this mode, in which readers and writers do not block each other.
            connection.execute("PRAGMA journal_mode=WAL")
        yield


def client_address(uri: str) -> str:
    """Return the address of a store as MLflow reads it.

    MLflow takes `%` and `?` in the path of an sqlite store as parts of an address. A path with them
    is avoided: the store's folder becomes the current one of this process.
    """
    path = sqlite_path(uri)
    if path is None or not set("%?") & set(str(path)):
        return uri
    os.chdir(path.parent)
    return f"sqlite:///{path.name}"


def artifact_folder(uri: str, name: str) -> str | None:
    """Return the address of an experiment's artifacts, or None to let a server decide.

    With an sqlite store, they are in a folder next to the store.
    """
    path = sqlite_path(uri)
    return None if path is None else (OutFolder(path.parent).artifacts / name).as_uri()


def bring_artifacts(path: Path, experiment_id: str) -> None:
    """Correct the places of an experiment's artifacts after the store was moved or copied.

    Only places that this package chose are changed, and none whose files stayed behind.

    Args:
        path: the store.
        experiment_id: the study's experiment.
    """
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        row = connection.execute(
            "SELECT artifact_location FROM experiments WHERE experiment_id = ?", (experiment_id,)
        ).fetchone()
        old = _local(row[0]) if row else None
        present = OutFolder(path.parent).artifacts
        if old is None or old.parent.name != present.name or old.parent == present:
            return
        new = present / old.name

        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
            (new.as_uri(), experiment_id),
        )
        for id_, address in connection.execute(
            "SELECT run_uuid, artifact_uri FROM runs WHERE experiment_id = ?", (experiment_id,)
        ).fetchall():
            place = _local(address)
            if place is None or not place.is_relative_to(old):
                continue
            moved = new / place.relative_to(old)
            if moved.exists() or not place.exists():
                connection.execute(
                    "UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", (moved.as_uri(), id_)
                )


def holds(path: Path, run_ids: Collection[str]) -> bool:
    """Return whether a store holds all of these runs, none of them deleted."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=20)) as connection:
        rows = connection.execute(
            "SELECT run_uuid FROM runs JOIN experiments USING (experiment_id) "
            "WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'"
        )
        return set(run_ids) <= {str(row[0]) for row in rows}
    return False


def _local(address: str | None) -> Path | None:
    """Return the path of artifacts on this machine, or None."""
    parts = urlsplit(address or "")
    return Path(unquote(parts.path)) if parts.scheme == "file" and not parts.netloc else None
