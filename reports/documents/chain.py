"""The lines of `ledger.jsonl`, chained by their digests.

Each line is a JSON object. `sha256` is the digest of the rest of the object; `previous` is the
`sha256` of the line before. Whoever changes or removes a line breaks the chain. `plan.json` keeps
the digest of the newest line, so that a ledger cut at its end is noticed too.

The chain shows changes, but it isn't a signature: someone who writes every file of the folder again
can hide them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

START = "0" * 64
"""Digest that the first entry names as `previous`."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with its digest as `sha256`.

    Args:
        content: Strict JSON, so without NaN. An existing `sha256` is replaced.
    """
    return {**content, "sha256": _digest(content)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Return whether the object still has the digest that `sealed` gave it."""
    try:
        return bool(content.get("sha256") == _digest(content))
    except (ValueError, RecursionError):
        return False


def line_of(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line of the ledger."""
    return _canonical(entry) + b"\n"


def _digest(content: Mapping[str, Any]) -> str:
    """Return the digest of everything but `sha256`."""
    bare = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(_canonical(bare)).hexdigest()


def _canonical(value: Mapping[str, Any]) -> bytes:
    """Return a text that is identical for equal objects, as UTF-8.

    A lone surrogate is escaped, because it can't be written as UTF-8.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


@dataclass(frozen=True)
class Damage:
    """How a ledger differs from what was written.

    Attributes:
        kind: `edited`: a line was changed; `removed`: a line is missing before this one;
            `truncated`: the newest lines are missing; `deleted`: the file is missing; `rewritten`:
            trials ran under a plan that no line holds.
        line: Number of the first bad line, from 1; None if no single line is bad.
    """

    kind: Literal["edited", "removed", "truncated", "deleted", "rewritten"]
    line: int | None = None


@dataclass(frozen=True)
class Chain:
    """The lines of a ledger.

    Attributes:
        entries: (line number, entry) of each entry whose own digest is right.
        torn: Numbers of lines that were cut while they were written.
        damage: The first break of the chain.
        last: The digest that the next entry must name as `previous`.
    """

    entries: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    torn: tuple[int, ...] = ()
    damage: Damage | None = None
    last: str = START

    def holds(self, digest: str) -> bool:
        """Return whether an entry has this digest."""
        return any(entry["sha256"] == digest for _, entry in self.entries)


def read_chain(data: bytes) -> Chain:
    """Return the entries of a ledger's bytes, and where the chain first breaks.

    It never raises: whatever is wrong with the bytes is part of the chain.
    """
    entries: list[tuple[int, Mapping[str, Any]]] = []
    torn: list[int] = []
    damage: Damage | None = None
    last = START
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        entry = _parsed(line)
        if entry is None:
            torn.append(number)
            continue

        intact = is_sealed(entry)
        if intact and entry.get("previous") != last:
            # The chain needs the unreadable lines before this one. So they were changed, and not
            # cut while they were written.
            edited = [cut for cut in torn if not entries or cut > entries[-1][0]]
            torn = [cut for cut in torn if cut not in edited]
            damage = damage or (
                Damage("edited", edited[0]) if edited else Damage("removed", number)
            )
        if intact:
            entries.append((number, entry))
        else:
            damage = damage or Damage("edited", number)
        last = str(entry.get("sha256"))
    return Chain(tuple(entries), tuple(torn), damage, last)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the object in a line; None if the line doesn't hold a whole object."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
