"""Digests of files, stored so that unchanged files are not read again.

A file counts as unchanged if its size is the same, and both times of its last change. The one that
is shown can be set by anybody: `cp -p` and archives set it to that of another file.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from g2g_base.atomic import write_bytes


def cache_folder() -> Path:
    """Return the folder for decoded images and digests.

    It is `$G2G_CACHE`, or else `$XDG_CACHE_HOME/g2g-ablate`, or else `~/.cache/g2g-ablate`. You can
    delete the folder at any time between runs.
    """
    own = os.environ.get("G2G_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "g2g-ablate"


def file_digests(root: Path, files: Sequence[str]) -> list[str]:
    """Return the BLAKE2b (hex, 16 bytes) of the content of each file.

    Args:
        root: folder that the files are relative to.
        files: paths below `root`; a missing file has the digest `missing`.
    """
    store = (
        cache_folder()
        / "digests"
        / f"{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:32]}.json"
    )
    known = _load(store)

    with ThreadPoolExecutor(max_workers=4) as pool:
        entries = list(pool.map(lambda name: _digest(root / name, known.get(name)), files))
    fresh = dict(zip(files, entries, strict=True))

    if any(known.get(name) != entry for name, entry in fresh.items()):
        _save(store, known | fresh)

    return [str(entry[-1]) for entry in entries]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(path: Path, known: list[int | str] | None) -> list[int | str]:
    """Return [size, both times of the last change in ns, digest] of a file.

    The digest is computed only if the size or a time has changed.
    """
    try:
        facts = path.stat()
        stamps = [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns]
        if known is not None and known[:-1] == stamps:
            return known
        return [*stamps, hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()]
    except OSError:
        return [-1, -1, -1, "missing"]


def _load(store: Path) -> dict[str, list[int | str]]:
    """Return the stored entries; empty if there is no readable store."""
    try:
        content = json.loads(store.read_bytes())
    except (OSError, ValueError):
        return {}
    entries = content.items() if isinstance(content, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, list) and len(entry) == 4}


def _save(store: Path, entries: dict[str, list[int | str]]) -> None:
    """Store the entries.

    If the cache folder is not writable, nothing is stored, and the files are read again next time.
    """
    try:
        write_bytes(store, json.dumps(entries).encode())
    except OSError:
        return
