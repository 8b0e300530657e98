"""Runs in a CSV or Parquet table, of any of the usual shapes.

The shapes are: a row per run; a row per run and step; a row per run and metric (`metric` and
`value`); and a row per arm, with a column per seed (`seed_0`, `seed_1`).
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ablate.judging.columns import (
    PAIRS,
    RUNS,
    STATES,
    STEPS,
    alike,
    named,
    number,
    usual,
)
from ablate.judging.question import Question
from ablate.judging.source import Source
from ablate.study.found import Found, FoundRun
from ablate.study.nouns import Status, StudyError

Row = dict[str, str]
"""Column -> text; empty where the table has nothing."""

ENDINGS = (".csv", ".tsv", ".parquet")
METRIC, VALUE = ("metric", "measure", "variable", "key", "tag"), ("value", "val")
"""Usual names of the two columns of a table with a row per metric."""
STATUSES: dict[str, Status] = {
    **dict.fromkeys(("failed", "fail", "error", "crashed", "crash"), "failed"),
    **dict.fromkeys(("killed", "interrupted", "pruned", "stopped", "preempted"), "interrupted"),
    **dict.fromkeys(("running", "pending", "queued"), "running"),
    "diverged": "diverged",
}
"""Usual words for the end of a run; all others mean that it finished."""


def read_table(question: Question) -> Found:
    """Return the runs of a table.

    Raises:
        StudyError: the table can't be read, or has no column that the question names.
    """
    path = Path(question.source)
    rows = _parquet(path) if path.suffix.lower() == ".parquet" else list(_csv(path))
    if not rows:
        raise StudyError(f"{path}: holds no rows")
    return Found("table", str(path), runs_of_rows(rows, question))


def runs_of_rows(rows: Sequence[Row], question: Question) -> tuple[FoundRun, ...]:
    """Return the runs of a table's rows, in their order.

    Args:
        rows: the rows, all with the same columns.
        question: names of columns; what it doesn't name is guessed.

    Raises:
        StudyError: a column that the question names doesn't exist.
    """
    rows = _by_pair(_by_metric(rows, question), question)
    columns = tuple(rows[0])
    step = named(question.step, columns, "step") if question.step else usual(STEPS, columns)
    numbers = _numbers(rows, columns)
    state = usual(STATES, columns)

    runs = []
    for name, own in _grouped(rows, question, step):
        curves: dict[str, list[tuple[int, float]]] = {}
        for place, row in enumerate(own):
            at = number(row[step]) if step else None
            for column in numbers:
                value = number(row[column])
                if value is not None and column != step:
                    curves.setdefault(column, []).append((place if at is None else int(at), value))
        values = {column: _last(own, column) for column in columns if column != step}
        runs.append(
            FoundRun(
                name,
                {column: text for column, text in values.items() if text},
                {column: tuple(points) for column, points in curves.items()},
                STATUSES.get(values[state].casefold(), "finished") if state else "finished",
            )
        )
    return tuple(runs)


def _csv(path: Path) -> Iterator[Row]:
    """Yield the rows of a file whose columns are parted by commas, semicolons, or tabs.

    Raises:
        StudyError: the file isn't text, or a row has more or fewer fields than the first.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: can't be read as text: {error}") from None

    head = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(lines, [])]
        rest = list(lines)
    except csv.Error as error:
        raise StudyError(f"{path}:{lines.line_num}: {error}") from None
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise StudyError(f"{path}:1: two columns are named {twice[0]}")

    comma = delimiter == ";"
    for place, fields in enumerate(rest, start=2):
        if not fields:
            continue
        if len(fields) != len(header):
            raise StudyError(f"{path}: row {place}: {len(fields)} fields, {len(header)} columns")
        cells = [text.strip() for text in fields]
        yield {
            name: _point(text) if comma else text
            for name, text in zip(header, cells, strict=True)
            if name
        }


def _point(text: str) -> str:
    """Return a number with a decimal comma with a point instead; other text unchanged."""
    return text.replace(",", ".") if re.fullmatch(r"[-+]?\d*,\d+([eE][-+]?\d+)?", text) else text


