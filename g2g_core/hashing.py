"""Digests of files, remembered by size and time of change, so that a second look costs nothing."""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4


def cache_folder() -> Path:
    """Where decoded images and digests are kept: `$G2G_CACHE`, else `$XDG_CACHE_HOME/g2g-ablate`,
    else `~/.cache/...`.

    Nothing in it is needed: it can be deleted at any time between runs.
    """
    own = os.environ.get("G2G_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "g2g-ablate"


def file_digests(root: Path, files: Sequence[str]) -> list[str]:
    """BLAKE2b (hex, 16 bytes) of the content of each file below `root`; missing files have the
    digest `missing`."""
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
    return [str(entry[2]) for entry in entries]


def sha256(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file that is either whole or not there, whoever else writes it; the folder is
    made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name[:40]}.{uuid4().hex}")
    try:
        with scratch.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _digest(path: Path, known: list[int | str] | None) -> list[int | str]:
    """[size, time of change in ns, digest] of a file; the digest is computed only if size or time
    differ."""
    try:
        facts = path.stat()
        if known is not None and known[:2] == [facts.st_size, facts.st_mtime_ns]:
            return known
        return [
            facts.st_size,
            facts.st_mtime_ns,
            hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest(),
        ]
    except OSError:
        return [-1, -1, "missing"]


def _load(store: Path) -> dict[str, list[int | str]]:
    """What was remembered; nothing when there is nothing readable."""
    try:
        content = json.loads(store.read_bytes())
    except (OSError, ValueError):
        return {}
    entries = content.items() if isinstance(content, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, list) and len(entry) == 3}


def _save(store: Path, entries: dict[str, list[int | str]]) -> None:
    """Remembers; a cache folder that cannot be written only means that the next look costs
    again."""
    try:
        write_atomically(store, json.dumps(entries).encode())
    except OSError:
        return
