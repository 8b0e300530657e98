"""Serves the live page of a study on this machine's loopback address.

The page is the study's report, built again while somebody looks at it and trials have ended since,
below a strip that shows what the trials do at the moment. Nobody who doesn't look causes any work.
"""

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.live.state import State, figures
from ablate.results.report import write_reports
from ablate.study.nouns import StudyError
from g2g_base.plugins import PluginError

HOST = "127.0.0.1"
PORTS = range(8050, 8070)
"""Ports that are tried before any free one, because people can remember them."""
LOOKED_S = 20.0
"""Seconds after a page has asked for the last time, in which it still counts as open."""
PAUSE_S = 15.0
"""Least seconds between two builds of the report; it is at least ten times what a build takes."""


class LivePage:
    """The server of one study's page.

    Args:
        folder: `OUT/<study>`.
        port: port to use; 0: the first free one of `PORTS`, or else any.

    Attributes:
        address: where the page is.

    Raises:
        StudyError: the port is taken.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder.resolve()
        self.state = State(self.folder)
        self.fragment = resources.files("ablate.live").joinpath("strip.html").read_text("utf-8")
        self.page: bytes | None = None
        self.built = 0
        self._asked = float("-inf")
        self._over = threading.Event()
        self._made_from: tuple[tuple[str, int], ...] | None = None
        self._server = _bound(self, port)
        self.address = f"http://{HOST}:{self._server.server_address[1]}/"

    def serve(self) -> None:
        """Serve the page until the process ends."""
        threading.Thread(target=self._follow, daemon=True).start()
        self._server.serve_forever()

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Return the type and the content of a path; None if there is nothing there."""
        if path == "/":
            self._asked = time.monotonic()
            return "text/html; charset=utf-8", self._html()
        if path == "/live.json":
            self._asked = time.monotonic()
            state = self.state.read() | {
                "built": self.built,
                "report": str(StudyFolder(self.folder).page),
            }
            return "application/json", json.dumps(state).encode()

        # The id and the step are looked up, so that no path of the request reaches the disk
        parts = path.removeprefix("/figure/").removesuffix(".png").split("/")
        if path.startswith("/figure/") and len(parts) == 2 and parts[1].isdigit():
            for trial in StudyFolder(self.folder).trials.iterdir():
                if trial.name == parts[0] and int(parts[1]) in figures(trial):
                    return "image/png", TrialFolder(trial).figure(int(parts[1])).read_bytes()
        return None

    def _html(self) -> bytes:
        """Return the page: the strip, and the report if one has been built."""
        strip = self.fragment.encode()
        if self.page is None:
            head = b"<!doctype html><html lang=en><meta charset=utf-8><title>Live</title><body>"
            return head + strip + b"</body></html>"
        before, body, after = self.page.partition(b"<body>")
        return before + body + strip + after if body else strip + before

    def close(self) -> None:
        """End the server."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def build(self) -> None:
        """Build the report from the trials that have ended so far."""
        ended = self._ended()
        with tempfile.TemporaryDirectory(prefix="g2g-live-") as scratch:
            write_reports([self.folder], Path(scratch), ["html"], ())
            self.page = (Path(scratch) / "index.html").read_bytes()
        self._made_from = ended
        self.built += 1

    def _follow(self) -> None:
        """Build the report whenever a page is open and a trial has ended; body of a thread."""
        with contextlib.suppress(OSError):
            os.nice(10)  # the trials come first
        while not self._over.wait(1.0):
            ended, open_ = self._ended(), time.monotonic() - self._asked < LOOKED_S
            if not open_ or not ended or ended == self._made_from:
                continue
            began = time.monotonic()
            try:
                self.build()
            except (StudyError, PluginError, ValueError, OSError) as error:
                print(f"live page: {error}", file=sys.stderr)
            self._over.wait(max(PAUSE_S, 10 * (time.monotonic() - began)))

    def _ended(self) -> tuple[tuple[str, int], ...]:
        """Return the trials that are over, each with the size of its document."""
        documents = (
            TrialFolder(trial).document
            for trial in sorted(StudyFolder(self.folder).trials.glob("*"))
        )
        over = []
        for path in documents:
            with contextlib.suppress(OSError, ValueError):
                text = path.read_bytes()
                if json.loads(text).get("status") in ("finished", "diverged", "failed"):
                    over.append((path.parent.name, len(text)))
        return tuple(over)


def _bound(page: LivePage, port: int) -> ThreadingHTTPServer:
    """Return a server that listens on the loopback address.

    Raises:
        StudyError: the port is taken.
    """
    for one in (port,) if port else (*PORTS, 0):
        with contextlib.suppress(OSError):
            return ThreadingHTTPServer((HOST, one), _handler(page))
    raise StudyError(f"--port {port}: taken; --port 0 takes any free one")


def _handler(page: LivePage) -> type[BaseHTTPRequestHandler]:
    """Return the class of the objects that answer requests for a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer a request."""
            # A page of another site must not read this one through a name that leads here
            host = (self.headers.get("Host") or "").rpartition(":")[0]
            found = page.answer(urlsplit(self.path).path) if host in (HOST, "localhost") else None
            kind, content = found or ("text/plain", b"nothing here")
            self.send_response(200 if found else 404)
            for name, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(content))),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
            ):
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Log nothing: a page asks every two seconds."""

    return Handler


def watch(folder: Path, port: int, show: Callable[[str], None]) -> int:
    """Serve the page of a study until Ctrl-C, and print its address.

    Args:
        folder: `OUT/<study>`.
        port: as for `LivePage`.
        show: prints a line.

    Returns:
        The exit code.

    Raises:
        StudyError: the folder holds no study, or the port is taken.
    """
    from ablate.planning.plan_file import read_plan

    read_plan(folder)
    page = LivePage(folder, port)
    show(page.address)
    with contextlib.suppress(KeyboardInterrupt):
        page.serve()
    return 0


def main() -> None:
    """Serve the page of the study whose folder is on stdin, until stdin closes.

    The first line on stdout is the address.
    """
    folder = sys.stdin.readline().rstrip("\n")
    page = LivePage(Path(folder))
    print(page.address, flush=True)
    threading.Thread(target=page.serve, daemon=True).start()
    sys.stdin.read()  # returns when the command's end of the pipe closes
    os._exit(0)
