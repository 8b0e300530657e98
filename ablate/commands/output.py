"""How commands speak: data to stdout, messages to stderr, plain when nobody watches."""

import itertools
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no messages, errors apart.")
]


def say(message: str, quiet: bool = False) -> None:
    """A message to people, on stderr."""
    if not quiet:
        print(message, file=sys.stderr)


def show(text: str) -> None:
    """A line of data, on stdout."""
    print(text)


def show_json(value: Any) -> None:
    """Data as JSON on stdout; numbers that JSON does not know as text."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def show_table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    right: Sequence[str] = (),
    spare: Sequence[str] = (),
    wrapped: str = "",
) -> None:
    """A table on stdout that fits the terminal, 140 columns when there is none.

    Args:
        header: names of the columns.
        rows: cells.
        right: columns of numbers.
        spare: columns that are left out when they are empty, and, in this order, while the table is
            too wide.
        wrapped: the column whose long cells go over several lines; those of others are cut.
    """
    width = shutil.get_terminal_size((140, 24)).columns
    cells = [[_cell(value) for value in row] for row in rows]
    kept = list(range(len(header)))
    widths = [max(len(name), *(len(row[i]) for row in cells), 1) for i, name in enumerate(header)]

    def excess() -> int:
        return sum(widths[i] for i in kept) + 2 * (len(kept) - 1) - width

    for name in spare:
        if excess() > 0 or not any(row[header.index(name)] for row in cells):
            kept.remove(header.index(name))
    if wrapped and excess() > 0:
        column = header.index(wrapped)
        widths[column] = max(8, widths[column] - excess())
    while excess() > 0 and max(widths[i] for i in kept) > 8:
        widths[max(kept, key=lambda i: widths[i])] -= 1
    for row in [list(header), *cells]:
        lines = [
            (textwrap.wrap(row[i], widths[i]) or [""])
            if header[i] == wrapped
            else [cut(row[i], widths[i])]
            for i in kept
        ]
        for parts in itertools.zip_longest(*lines, fillvalue=""):
            texts = [
                part.rjust(widths[i]) if header[i] in right else part.ljust(widths[i])
                for i, part in zip(kept, parts, strict=True)
            ]
            print("  ".join(texts).rstrip())


def cut(text: str, size: int) -> str:
    """A text of at most `size` characters."""
    return text if len(text) <= size else text[: max(size - 1, 0)] + "…"


def duration(seconds: float) -> str:
    """`2 h 05 min`, `3 min 20 s`, `1.2 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02d} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )


def size(megabytes: float) -> str:
    """`340 MB`, `1.2 GB`."""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())


def _finite(value: Any) -> Any:
    """JSON-ready: non-finite numbers as `nan`, `inf`, `-inf`."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
