"""Output of the commands: data on stdout, and messages on stderr."""

import itertools
import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TextIO

import typer

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no messages, errors apart.")
]


def say(message: str, quiet: bool = False) -> None:
    """Print a message for people on stderr, unless quiet."""
    if not quiet:
        print(message, file=sys.stderr)


class Messages:
    """The stream of messages, stderr, which works without a reader, too.

    A command must not fail in the middle of its work because nobody reads its messages any more, as
    after `2>&1 | head -1`. They are dropped then.

    Args:
        stream: stderr as Python opened it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Write what is waiting."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()

    def _drop(self) -> None:
        """Let the stream write to nowhere from now on, with what it has still to write."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


class ReaderGone(Exception):
    """Whoever reads the output has closed it, as `head` does after its first lines."""


def show(text: str) -> None:
    """Print a line of data on stdout.

    Raises:
        ReaderGone: nobody reads it any more. Click would end the command with 1 if this were the
            `OSError` that it is, as if trials had failed.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise ReaderGone from None


def show_json(value: Any) -> None:
    """Print data as JSON on stdout; numbers that JSON doesn't have become text."""
    show(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def show_table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    right: Sequence[str] = (),
    spare: Sequence[str] = (),
    wrapped: str = "",
) -> None:
    """Print a table on stdout that fits the terminal, or 140 characters without a terminal.

    Args:
        header: names of the columns.
        rows: the cells of each row.
        right: names of the columns to align right, such as numbers.
        spare: names of the columns to leave out if they are empty, or, in this order, while the
            table is too wide.
        wrapped: name of the column whose long cells take several lines; other cells are cut.
    """
    width = shutil.get_terminal_size((140, 24)).columns
    cells = [[_cell(value) for value in row] for row in rows]
    columns = list(range(len(header)))
    widths = [max(len(name), *(len(row[i]) for row in cells), 1) for i, name in enumerate(header)]

    def excess() -> int:
        """Return by how many characters the table is too wide."""
        return sum(widths[i] for i in columns) + 2 * (len(columns) - 1) - width

    for name in spare:
        if excess() > 0 or not any(row[header.index(name)] for row in cells):
            columns.remove(header.index(name))

    # First the wrapped column becomes narrower, then always the widest; none under 8 characters
    if wrapped and excess() > 0:
        column = header.index(wrapped)
        widths[column] = max(8, widths[column] - excess())
    while excess() > 0 and max(widths[i] for i in columns) > 8:
        widths[max(columns, key=lambda i: widths[i])] -= 1

    for row in [list(header), *cells]:
        lines = [
            (textwrap.wrap(row[i], widths[i]) or [""])
            if header[i] == wrapped
            else [cut(row[i], widths[i])]
            for i in columns
        ]
        for parts in itertools.zip_longest(*lines, fillvalue=""):
            texts = [
                part.rjust(widths[i]) if header[i] in right else part.ljust(widths[i])
                for i, part in zip(columns, parts, strict=True)
            ]
            show("  ".join(texts).rstrip())


def cut(text: str, size: int) -> str:
    """Return a text cut to at most `size` characters."""
    return text if len(text) <= size else text[: max(size - 1, 0)] + "…"


def duration(seconds: float) -> str:
    """Return a time in words: `2 h 05 min`, `3 min 20 s`, or `1.2 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02d} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )


def size(megabytes: float) -> str:
    """Return a size in words: `340 MB` or `1.2 GB`."""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def _cell(value: object) -> str:
    """Return the text of a cell on a single line; a missing value is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())


def _finite(value: Any) -> Any:
    """Return a value for JSON, with infinite numbers and NaN as `inf`, `-inf`, and `nan`."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
