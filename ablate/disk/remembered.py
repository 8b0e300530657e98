"""What the installed code alone decides, kept between commands: to ask it again imports torch,
which takes seconds."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import ablate
import g2g_core
from g2g_core.hashing import cache_folder, write_atomically
from g2g_core.plugins import installed


@cache
def code_digest() -> str:
    """Of every source file of the training code, and of what plug-ins are installed in which
    version, if any."""
    sources, added = _sources(Path(g2g_core.__file__).parent), installed()
    return (
        hashlib.sha256("\n".join([sources, *added]).encode()).hexdigest()[:32] if added else sources
    )


def remembered(question: str, answer: Callable[[], Any]) -> Any:
    """JSON-ready `answer()`, computed once for this code; a cache that cannot be read or written
    only costs time.

    Args:
        question: names the answer; it must hold everything but the code that the answer depends on.
        answer: asks the code.
    """
    key = "\n".join([question, code_digest(), _sources(Path(ablate.__file__).parent)])
    store = cache_folder() / "remembered" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    try:
        return json.loads(store.read_bytes())
    except (OSError, ValueError):
        pass
    found = answer()
    with contextlib.suppress(OSError):
        write_atomically(store, json.dumps(found).encode())
    return found


@cache
def _sources(root: Path) -> str:
    """SHA-256 (32 hex digits) of the Python files below a folder."""
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()[:32]
