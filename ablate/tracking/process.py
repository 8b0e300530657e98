"""Starts and stops the process that sends results to MLflow while trials run."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ablate.disk.digests import file_digest
from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.disk.secrets import masked, masked_text
from ablate.planning.plan_file import plan_document
from ablate.study.identity import digest, dumps
from ablate.tracking.sqlite_store import holds
from ablate.tracking.store import is_beside, recorded_address, sqlite_path
from ablate.trial import trial_file
from g2g_base import atomic


def all_sent(folder: Path, trial_ids: Iterable[str], uri: str) -> bool:
    """Return whether the store has all of these trials, without asking a server.

    What was changed or deleted on a server is seen only by a process that forwards. A store in a
    file is looked into.

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
    return path is None or (path.exists() and holds(path, run_ids))


def content(folder: Path) -> str:
    """Return a digest of what MLflow shows of a study besides its trials' records.

    This is the plan with its names, and the report.
    """
    plan = plan_document(folder)
    names = {key: value for key, value in plan.items() if key not in ("ledger", "versions")}
    return digest(dumps([names, file_digest(StudyFolder(folder).report_data)]))


class Forwarding:
    """The process that forwards a study's folder to MLflow while trials run.

    Args:
        folder: `OUT/<study>`.
        uri: address of the store.
        patience_s: how long `finish` lets the process try again after failures, in seconds.
        every_s: pause between two rounds of sending, in seconds.
    """

    def __init__(
        self, folder: Path, uri: str, patience_s: float = 30.0, every_s: float = 1.0
    ) -> None:
        self.folder, self.uri = folder, uri
        # Until everything was sent, and also if this command is killed
        self._note({"complete": False, "error": "the last command didn't end its tracking"})

        # One retry, because the forwarder tries again itself; no GPU, because the trials need it.
        environment = os.environ | {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONSAFEPATH": "1",
            "PYTHONWARNINGS": "ignore",
            "CUDA_VISIBLE_DEVICES": "",
        }
        self._process = subprocess.Popen(
            (sys.executable, "-c", "from ablate.tracking.forwarder import main; main()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._logger = threading.Thread(target=self._log, daemon=True)
        self._logger.start()

        self._patience_s = patience_s
        order = {"folder": str(folder), "uri": uri, "patience_s": patience_s, "every_s": every_s}
        self._write_line(json.dumps(order))

    def finish(self, limit_s: float | None = 60.0) -> str | None:
        """Have the rest sent and end the process.

        Args:
            limit_s: how long sending may take besides the patience, in seconds; None: forever.

        Returns:
            None if everything was sent, else a message that says why not.
        """
        self._write_line("finish")
        answer = {"complete": False, "error": "the tracking process failed"}
        try:
            self._process.wait(None if limit_s is None else self._patience_s + limit_s)
            assert self._process.stdout is not None
            answer = json.loads(self._process.stdout.read().splitlines()[-1])
        except subprocess.TimeoutExpired:
            answer["error"] = f"sending takes more than {self._patience_s + (limit_s or 0):.0f} s"
        except (ValueError, IndexError):
            answer["error"] = f"{answer['error']}, see {StudyFolder(self.folder).tracking_log}"
        finally:
            self._process.kill()
            self._process.wait()
        self._logger.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                assert stream is not None
                stream.close()

        self._note({"content": content(self.folder), **answer})
        if answer["complete"]:
            return None
        return f"tracking is behind ({masked(self.uri)}: {answer['error']})"

    def _note(self, facts: dict[str, object]) -> None:
        """Write to `tracking.json` how far tracking has come."""
        path, uri = StudyFolder(self.folder).tracking, masked(self.uri)
        # What is known about another store doesn't hold for this one
        known = atomic.read_json(path) if recorded_address(self.folder) == uri else {}
        beside = is_beside(self.uri, self.folder)
        atomic.write_json(path, {**known, "uri": uri, "beside": beside, **facts})

    def _log(self) -> None:
        """Copy what the process prints to its log, without secrets."""
        assert self._process.stderr is not None
        log_path = StudyFolder(self.folder).tracking_log
        with self._process.stderr as lines, log_path.open("a", encoding="utf-8") as log:
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
