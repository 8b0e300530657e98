"""The journal of a trial: `history.jsonl`, a line a record, only ever appended.

A line is `{"attempt": 1, "step": 10, "kind": "train", "time": unix seconds, "values": {...},
"facts": {...}}`. Non-finite numbers are written as the strings `nan`, `inf`, `-inf`, since JSON has
none. What a later attempt repeats stays in the file and is passed over by `effective`.
"""

import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAME = "history.jsonl"


@dataclass(frozen=True)
class Line:
    """One record of a trial as it stands in the journal.

    Attributes:
        attempt: 1 for the first start of the trial, one more after each resume.
        step: optimisation steps done when it was taken.
        kind: `train`, `eval` or `note`.
        time: when it was written, unix seconds.
        values: numbers by name; may be non-finite.
        facts: JSON facts of a note.
    """

    attempt: int
    step: int
    kind: str
    time: float
    values: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """Appends lines to a trial's `history.jsonl`, durable up to the last `sync`.

    Every line reaches the operating system at once, so that it survives the death of this process;
    it reaches the disk at least every `sync_every_s` seconds and whenever `sync` is called, so that
    a power cut costs no more than that.
    """

    def __init__(self, folder: Path, attempt: int, sync_every_s: float = 2.0) -> None:
        path = folder / NAME
        cut_torn_line(path)
        self.attempt = attempt
        self._file = path.open("ab", buffering=0)
        self._sync_every_s = sync_every_s
        self._synced = time.monotonic()

    def write(
        self, step: int, kind: str, values: Mapping[str, float], facts: Mapping[str, Any]
    ) -> None:
        """Append one record."""
        line: dict[str, Any] = {
            "attempt": self.attempt,
            "step": step,
            "kind": kind,
            "time": round(time.time(), 3),
        }
        line["values"] = {name: _encoded(value) for name, value in values.items()}
        if facts:
            line["facts"] = facts
        self._file.write(
            json.dumps(line, separators=(",", ":"), allow_nan=False, default=str).encode() + b"\n"
        )
        if time.monotonic() - self._synced > self._sync_every_s:
            self.sync()

    def sync(self) -> None:
        """Return when every line written so far is on the disk."""
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        self._file.close()


def cut_torn_line(path: Path) -> None:
    """Remove what a dying writer left of a last line, so that the next line starts on its own."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        keep = end
        block = 4096
        while keep > 0:
            start = max(0, keep - block)
            file.seek(start)
            found = file.read(keep - start).rfind(b"\n")
            if found >= 0:
                keep = start + found + 1
                break
            keep = start
        if keep < end:
            file.truncate(keep)


def parse(text: bytes) -> Iterator[Line]:
    """The whole lines of a piece of a journal; damaged ones, and a last one without its end, are
    passed over."""
    for raw in text.split(b"\n")[:-1]:
        try:
            line = json.loads(raw)
            values = {name: float(value) for name, value in line["values"].items()}
            yield Line(
                line["attempt"],
                line["step"],
                line["kind"],
                line["time"],
                values,
                line.get("facts", {}),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def read(folder: Path) -> list[Line]:
    """All lines of a trial's journal, also those that a later attempt repeated; empty when there is
    none."""
    path = folder / NAME
    return list(parse(path.read_bytes())) if path.exists() else []


def size(folder: Path) -> int:
    """Bytes of a trial's journal; 0 when there is none."""
    try:
        return (folder / NAME).stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def set_aside(folder: Path) -> None:
    """Keep a journal that has lost lines under another name, so that the trial can be begun
    anew."""
    if (folder / NAME).exists():
        (folder / NAME).replace(folder / f"{NAME}.damaged")


def effective(lines: Iterable[Line]) -> list[Line]:
    """The lines that count: a later attempt replaces what earlier ones wrote after the step it went
        on from.

    Each (step, kind) is there once, in the order of steps; notes are all kept.
    """
    kept: list[Line] = []
    attempt = 0
    for line in lines:
        if line.attempt != attempt:
            attempt = line.attempt
            start = line.facts.get("resumed_at")
            kept = [
                old
                for old in kept
                if old.kind == "note" or (start is not None and old.step <= start)
            ]
        kept.append(line)
    unique: dict[tuple[int, str, int], Line] = {}
    for number, line in enumerate(kept):
        unique[line.step, line.kind, number if line.kind == "note" else 0] = line
    return sorted(unique.values(), key=lambda line: line.step)


def tail(folder: Path, size: int = 16384) -> list[Line]:
    """The last lines of a trial's journal, read without reading the rest; for displays."""
    try:
        with (folder / NAME).open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - size))
            return list(parse(file.read()))
    except FileNotFoundError:
        return []


def _encoded(value: float) -> float | str:
    """A finite number as it is, else its name."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
