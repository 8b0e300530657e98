"""The metrics that a program writes: JSON lines `{"step": 20, "name": value}`, or CSV with a
header."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

STEP = "step"


class MetricsFileError(Exception):
    """A line cannot be read: `file:line: what is wrong`."""


class MetricsFile:
    """A file of metrics that is read while it grows.

    Args:
        path: the file; CSV if it ends so, else JSON lines.

    Attributes:
        seen: the names that any line held so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: dict[str, None] = {}
        self._yielded = -1
        self._stamp: tuple[int, int] | None = None

    def news(self, over: bool) -> Iterator[tuple[int, dict[str, float]]]:
        """The steps that were completed since the last call, each once.

        The file is read from its start, since programs may write it anew. A step is complete once a
        later one follows, or when the program has ended; one with a value that is not finite counts
        at once.

        Args:
            over: the program has ended in order: nothing more comes, and the last line is whole.

        Yields:
            The step and its values by name; they may be non-finite.

        Raises:
            MetricsFileError: a line cannot be read, or goes back behind the line before it.
        """
        stamp = self._look()
        if stamp is None or (stamp == self._stamp and not over):
            return
        self._stamp = stamp
        steps = self._steps(over)
        last = max(steps, default=-1)
        for step, values in steps.items():
            bad = not all(map(math.isfinite, values.values()))
            if step > self._yielded and (step < last or over or bad):
                self._yielded = step
                yield step, values

    def _look(self) -> tuple[int, int] | None:
        """Size and time of the last change; None: there is no such file yet."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_size, stat.st_mtime_ns

    def _steps(self, over: bool) -> dict[int, dict[str, float]]:
        """Step -> values of all its lines, in the order of the file."""
        text = self.path.read_bytes().decode("utf-8", errors="replace")
        lines = text.split("\n")
        if not over:
            lines = lines[:-1]  # the last one may be half written
        steps: dict[int, dict[str, float]] = {}
        before = -1
        for number, row in _csv_rows(lines) if self.path.suffix == ".csv" else _json_rows(lines):
            try:
                step, values = _parsed(row)
                if step < before:
                    raise ValueError(
                        f"step {step} comes after step {before}; steps must not go back"
                    )
            except ValueError as error:
                raise MetricsFileError(f"{self.path.name}:{number}: {error}") from None
            before = step
            self.seen |= dict.fromkeys(values)
            steps.setdefault(step, {}).update(values)
        return steps


def _json_rows(lines: list[str]) -> Iterator[tuple[int, Any]]:
    """Number of the line, and its object; an error where it is none is raised as a row is
    parsed."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, line


def _csv_rows(lines: list[str]) -> Iterator[tuple[int, Any]]:
    """Number of the line, and column -> cell; an empty cell is nothing that was recorded."""
    reader = csv.DictReader(lines)
    for row in reader:
        yield reader.line_num, {name: cell for name, cell in row.items() if cell != ""}


def _parsed(row: str | Mapping[Any, Any]) -> tuple[int, dict[str, float]]:
    """Step and values of a row; ValueError says what is wrong with it."""
    if isinstance(row, str):
        try:
            row = json.loads(row)
        except ValueError:
            raise ValueError("is no JSON object") from None
        if not isinstance(row, dict):
            raise ValueError("is no JSON object")
    if None in row:
        raise ValueError("has more cells than the header")
    if STEP not in row:
        raise ValueError(f"has no {STEP}")
    step = _number(STEP, row[STEP])
    if not (math.isfinite(step) and step >= 0 and step == int(step)):
        raise ValueError(f"{STEP}: {row[STEP]} must be a whole number, at least 0")
    return int(step), {name: _number(name, value) for name, value in row.items() if name != STEP}


def _number(name: str, value: Any) -> float:
    """A value as a number; null is none that is finite.

    Text is a number in CSV, and as `nan` or `inf`.
    """
    if value is None:
        return math.nan
    if not isinstance(value, bool | dict | list):
        try:
            return float(value)
        except ValueError:
            pass
    raise ValueError(f"{name}: {json.dumps(value)[:40]} is no number")
