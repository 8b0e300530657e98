"""Finds the checkpoint that a trial ended with."""

import re
from pathlib import Path


def last_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint of the last step in a trial's folder, or None if there is none.

    The time of a file says little after somebody has copied or restored the folder. It decides only
    between files whose names have no step, such as those of some trainers of other packages.
    """
    files = (path for path in folder.glob("*") if path.is_file() and path.name[0] != ".")
    return max(files, key=lambda path: (_step(path), path.stat().st_mtime_ns), default=None)


def _step(path: Path) -> int:
    """Return the step in a checkpoint's name, else its epoch or only number, else -1."""
    name = path.name.removesuffix(path.suffix)
    for pattern in (r"(?:step|iter)[a-z]*[^\da-z]?(\d+)", r"epoch[^\da-z]?(\d+)", r"^\D*(\d+)\D*$"):
        if match := re.search(pattern, name, re.IGNORECASE):
            return int(match[1])
    return -1
