"""The process that serves the live page while a command runs a study."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ablate.processes import children, signals


class Child:
    """A context in which a study's live page is served by a process of its own.

    Args:
        folder: `OUT/<study>`.
        say: takes the line with the address, as soon as the page is there.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Child":
        # A study doesn't fail for want of its page
        with contextlib.suppress(OSError), signals.blocked():
            self._process = subprocess.Popen(
                (sys.executable, "-c", "from ablate.live.server import main; main()"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=children.environment({}),
                start_new_session=True,
                text=True,
            )
            assert self._process.stdin is not None
            self._process.stdin.write(f"{self._folder}\n")
            self._process.stdin.flush()
            threading.Thread(target=self._tell, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError, ValueError):
                    if stream is not None:
                        stream.close()

    def _tell(self) -> None:
        """Say where the page is; the body of a thread."""
        assert self._process is not None
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):
            if address := self._process.stdout.readline().strip():
                self._say(f"live page: {address}")
