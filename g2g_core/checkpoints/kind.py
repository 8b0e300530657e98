"""Whether a file looks like a checkpoint, seen from its first bytes, without importing torch."""

import zipfile
from pathlib import Path

LEGACY = b"\x80"
"""First byte of what torch saved before its version 1.6: a pickle of protocol 2 or later."""


def oddity(path: Path) -> str | None:
    """Return why a file can't be a checkpoint; None if it may be one.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        start = file.read(1)
    if not start:
        return "is empty"
    if start == LEGACY:
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            saved = any(name.endswith("data.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return "is not a checkpoint, or is cut off"
    return None if saved else "is an archive, but not a checkpoint"
