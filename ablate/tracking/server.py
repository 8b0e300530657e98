"""Serves the MLflow pages of a study, on this machine's loopback address only."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.disk.secrets import HIDDEN, masked
from ablate.planning.plan_file import read_plan
from ablate.processes import children
from ablate.processes.signals import terminated_as_interrupted
from ablate.study.nouns import StudyError
from ablate.tracking.pages import LOOPBACK
from ablate.tracking.sqlite_store import bring_artifacts, client_address
from ablate.tracking.store import VARIABLE, recorded_address, sqlite_path
from g2g_base import atomic

HOST = "127.0.0.1"


def serve(folder: Path, port: int, show: Callable[[str], None]) -> int:
    """Print the addresses of a study's MLflow pages, and serve its store until Ctrl-C.

    A store that a server has already is not served again.

    Args:
        folder: `OUT/<study>`.
        port: port to use; 0 stands for any free one.
        show: prints a line.

    Returns:
        The exit code: 0 after Ctrl-C, otherwise the server's.

    Raises:
        StudyError: the study was not tracked, or the port is taken.
    """
    # The server's folder may become the current one, see `client_address`
    folder = folder.resolve()
    command, addresses = server(folder, port)
    uri = _store(folder) if command is not None else ""
    for name in ("by_arm", "by_trial", "compare"):
        if name in addresses:
            show(f"{name.replace('_', ' ')}: {addresses[name]}")
    if command is None:
        return 0

    own = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        # Everybody on this machine can read a command line, but not an environment
        "MLFLOW_BACKEND_STORE_URI": client_address(uri),
    }
    env = children.environment(own, children.OF_MLFLOW)
    if path := sqlite_path(uri):
        bring_artifacts(path, atomic.read_json(StudyFolder(folder).tracking)["experiment_id"])
    # The server imports from its current folder, whatever its options say
    with tempfile.TemporaryDirectory(prefix="g2g-mlflow-") as empty:
        process = subprocess.Popen(command, env=env, cwd=empty, start_new_session=True)
        try:
            with terminated_as_interrupted():
                return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server and all its children, which share a process group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)


def server(folder: Path, port: int) -> tuple[list[str] | None, dict[str, str]]:
    """Return the command that serves the study's store, and the addresses of its pages.

    The command is None if a server has the store already.

    Raises:
        StudyError: the folder holds no study, the study was not tracked, or the port is taken.
    """
    read_plan(folder)
    facts = atomic.read_json(StudyFolder(folder).tracking)
    if "addresses" not in facts:
        raise StudyError(f"{folder}: this study was not tracked (no tracking.json)")
    if facts["base"] != LOOPBACK:
        return None, facts["addresses"]

    port = _free(port)
    base = f"http://{HOST}:{port}"
    addresses = {name: text.replace(LOOPBACK, base, 1) for name, text in facts["addresses"].items()}
    options = ("--host", HOST, "--port", str(port), "--workers", "1")
    return [sys.executable, "-m", "mlflow", "server", *options], addresses


def _store(folder: Path) -> str:
    """Return the whole address of the study's store, of which the folder keeps no password.

    Raises:
        StudyError: the address had a password, and `MLFLOW_TRACKING_URI` is another address.
    """
    recorded = recorded_address(folder) or ""
    named = os.environ.get(VARIABLE, "")
    if masked(named) == recorded:
        return named
    if HIDDEN in recorded:
        raise StudyError(
            f"{recorded}: the study folder keeps no passwords; "
            f"give the whole address with {VARIABLE}"
        )
    return recorded


def _free(port: int) -> int:
    """Return the port if it is free, or for 0 a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise StudyError(
                f"--port {port}: taken by another program; --port 0 finds a free one"
            ) from None
        return int(probe.getsockname()[1])
