"""Files that are either the old or the new one, never half of it, whatever kills the writer."""

import json
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any


def replace(path: Path, write: Callable[[Path], None]) -> None:
    """Call `write` with a temporary path beside `path`, then put the result in its place, through
    to the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write text atomically."""
    replace(path, lambda part: _write(part, text.encode()))


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON (no bare NaN) atomically."""
    write_text(path, _strict(value) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when the file is missing or damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def is_json(path: Path, value: dict[str, Any], but: Collection[str]) -> bool:
    """Whether the file holds this object already, whatever its values of the keys `but` are."""
    told = {key: item for key, item in read_json(path).items() if key not in but}
    return bool(
        told == json.loads(_strict({key: item for key, item in value.items() if key not in but}))
    )


def sync_folder(folder: Path) -> None:
    """Put the folder's entries on the disk, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _strict(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=str)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
