"""Answers that depend only on the installed code, kept between commands.

Without them, every command would import torch, which takes seconds.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import ablate
import g2g_core
from g2g_base.atomic import write_bytes
from g2g_base.plugins import installed
from g2g_core.hashing import cache_folder


@cache
def code_digest() -> str:
    """Return a digest of the training code: its source files and the installed plug-ins.

    Plug-ins count with their versions and their files. The digest has 32 hex digits.
    """
    sources, plugins = _sources(Path(g2g_core.__file__).parent), installed()
    if not plugins:
        return sources
    return hashlib.sha256("\n".join([sources, *plugins]).encode()).hexdigest()[:32]


def remembered(question: str, answer: Callable[[], Any]) -> Any:
    """Return `answer()`, computed only once for this state of the code.

    A cache that can't be read or written only costs time.

    Args:
        question: identifies the answer; must contain all that the answer depends on, except code.
        answer: computes the answer, which must be ready for JSON.
    """
    key = "\n".join([question, code_digest(), _sources(Path(ablate.__file__).parent)])
    store = cache_folder() / "remembered" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    try:
        return json.loads(store.read_bytes())
    except (OSError, ValueError):
        pass

    computed = answer()
    with contextlib.suppress(OSError):
        write_bytes(store, json.dumps(computed).encode())
    return computed


@cache
def _sources(root: Path) -> str:
    """Return the SHA-256 (32 hex digits) of the Python files below a folder."""
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        # The same digest whether or not the checkout has Windows line ends.
        total.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()[:32]
