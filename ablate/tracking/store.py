"""Which MLflow store a study is tracked in, and whether the store can be used.

This module does not import MLflow, because that takes seconds.
"""

import base64
import http.client
import json
import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Collection
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from ablate.disk.folder import OutFolder, StudyFolder
from ablate.disk.secrets import HIDDEN, OPTION, masked, masked_text
from ablate.study.nouns import StudyError
from g2g_base import atomic

OFF = "none"
"""Value of `--tracking-uri` that turns tracking off."""
VARIABLE = "MLFLOW_TRACKING_URI"
"""Environment variable with the address of the store, which MLflow itself reads too."""
DATABASES = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
"""Databases that MLflow can keep its store in, with their usual ports."""
DRIVERS = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}
"""Module that talks to a database -> name of its package, where the names differ."""
NOT_AN_ADDRESS = (
    "not a valid address; user name and password must have %2F for /, %3A for :, %40 for @"
)
SEARCH = "/api/2.0/mlflow/runs/search"
"""Where an MLflow server searches runs; without other words, deleted ones are left out."""
STATEMENT = re.compile(r"\(\w+\.\w+\) (.+?) \[SQL: ")
"""A database's own words, in an error that repeats the whole statement behind them."""
WAIT_S = 5.0
"""Seconds that a server has to answer before anything starts."""


def tracking_address(out: Path, given: str | None, recorded: str | None = None) -> str:
    """Return the address of the MLflow store to use.

    Args:
        out: folder of the studies; its `mlflow.db` is used if nothing else is given.
        given: address from the command line, or None for that in `MLFLOW_TRACKING_URI`.
        recorded: address that the study was tracked at before, without secrets, or None.

    Raises:
        StudyError: MLflow or the forwarder can't use this kind of address.
    """
    named = os.environ.get(VARIABLE)
    place, uri = (OPTION, given) if given else (VARIABLE, named) if named else ("", recorded)
    if uri and not place and HIDDEN in uri:
        raise StudyError(
            f"{uri}: the study folder keeps no passwords; give the whole address with {OPTION} "
            f"or {VARIABLE}"
        )
    if not uri:
        return f"sqlite:///{OutFolder(out.resolve()).store}"
    return _checked(uri, f"{place} {masked(uri)}".strip())


def _checked(uri: str, where: str) -> str:
    """Return an address that was given, with the absolute path of an sqlite store.

    Args:
        uri: the address.
        where: the option and the address without secrets, for messages.

    Raises:
        StudyError: MLflow or the forwarder can't use the address.
    """
    path = sqlite_path(uri)
    if path is not None:
        if path.is_dir():
            raise StudyError(f"{where}: {path} is a folder; the store must be a file")
        if set("%?") & set(path.name):
            raise StudyError(f"{where}: must name a file, without % and ? in its name")
        return f"sqlite:///{path}"

    try:
        parts = urlsplit(uri)
        kind, host = parts.scheme.partition("+")[0], parts.hostname
        _ = parts.port
    except ValueError:
        # The error repeats a part of the address, maybe of the password
        raise StudyError(f"{where}: {NOT_AN_ADDRESS}") from None

    if uri in (OFF, "databricks") or kind in (*DATABASES, "databricks"):
        return uri
    if kind not in ("http", "https") or not host:
        raise StudyError(
            f"{where}: must be http(s)://..., sqlite:///... or a database's address "
            f"({', '.join(DATABASES)})"
        )
    if "@" in urlunsplit(parts._replace(netloc="")):
        raise StudyError(f"{where}: {NOT_AN_ADDRESS}")
    return uri


def recorded_address(folder: Path) -> str | None:
    """Return the address that `tracking.json` names, at the folder's present place.

    A store next to the study folder may have been moved along with it.

    Args:
        folder: `OUT/<study>`.
    """
    facts = atomic.read_json(StudyFolder(folder).tracking)
    path, neighbor = sqlite_path(facts.get("uri") or ""), OutFolder(folder.resolve().parent).store
    # Versions before 0.2 did not note whether the store was the folder's neighbor
    moved = path is not None and path.name == neighbor.name and neighbor.exists()
    return f"sqlite:///{neighbor}" if facts.get("beside", moved) else facts.get("uri")


def is_beside(uri: str, folder: Path) -> bool:
    """Return whether a store is the file next to a study folder, which moves along with it."""
    return sqlite_path(uri) == OutFolder(folder.resolve().parent).store


