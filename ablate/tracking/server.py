"""The MLflow page of a study, on this machine's loopback only."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ablate.disk import atomic
from ablate.disk.signals import terminated_as_interrupted
from ablate.planning.plan_file import read_plan
from ablate.study.nouns import StudyError
from ablate.tracking.pages import LOOPBACK

HOST = "127.0.0.1"


def serve(folder: Path, port: int, show: Callable[[str], None]) -> int:
    """Serve the study's MLflow store until Ctrl-C; print the addresses first.

    Args:
        folder: `OUT/<study>`.
        port: on loopback; 0 for any free one.
        show: prints a line.

    Returns:
        The exit code: 0 after Ctrl-C, else that of the server.

    Raises:
        StudyError: the study was not tracked, or the port is taken.
    """
    command, addresses = server(folder, port)
    for name in ("by_arm", "by_trial", "compare"):
        show(f"{name.replace('_', ' ')}: {addresses[name]}")
    if command is None:
        return 0
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    served = subprocess.Popen(command, env=os.environ | quiet, start_new_session=True)
    try:
        with terminated_as_interrupted():
            return served.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(served)


def _end(served: "subprocess.Popen[bytes]") -> None:
    """End the server and all its children: they share a process group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(served.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            served.wait(5)


def server(folder: Path, port: int) -> tuple[list[str] | None, dict[str, str]]:
    """The command that serves the study's store (None: a server has it already), and the addresses
    of its pages."""
    read_plan(folder)
    facts = atomic.read_json(folder / "tracking.json")
    if not facts:
        raise StudyError(f"{folder}: this study was not tracked (no tracking.json)")
    if facts["base"] != LOOPBACK:
        return None, facts["addresses"]
    port = _free(port)
    store = _moved(folder, facts["uri"])
    base = f"http://{HOST}:{port}"
    addresses = {name: text.replace(LOOPBACK, base, 1) for name, text in facts["addresses"].items()}
    options = ("--backend-store-uri", store, "--host", HOST, "--port", str(port), "--workers", "1")
    return [sys.executable, "-m", "mlflow", "server", *options], addresses


def _moved(folder: Path, uri: str) -> str:
    """The store beside the study's folder when there is one, for the folder may have been moved;
    else where it was."""
    beside = folder.resolve().parent / "mlflow.db"
    return f"sqlite:///{beside}" if uri.startswith("sqlite") and beside.exists() else uri


def _free(port: int) -> int:
    """The port, once it is sure that it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise StudyError(
                f"--port {port}: taken by another program; --port 0 finds a free one"
            ) from None
        return int(probe.getsockname()[1])
