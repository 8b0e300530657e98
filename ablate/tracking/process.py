"""Starts and stops the process that sends results to MLflow while trials run."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ablate.disk import children
from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.disk.watchdog import Watchdog
from ablate.study.nouns import StudyError, Trial
from ablate.tracking.pages import redacted
from ablate.trial import trial_file
from g2g_base import atomic

RESTARTS = 3
"""How often a tracking process that died is started again."""

OFF = "none"
"""Value of `--tracking-uri` that turns tracking off."""


def tracking_address(out: Path, given: str | None) -> str:
    """Return the address of the MLflow store to use.

    Args:
        out: folder of the studies; its `mlflow.db` is used if nothing else is given.
        given: address from the command line, or None for that in `MLFLOW_TRACKING_URI`.

    Raises:
        StudyError: MLflow or the forwarder can't use this kind of address.
    """
    uri = (
        given or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{out.resolve() / 'mlflow.db'}"
    )
    if uri == OFF or urlsplit(uri).scheme in (
        "http",
        "https",
        "postgresql",
        "mysql",
        "mssql",
        "databricks",
    ):
        return uri

    path = sqlite_path(uri)
    if path is None:
        raise StudyError(
            f"--tracking-uri {redacted(uri)}: "
            "must be http(s)://..., sqlite:///... or a database's address"
        )
    return f"sqlite:///{path}"


def sqlite_path(uri: str) -> Path | None:
    """Return the absolute path of an sqlite store, or None for other kinds of stores."""
    return Path(uri.removeprefix("sqlite:///")).absolute() if uri.startswith("sqlite:///") else None


def reachable(uri: str) -> str | None:
    """Return None if the store can be used, else a message that says why not.

    Only servers are asked, for at most 5 seconds.
    """
    if not uri.startswith("http"):
        return None

    parts = urlsplit(uri)
    request = urllib.request.Request(redacted(uri).rstrip("/") + "/health")
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=5):
            return None
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", error)
        return f"the tracking server {redacted(uri)} does not answer: {reason}"


def all_sent(folder: Path, trials: Sequence[Trial], uri: str) -> bool:
    """Return whether the store has all of these trials, as far as the study's folder shows."""
    facts = atomic.read_json(StudyFolder(folder).tracking)
    path = sqlite_path(uri)
    if (
        facts.get("uri") != redacted(uri)
        or facts.get("complete") is not True
        or (path and not path.exists())
    ):
        return False

    for trial in trials:
        where = StudyFolder(folder).trial(trial.id)
        document = trial_file.standing(where)
        last = (document.get("attempts") or [{}])[-1]
        end = f"{trial_file.status_of(document)} {last.get('ended')}"
        if atomic.read_json(TrialFolder(where).tracked).get("sent") != end:
            return False
    return True


class Forwarding:
    """The process that forwards a study's folder to MLflow while trials run.

    A thread starts it again if it dies, and continues it if it was stopped.

    Args:
        folder: `OUT/<study>`.
        uri: address of the store.
        say: takes messages about the process; the thread calls it.
        patience_s: how long `finish` lets the process send the rest, in seconds.
        every_s: pause between two rounds of sending, in seconds.
    """

    def __init__(
        self,
        folder: Path,
        uri: str,
        say: Callable[[str], None] = lambda _: None,
        patience_s: float = 30.0,
        every_s: float = 1.0,
    ) -> None:
        self.folder, self.uri, self._say = folder, uri, say
        self._patience_s, self._every_s = patience_s, every_s
        self._log = StudyFolder(folder).tracking_log.open("ab")
        self._starts = 0
        self._start()

        self._over = threading.Event()
        self._guard = threading.Thread(target=self._watch, daemon=True)
        self._guard.start()

    def _start(self) -> None:
        """Start the process and give it its order."""
        # One retry, because the forwarder tries again itself; no GPU, because the trials need it.
        own = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "CUDA_VISIBLE_DEVICES": "",
        }
        self._starts += 1
        self._process = subprocess.Popen(
            (sys.executable, "-c", "from ablate.tracking.forwarder import main; main()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=children.environment(own, children.OF_MLFLOW),
            start_new_session=True,
            text=True,
        )
        self._watchdog = Watchdog(self._process.pid, "the tracking process", self._say)

        order = {
            "folder": str(self.folder),
            "uri": self.uri,
            "patience_s": self._patience_s,
            "every_s": self._every_s,
        }
        self._write_line(json.dumps(order))

    def _watch(self) -> None:
        """Keep the process alive until it is to end; the body of the thread."""
        while not self._over.wait(0.5):
            if self._process.poll() is None:
                if fault := self._watchdog.look():
                    self._say(fault)
                    self._process.kill()
            elif self._starts <= RESTARTS:
                self._say("the tracking process has died; it starts again")
                self._close_pipes()
                self._start()

    def finish(self) -> str | None:
        """Have the rest sent and end the process.

        Returns:
            None if everything was sent, else a message that says why not.
        """
        self._over.set()
        self._guard.join()
        answer = self._answer()
        # Another one only if this one died: one that doesn't answer in time has tried
        if answer is None and self._process.returncode and self._starts <= RESTARTS:
            self._say("the tracking process has died; it starts again")
            self._start()
            answer = self._answer()
        if answer is None:
            answer = {
                "complete": False,
                "error": f"the tracking process failed, see {self.folder / 'tracking.log'}",
            }
        self._log.close()

        facts = atomic.read_json(StudyFolder(self.folder).tracking)
        if facts:
            atomic.write_json(
                StudyFolder(self.folder).tracking, {**facts, "complete": answer["complete"]}
            )

        if answer["complete"]:
            return None
        return f"tracking is behind ({answer['error']}); the next run sends the rest"

    def _answer(self) -> dict[str, Any] | None:
        """Return what the process reports at its end, or None if it died or took too long."""
        self._write_line("finish")
        deadline = time.monotonic() + self._patience_s + 60
        while time.monotonic() < deadline:
            try:
                output, _ = self._process.communicate(timeout=0.5)
                answer: dict[str, Any] = json.loads(output.splitlines()[-1])
                return answer
            except subprocess.TimeoutExpired:
                if self._watchdog.look():
                    break
            except (ValueError, IndexError):
                return None
        self._process.kill()
        self._process.communicate()
        return None

    def _close_pipes(self) -> None:
        """Close this side of the pipes of a process that has died."""
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()

    def _write_line(self, line: str) -> None:
        """Write a line to the process's stdin."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # The process has died; `finish` reports it.
