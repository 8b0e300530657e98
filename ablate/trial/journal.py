"""The journal of a trial, `history.jsonl`: a line for each record, never changed afterwards.

A line is `{"attempt": 1, "step": 10, "kind": "train", "time": unix seconds, "values": {...},
"facts": {...}}`. Numbers that aren't finite are the strings `nan`, `inf`, and `-inf`, because JSON
has no numbers for them. If a later attempt repeats a step, the old line stays in the file, and
`effective` ignores it.
"""

import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablate.disk.folder import TrialFolder

NAME = "history.jsonl"
"""Name of the journal in a trial's folder."""


@dataclass(frozen=True)
class Line:
    """One record of a trial in the journal.

    Attributes:
        attempt: 1 for the first start of the trial, one more after each resume; 0 for steps that
            another trial has trained for this one, too.
        step: optimization steps done when the record was taken.
        kind: `train`, `eval`, or `note`.
        time: when the record was written, in Unix seconds.
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

    Every line reaches the operating system at once, so it survives the death of this process. Lines
    reach the disk at the first write more than `sync_every_s` seconds after the last sync, and
    whenever `sync` is called. A power cut loses only later lines.

    Args:
        folder: the trial's folder.
        attempt: number of the attempt, written to every line.
        sync_every_s: time between two syncs, in seconds.
    """

    def __init__(self, folder: Path, attempt: int, sync_every_s: float = 2.0) -> None:
        path = TrialFolder(folder).journal
        cut_torn_line(path)
        self.attempt = attempt
        self._file = path.open("ab", buffering=0)
        self._sync_every_s = sync_every_s
        self._synced = time.monotonic()

    def write(
        self, step: int, kind: str, values: Mapping[str, float], facts: Mapping[str, Any]
    ) -> None:
        """Append one record; for the arguments see `Line`."""
        line = Line(self.attempt, step, kind, round(time.time(), 3), values, facts)
        self._file.write(written(line).encode())
        if time.monotonic() - self._synced > self._sync_every_s:
            self.sync()

    def sync(self) -> None:
        """Wait until every line written so far is on the disk."""
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Sync and close the file."""
        self.sync()
        self._file.close()


def written(line: Line, attempt: int | None = None) -> str:
    """Return a line as the journal has it, with another attempt's number if one is given."""
    document: dict[str, Any] = {
        "attempt": line.attempt if attempt is None else attempt,
        "step": line.step,
        "kind": line.kind,
        "time": line.time,
        "values": {name: _encoded(value) for name, value in line.values.items()},
    }
    if line.facts:
        document["facts"] = line.facts
    return json.dumps(document, separators=(",", ":"), allow_nan=False, default=str) + "\n"


def cut_torn_line(path: Path) -> None:
    """Remove an incomplete last line, so that the next record starts on a line of its own."""
    if not path.exists() or path.stat().st_size == 0:
        return

    # Searches for the last line break from the end, because a journal may be large.
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        keep = end
        block = 4096
        while keep > 0:
            start = max(0, keep - block)
            file.seek(start)
            line_break = file.read(keep - start).rfind(b"\n")
            if line_break >= 0:
                keep = start + line_break + 1
                break
            keep = start

        if keep < end:
            file.truncate(keep)


def parse(text: bytes) -> Iterator[Line]:
    """Yield the lines of a piece of a journal, except damaged ones and an incomplete last one."""
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
    """Return all lines of a trial's journal, including those that a later attempt repeated.

    Without a journal the list is empty.
    """
    path = TrialFolder(folder).journal
    return list(parse(path.read_bytes())) if path.exists() else []


def size(folder: Path) -> int:
    """Return the size of a trial's journal in bytes; 0 if it is missing."""
    try:
        return TrialFolder(folder).journal.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def set_aside(folder: Path) -> None:
    """Rename a journal that has lost lines, so that the trial can start again from nothing."""
    if TrialFolder(folder).journal.exists():
        TrialFolder(folder).journal.replace(folder / f"{NAME}.damaged")


def effective(lines: Iterable[Line]) -> list[Line]:
    """Return the lines that count, in the order of steps.

    An attempt replaces the lines of earlier attempts after the step from which it resumed. Each
    step has at most one line of each kind, except that all notes stay.
    """
    current: list[Line] = []
    attempt = 0
    for line in lines:
        if line.attempt != attempt:
            attempt = line.attempt
            start = line.facts.get("resumed_at")
            current = [
                old
                for old in current
                if old.kind == "note" or (start is not None and old.step <= start)
            ]
        current.append(line)

    # Notes have no key in common with any other line, so none of them is replaced.
    unique: dict[tuple[int, str, int], Line] = {}
    for number, line in enumerate(current):
        unique[line.step, line.kind, number if line.kind == "note" else 0] = line
    return sorted(unique.values(), key=lambda line: line.step)


def tail(folder: Path, size: int = 16384) -> list[Line]:
    """Return the last lines of a trial's journal, for displays.

    Args:
        folder: the trial's folder.
        size: number of bytes to read from the end.
    """
    try:
        with TrialFolder(folder).journal.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - size))
            return list(parse(file.read()))
    except FileNotFoundError:
        return []


def _encoded(value: float) -> float | str:
    """Return a finite number unchanged, and the name of any other."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