def _parquet(path: Path) -> list[Row]:
    """Return the rows of a Parquet file.

    Raises:
        StudyError: the file can't be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise StudyError(f"{path}: can't be read: {' '.join(str(error).split())}") from None
    # pandas writes its index as a column with such a name.
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    return [
        {name: "" if row[name] is None else str(row[name]) for name in names}
        for row in table.to_pylist()
    ]


def _by_metric(rows: Sequence[Row], question: Question) -> list[Row]:
    """Return a table with a row per metric as one with a column per metric."""
    columns = tuple(rows[0])
    metric, value = usual(METRIC, columns), usual(VALUE, columns)
    wanted = question.metric
    if not metric or not value or wanted in columns:
        return list(rows)
    if wanted and wanted not in {row[metric] for row in rows}:
        return list(rows)

    names = list(dict.fromkeys(row[metric] for row in rows))
    merged: dict[tuple[str, ...], Row] = {}
    twice = 0
    for row in rows:
        key = tuple(text for column, text in row.items() if column not in (metric, value))
        # The same metric of the same run again: a run that is in the table twice
        while row[metric] in merged.get((*key, str(twice)), {}):
            twice += 1
        own = merged.setdefault((*key, str(twice)), {**row})
        own[row[metric]] = row[value]
        twice = 0
    return [
        {
            **{column: row[column] for column in columns if column not in (metric, value)},
            **{name: row.get(name, "") for name in names},
        }
        for row in merged.values()
    ]


def _by_pair(rows: Sequence[Row], question: Question) -> list[Row]:
    """Return a table with a column per seed as one with a row per seed."""
    columns = tuple(rows[0])
    if question.pair in columns or (not question.pair and usual(PAIRS, columns)):
        return list(rows)
    pair = question.pair or "seed"
    pattern = re.compile(rf"(?:(.*?)[\W_]*)?{re.escape(pair)}[\W_]*(\d+)", re.IGNORECASE)
    wide = {column: match for column in columns if (match := pattern.fullmatch(column))}
    if len(wide) < 2:
        return list(rows)

    outcome = question.metric or "value"
    parted = []
    for row in rows:
        own = {column: text for column, text in row.items() if column not in wide}
        for seed in dict.fromkeys(match[2] for match in wide.values()):
            numbers = {
                match[1] or outcome: row[column]
                for column, match in wide.items()
                if match[2] == seed
            }
            parted.append({**own, pair: seed, **numbers})
    names = list(dict.fromkeys(name for row in parted for name in row))
    return [{name: row.get(name, "") for name in names} for row in parted]


def _grouped(rows: Sequence[Row], question: Question, step: str) -> Iterator[tuple[str, list[Row]]]:
    """Yield the name and the rows of each run.

    Rows are of one run if they name the same one. Without a column that names runs, they are if
    they agree in all factors and the pair, and their steps rise.
    """
    columns = tuple(rows[0])
    asked = [named(question.pair, columns, "pair")] if question.pair else []
    asked += [named(factor.column, columns, "factor") for factor in question.factors.values()]
    pair = question.pair or usual(PAIRS, columns)
    run = named(question.run, columns, "run") if question.run else usual(RUNS, columns)
    if run in asked or run == step:
        run = ""
    if run and len({row[run] for row in rows}) == 1:
        run = ""

    if not step:
        for place, row in enumerate(rows, start=2):
            yield (row[run] if run else "") or f"row {place}", [row]
        return

    keys = [run] if run else list(dict.fromkeys([*asked, *([pair] if pair else [])]))
    groups: dict[tuple[str | float, ...], list[list[Row]]] = {}
    for row in rows:
        parts = groups.setdefault(tuple(alike(row[key]) for key in keys), [[]])
        before = number(parts[-1][-1][step]) if parts[-1] else None
        now = number(row[step])
        # A step that comes again is of a run that was started again, or of another run
        if before is not None and now is not None and now <= before:
            parts.append([])
        parts[-1].append(row)
    for parts in groups.values():
        for attempt, own in enumerate(parts, start=1):
            name = " ".join(own[0][key] for key in keys) or "run"
            yield (name if len(parts) == 1 else f"{name} (part {attempt})"), own


def _numbers(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """Return the columns that have numbers and nothing else."""
    return [
        column
        for column in columns
        if any(row[column] for row in rows)
        and all(number(row[column]) is not None for row in rows if row[column])
    ]


def _last(rows: Sequence[Row], column: str) -> str:
    """Return the last text of a column that isn't empty; empty if there is none."""
    return next((row[column] for row in reversed(rows) if row[column]), "")


SOURCES = {
    "table": Source(
        "a table (.csv, .tsv, .parquet)",
        lambda place: "://" not in place and place.lower().endswith(ENDINGS),
        read_table,
    )
}
