"""Atomic writes: a file is always the old or the new one, whatever kills the writer."""

import json
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4


def replace(path: Path, write: Callable[[Path], None]) -> None:
    """Replace a file in one step, so that a crash leaves either the old or the new file.

    The new file is on the disk, not only in the system's cache, when this function returns. Several
    processes and threads may replace the same file at the same time: the last one wins.

    Args:
        path: file to replace or to create; its folder is created if it is missing.
        write: writes the new content to the temporary path that it is called with.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Cut, because a name may have only 255 bytes
    temporary = path.with_name(f".{path.name[:40]}.{uuid4().hex}.part")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically."""
    replace(path, lambda part: _write(part, content))


def write_text(path: Path, text: str) -> None:
    """Write text atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON (no bare NaN) atomically."""
    write_text(path, _strict(value) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, or an empty one if the file is missing or damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def is_json(path: Path, value: Mapping[str, Any], but: Collection[str]) -> bool:
    """Return whether the file already holds this object, apart from the keys in `but`."""
    stored = {key: item for key, item in read_json(path).items() if key not in but}
    wanted = {key: item for key, item in value.items() if key not in but}
    # Through JSON and back, because tuples, paths and the like change their type there.
    return bool(stored == json.loads(_strict(wanted)))


def sync_folder(folder: Path) -> None:
    """Write the folder's entries to the disk, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _strict(value: Any) -> str:
    """Return a value as JSON; NaN and infinity raise `ValueError`."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=str)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
