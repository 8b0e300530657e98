"""Starts and stops the process that sends results to MLflow while trials run."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ablate.disk.digests import file_digest
from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.disk.secrets import masked, masked_text
from ablate.planning.plan_file import plan_document
from ablate.processes import children
from ablate.processes.watchdog import Watchdog
from ablate.study.identity import digest, dumps
from ablate.tracking.sqlite_store import holds
from ablate.tracking.store import is_beside, recorded_address, server_holds, sqlite_path
from ablate.trial import trial_file
from g2g_base import atomic

RESTARTS = 3
"""How often a tracking process that died is started again."""


def all_sent(folder: Path, trial_ids: Iterable[str], uri: str) -> bool:
    """Return whether the store has all of these trials.

    A store in a file is looked into, and a server is asked for the runs. What else was changed
    there, or deleted in another database, is seen only by a process that forwards.

    Args:
        folder: `OUT/<study>`.
        trial_ids: the trials.
        uri: address of the store.
    """
    facts = atomic.read_json(StudyFolder(folder).tracking)
    if (
        facts.get("uri") != masked(uri)
        or facts.get("complete") is not True
        or facts.get("content") != content(folder)
    ):
        return False

    run_ids = {str(facts.get("study_run_id"))}
    for id_ in trial_ids:
        where = StudyFolder(folder).trial(id_)
        document = trial_file.standing(where)
        last = (document.get("attempts") or [{}])[-1]
        end = f"{trial_file.status_of(document)} {last.get('ended')}"
        tracked = atomic.read_json(TrialFolder(where).tracked)
        if tracked.get("sent") != end:
            return False
        run_ids.add(str(tracked.get("run_id")))
    path = sqlite_path(uri)
    if path is not None:
        return path.exists() and holds(path, run_ids)
    return not uri.startswith("http") or server_holds(uri, str(facts["experiment_id"]), run_ids)


def content(folder: Path) -> str:
    """Return a digest of what MLflow shows of a study besides its trials' records.

    This is the plan with its names, and the report.
    """
    plan = plan_document(folder)
    names = {key: value for key, value in plan.items() if key not in ("ledger", "versions")}
    return digest(dumps([names, file_digest(StudyFolder(folder).report_data)]))


class Forwarding:
    """The process that forwards a study's folder to MLflow while trials run.

    A thread starts it again if it dies, and continues it if it was stopped.

    Args:
        folder: `OUT/<study>`.
        uri: address of the store.
        say: takes messages about the process; the thread calls it.
        patience_s: how long `finish` lets the process try again after failures, in seconds.
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
        # Until everything was sent, and also if this command is killed
        self._note({"complete": False, "error": "the last command didn't end its tracking"})
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
            stderr=subprocess.PIPE,
            env=children.environment(own, children.OF_MLFLOW),
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._logger = threading.Thread(target=self._log, args=(self._process,), daemon=True)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._report, self._heard = "", time.monotonic()
        for thread in (self._logger, self._reader):
            thread.start()
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
                self._close()
                self._start()

    def finish(self, limit_s: float | None = 60.0) -> str | None:
        """Have the rest sent and end the process.

        Thousands of short trials end faster than a server takes them, so this may last for long.

        Args:
            limit_s: how long nothing may be sent besides the patience, in seconds; None: forever.

        Returns:
            None if everything was sent, else a message that says why not.
        """
        self._over.set()
        self._guard.join()
        answer = self._answer(limit_s)
        # Another one only if this one died: one that doesn't answer in time has tried
        while answer is None and self._starts <= RESTARTS:
            self._say("the tracking process has died; it starts again")
            self._start()
            answer = self._answer(limit_s)
        if answer is None:
            log = StudyFolder(self.folder).tracking_log
            answer = {"complete": False, "error": f"the tracking process failed, see {log}"}

        self._note({"content": content(self.folder), **answer})
        if answer["complete"]:
            return None
        return f"tracking is behind ({masked(self.uri)}: {answer['error']})"

    def _answer(self, limit_s: float | None) -> dict[str, Any] | None:
        """Return what the process reports at its end, or None if it died."""
        self._write_line("finish")
        waited = self._patience_s + (limit_s or 0)
        self._heard = time.monotonic()
        late = False
        while self._process.poll() is None and not late:
            late = limit_s is not None and time.monotonic() >= self._heard + waited
            if self._watchdog.look():
                self._process.kill()
            time.sleep(0.1)
        if late:
            self._process.kill()

        self._process.wait()
        self._close()
        if late:
            return {"complete": False, "error": f"nothing could be sent for {waited:.0f} s"}
        try:
            answer: dict[str, Any] = json.loads(self._report)
        except ValueError:
            return None
        return answer

    def _close(self) -> None:
        """Close this side of the pipes of a process that has ended."""
        self._logger.join(timeout=5)
        self._reader.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                assert stream is not None
                stream.close()

    def _note(self, facts: dict[str, object]) -> None:
        """Write to `tracking.json` how far tracking has come."""
        path, uri = StudyFolder(self.folder).tracking, masked(self.uri)
        # What is known about another store doesn't hold for this one
        known = atomic.read_json(path) if recorded_address(self.folder) == uri else {}
        beside = is_beside(self.uri, self.folder)
        atomic.write_json(path, {**known, "uri": uri, "beside": beside, **facts})

    def _read(self, process: "subprocess.Popen[str]") -> None:
        """Note when a process sent something last, and its report; the body of a thread."""
        assert process.stdout is not None
        for line in process.stdout:
            self._heard = time.monotonic()
            self._report = line.strip() or self._report

    def _log(self, process: "subprocess.Popen[str]") -> None:
        """Copy what a process prints to the log, without secrets; the body of a thread."""
        assert process.stderr is not None
        log_path = StudyFolder(self.folder).tracking_log
        with process.stderr as lines, log_path.open("a", encoding="utf-8") as log:
            for line in lines:
                log.write(masked_text(line, self.uri))
                log.flush()

    def _write_line(self, line: str) -> None:
        """Write a line to the process's stdin."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # The process has died; `finish` reports it.
