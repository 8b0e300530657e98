"""Cells of CSV files that a spreadsheet doesn't take for formulas.

A spreadsheet runs what begins with `=`, `+`, `-` or `@`, also to read files or open pages. As OWASP
proposes ("CSV Injection"), such texts get an apostrophe in front. Numbers and plain names such as
`+ long_fm` stay as they are.
"""

import re
from typing import Any

_SUSPICIOUS = re.compile(r"['=@\t\r+-]")
_HARMLESS = re.compile(r"[+-]\s?[\w.]+\Z|[+-]?\d[\d.]*[eE][+-]?\d+\Z")


def safe(value: Any) -> Any:
    """Return a cell for a CSV file: a dangerous text with an apostrophe in front, else the same."""
    dangerous = isinstance(value, str) and _SUSPICIOUS.match(value) and not _HARMLESS.match(value)
    return f"'{value}" if dangerous else value


def plain(value: Any) -> Any:
    """Return the cell that `safe` was given."""
    return value[1:] if isinstance(value, str) and value.startswith("'") else value
