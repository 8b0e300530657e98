"""Files that many programs write: JSON lines, JSON, and CSV with numbers, and JSON with options."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from ablate.judging.columns import STEPS, number
from ablate.judging.run_file import Content, Curves, RunFile, add_row, flat


def read_csv(path: Path) -> Content:
    """Return the numbers of a CSV file with a header; empty fields are skipped."""
    curves: Curves = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for place, row in enumerate(csv.DictReader(file)):
            values = {
                name: value
                for name, text in row.items()
                if text and name and (value := number(str(text))) is not None
            }
            add_row(curves, values, place, ("step", *STEPS))
    return Content(curves=curves)


def read_lines(path: Path) -> Content:
    """Return the numbers of a file with a JSON object per line; damaged lines are skipped."""
    curves: Curves = {}
    for place, row in enumerate(_objects(path)):
        add_row(curves, row, place, ("step", *STEPS))
    return Content(curves=curves)


def read_numbers(path: Path) -> Content:
    """Return the numbers of a JSON object as curves of one value."""
    curves: Curves = {}
    values = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(values, dict):
        add_row(curves, values, 0, ())
    return Content(curves=curves)


def read_options(path: Path) -> Content:
    """Return the options of a JSON object."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return Content(flat(values) if isinstance(values, dict) else {})


def _objects(path: Path) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of a file's lines."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


FILES = {
    "plain-options": RunFile("args.json", read_options, numbers=False),
    "plain-config": RunFile("config.json", read_options, numbers=False),
    "plain-lines": RunFile("metrics.jsonl", read_lines),
    "plain-numbers": RunFile("metrics.json", read_numbers),
    "plain-results": RunFile("results.json", read_numbers),
}
