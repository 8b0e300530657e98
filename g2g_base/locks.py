"""Locks of files, which the operating system frees when their owner dies."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


def try_lock(file: IO[Any], shared: bool = False) -> bool:
    """Take the lock of an open file if nobody has it.

    Args:
        file: the file; the lock ends when it is closed.
        shared: whether others may take a shared lock of it too.

    Returns:
        Whether this process has the lock now.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(file: IO[Any]) -> None:
    """Take the lock of an open file, and wait for it as long as somebody else has it."""
    fcntl.flock(file, fcntl.LOCK_EX)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let only one process at a time enter the block.

    If the file system can't lock files, several processes may enter at once.

    Args:
        path: the lock file; it and its folder are created if they are missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        with contextlib.suppress(OSError):
            lock(file)
        yield
