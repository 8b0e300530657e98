"""A script that runs a program, and ends it with all its processes when the calling process ends.

The script needs only the standard library:

    python -I -S supervisor.py PROGRAM ARGUMENT...

What the program prints goes to standard error. The line `stop` on standard input asks for a clean
end. The end of standard input means that the calling process died. The script prints one JSON
object to standard output, which says how the program ended.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time

PATIENCE_S = 5.0
"""Seconds between the request to end and the end by force."""

SET_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of Linux: the signal that a process gets when its parent dies."""

NOT_STARTED = 127
"""The exit status of a shell for a program that it cannot start."""


def main() -> None:
    """Run the program that the command line names until it ends."""
    try:
        program = subprocess.Popen(
            sys.argv[1:],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            preexec_fn=_die_with_supervisor if sys.platform == "linux" else None,
            process_group=0,
        )
    except OSError as error:
        print(f"{sys.argv[1]}: {error.strerror}", file=sys.stderr, flush=True)
        _tell(NOT_STARTED)
        return

    signal.signal(signal.SIGTERM, lambda *_: _end(program.pid, signal.SIGTERM))
    threading.Thread(target=_obey, args=(program.pid,), daemon=True).start()
    status = program.wait()
    _end(program.pid, signal.SIGKILL)  # its children would write into the next attempt
    _tell(status)


def _obey(group: int) -> None:
    """End the program, cleanly when asked to, and at once when the calling process has died."""
    if sys.stdin.readline().strip() == "stop":
        _end(group, signal.SIGTERM)
        time.sleep(PATIENCE_S)
    _end(group, signal.SIGKILL)


def _end(group: int, number: int) -> None:
    """Send a signal to a process group, which may have ended already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _die_with_supervisor() -> None:
    """Have the kernel kill the new process, which calls this, when the supervisor dies."""
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)


def _tell(status: int) -> None:
    """Print how the program ended, and exit without waiting for the thread that reads input."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    print(json.dumps({"status": status, "peak_mb": round(peak_bytes / 2**20, 1)}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
