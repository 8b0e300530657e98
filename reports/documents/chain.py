"""The lines of `ledger.jsonl`, chained by their digests.

Each line is a JSON object. `sha256` is the digest of the rest of the object; `previous` is the
`sha256` of the line before. Whoever changes or removes a line breaks the chain, and `plan.json`
keeps the digest of the newest line, so that a ledger cut at its end is noticed too. The chain shows
changes; it is no
signature: someone who writes every file of the folder again can hide them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

START = "0" * 64
"""What the first entry names as the digest of the entry before."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with its digest as `sha256`.

    Args:
        content: strict JSON, so without NaN; a `sha256` that is there is replaced.
    """
    return {**content, "sha256": _digest(content)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether the object still has the digest that `sealed` gave it."""
    try:
        return bool(content.get("sha256") == _digest(content))
    except (ValueError, RecursionError):
        return False


def line_of(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line of the ledger."""
    return _canonical(entry) + b"\n"


def _digest(content: Mapping[str, Any]) -> str:
    bare = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(_canonical(bare)).hexdigest()


def _canonical(value: Mapping[str, Any]) -> bytes:
    """One text for equal objects; a lone surrogate is escaped, since it can't be written as
    UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


@dataclass(frozen=True)
class Damage:
    """How a ledger differs from what was written.

    Attributes:
        kind: `edited`: a line was changed; `removed`: a line is missing before this one;
            `truncated`: the newest lines are missing; `deleted`: the file is missing; `rewritten`:
            trials ran under a plan that no line holds.
        line: number of the first bad line, from 1; None where no single line is bad.
    """

    kind: Literal["edited", "removed", "truncated", "deleted", "rewritten"]
    line: int | None = None


@dataclass(frozen=True)
class Chain:
    """The lines of a ledger.

    Attributes:
        entries: (line number, entry) of each entry whose own digest is right.
        torn: numbers of lines that were cut while they were written.
        damage: the first break of the chain.
        last: what the next entry names as `previous`.
    """

    entries: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    torn: tuple[int, ...] = ()
    damage: Damage | None = None
    last: str = START

    def holds(self, digest: str) -> bool:
        """Whether an entry has this digest."""
        return any(entry["sha256"] == digest for _, entry in self.entries)


def read_chain(data: bytes) -> Chain:
    """Return the entries of a ledger's bytes, and where the chain breaks first; never raises."""
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
        own = is_sealed(entry)
        if own and entry.get("previous") != last:
            # A line that can't be read, and that the chain needs, was changed and not cut while
            # written.
            lost = [it for it in torn if not entries or it > entries[-1][0]]
            torn = [it for it in torn if it not in lost]
            damage = damage or (Damage("edited", lost[0]) if lost else Damage("removed", number))
        if own:
            entries.append((number, entry))
        else:
            damage = damage or Damage("edited", number)
        last = str(entry.get("sha256"))
    return Chain(tuple(entries), tuple(torn), damage, last)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The object in a line; None when the line is no whole object."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
