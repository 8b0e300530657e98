"""Reader of the metrics that a program writes, as JSON lines or as CSV with a header.

A JSON line is `{"step": 20, "name": value}`.
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

STEP = "step"
"""Name of the key or the column that holds the step."""


class MetricsFileError(Exception):
    """Error of a line that cannot be read: `file:line: what is wrong`."""


class MetricsFile:
    """A file of metrics that is read while it grows.

    Args:
        path: the file; CSV if its name ends in `.csv`, else JSON lines.

    Attributes:
        path: the file.
        seen: the names of the metrics in all lines so far, each once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: dict[str, None] = {}
        self._yielded = -1
        self._stamp: tuple[int, int] | None = None

    def news(self, over: bool) -> Iterator[tuple[int, dict[str, float]]]:
        """Yield the steps that were completed since the last call, each once.

        The file is read from its start, because programs may rewrite it. A step is complete once a
        later step follows, or when the program has ended. A step with a value that is not finite
        is complete at once.

        Args:
            over: whether the program has ended normally, so that the last line is whole.

        Yields:
            The step, and its values by name, which may be infinite or NaN.

        Raises:
            MetricsFileError: a line cannot be read, or its step is lower than that of the line
                before it.
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
        """Return the size and the change time of the file, or None if it does not exist yet."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_size, stat.st_mtime_ns

    def _steps(self, over: bool) -> dict[int, dict[str, float]]:
        """Return step -> values of all lines of the step, in the order of the file."""
        text = self.path.read_bytes().decode("utf-8", errors="replace")
        lines = text.split("\n")
        if not over:
            lines = lines[:-1]  # the last line may be half written

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
    """Yield the number and the text of each line that is not empty.

    The text is parsed later, by `_parsed`, so that an error gets the number of its line.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, line


def _csv_rows(lines: list[str]) -> Iterator[tuple[int, Any]]:
    """Yield the number of each line and its column -> cell, without the empty cells."""
    reader = csv.DictReader(lines)
    for row in reader:
        yield reader.line_num, {name: cell for name, cell in row.items() if cell != ""}


def _parsed(row: str | Mapping[Any, Any]) -> tuple[int, dict[str, float]]:
    """Return the step and the values of a row.

    Raises:
        ValueError: the row is not valid; the message says why.
    """
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
    """Return a value as a number, NaN for null.

    Text is converted, because all cells of CSV are text and JSON writes `nan` or `inf` as text.

    Raises:
        ValueError: the value is not a number.
    """
    if value is None:
        return math.nan
    if not isinstance(value, bool | dict | list):
        try:
            return float(value)
        except ValueError:
            pass
    raise ValueError(f"{name}: {json.dumps(value)[:40]} is no number")