def sqlite_path(uri: str) -> Path | None:
    """Return the absolute path of an sqlite store, or None for other kinds of stores."""
    return Path(uri.removeprefix("sqlite:///")).absolute() if uri.startswith("sqlite:///") else None


def server_address(uri: str) -> str:
    """Return the address of an MLflow server without user name, password, and options."""
    parts = urlsplit(uri)
    clean = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return urlunsplit(clean).rstrip("/")


def reachable(uri: str) -> str | None:
    """Return None if the store can be used, else a message that says why not.

    Servers have 5 seconds to answer. A file always counts as reachable.

    Raises:
        StudyError: the Python package that talks to this database isn't installed.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        problem = _server_problem(uri, parts)
    elif parts.scheme.partition("+")[0] in DATABASES:
        problem = _database_problem(uri, parts)
    else:
        return None

    if problem is None:
        return None
    return f"the tracking server {masked(uri)} doesn't respond: {why(problem, uri)}"


def why(problem: Exception | str, uri: str) -> str:
    """Return an error of a store as a single line without secrets.

    Of an error of a database, only the database's own words are shown, not the statement.

    Args:
        problem: the error, or its text.
        uri: address of the store.
    """
    text = " ".join(str(problem).split())
    statement = STATEMENT.search(text)
    return masked_text((statement[1] if statement else text)[:300], uri)


def _server_problem(uri: str, parts: SplitResult) -> Exception | str | None:
    """Return why an MLflow server doesn't answer, or None."""
    try:
        _answer(uri, parts, "/health")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return getattr(error, "reason", error)
    return None


def server_holds(uri: str, experiment_id: str, run_ids: Collection[str]) -> bool:
    """Return whether an MLflow server holds all of these runs, none of them deleted.

    A server that doesn't answer is taken to hold what it was sent.

    Args:
        uri: address of the server.
        experiment_id: the study's experiment.
        run_ids: the runs.
    """
    named = ", ".join(f"'{id_}'" for id_ in run_ids)
    question = {
        "experiment_ids": [experiment_id],
        "filter": f"attributes.run_id IN ({named})",
        "max_results": 50_000,
    }
    try:
        answer = json.loads(_answer(uri, urlsplit(uri), SEARCH, question))
        return set(run_ids) <= {str(run["info"]["run_id"]) for run in answer.get("runs", ())}
    except urllib.error.HTTPError as error:
        return error.code not in (400, 404)
    except (OSError, ValueError, LookupError, TypeError, http.client.HTTPException):
        return True


def _answer(uri: str, parts: SplitResult, path: str, question: object = None) -> bytes:
    """Return what an MLflow server answers.

    Args:
        uri: its address.
        parts: the parts of the address.
        path: the place of the answer below the address.
        question: what is sent, as JSON; None sends nothing.

    Raises:
        OSError, ValueError, HTTPException: it doesn't answer, or with an error.
    """
    name = unquote(parts.username or os.environ.get("MLFLOW_TRACKING_USERNAME", ""))
    password = unquote(parts.password or os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    request = urllib.request.Request(server_address(uri) + path)
    if question is not None:
        request.data = json.dumps(question).encode()
        request.add_header("Content-Type", "application/json")
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    if name:
        login = base64.b64encode(f"{name}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
    with urllib.request.urlopen(request, timeout=WAIT_S) as response:
        return bytes(response.read())


def _database_problem(uri: str, parts: SplitResult) -> Exception | None:
    """Return why a database doesn't answer, or None.

    Raises:
        StudyError: the Python package that talks to this database isn't installed.
    """
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(uri)
    except ModuleNotFoundError as error:
        raise StudyError(
            f"{masked(uri)}: needs the Python module {error.name}, which isn't installed. "
            f"To install it: pip install '{DRIVERS.get(str(error.name), error.name)}'"
        ) from None
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise StudyError(f"{masked(uri)}: {masked_text(str(error), uri)}") from None

    try:
        if parts.hostname:
            # First without the driver, whose patience can be minutes
            port = parts.port or DATABASES[parts.scheme.partition("+")[0]]
            socket.create_connection((parts.hostname, port), WAIT_S).close()
        engine.connect().close()
    except Exception as error:  # Each driver has errors of its own
        return getattr(error, "orig", None) or error
    finally:
        engine.dispose()
    return None
