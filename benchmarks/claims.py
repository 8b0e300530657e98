"""Measure how often the claims of a report are false, in simulated studies with known truth.

    python -m benchmarks.claims --quick                  # 2,000 studies over all kinds: 10 minutes
    python -m benchmarks.claims --studies 1000           # at least 1,000 studies of each kind
    python -m benchmarks.claims --kinds crossover looks  # kinds with one of these words

The function that `report` calls judges the studies. `--kinds` chooses the kinds whose group or name
has one of the words.

`--out FILE.csv` writes one row for each kind, number of seeds, and standard deviation, and a
summary next to it (`FILE.md`). The exit code is 1 if a row does not pass. A row does not pass if
more than 5% of its studies make a false claim (lower 95% Monte Carlo limit), or if its 95%
intervals cover less than 93% or more than 97% beyond Monte Carlo error. A missed target gives exit
code 1, too.
"""

import argparse
import csv
import datetime
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.known_truth import said, table, targets
from benchmarks.known_truth.kinds import Kind, all_kinds
from benchmarks.known_truth.measure import CHUNK, Task, tally
from benchmarks.known_truth.table import Row

QUICK = 2_000


def tasks(kind: Kind, studies: int, seed: int) -> Iterator[Task]:
    """Yield the studies of a kind in chunks, shared equally among its sizes."""
    each = -(-studies // len(kind.cells))
    for seeds, sd in kind.cells:
        for chunk, start in enumerate(range(0, each, CHUNK)):
            yield Task(kind, seeds, sd, chunk, min(CHUNK, each - start), seed)


def measured(kinds: Sequence[Kind], studies: int, seed: int, workers: int) -> list[Row]:
    """Return one row for each size of each kind.

    Args:
        kinds: the kinds of studies.
        studies: number of studies per kind, shared among its sizes.
        seed: fixes all random numbers.
        workers: number of processes.
    """
    todo = [task for kind in kinds for task in tasks(kind, studies, seed)]
    sums: dict[tuple[str, int, float], Counter[str]] = {}
    started = time.monotonic()

    with ProcessPoolExecutor(workers) as pool:
        for done, (task, counts) in enumerate(
            zip(todo, pool.map(tally, todo, chunksize=4), strict=True), start=1
        ):
            sums.setdefault((task.kind.name, task.seeds, task.sd), Counter()).update(counts)
            if done % 200 == 0:
                print(
                    f"{done} of {len(todo)} chunks, {time.monotonic() - started:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )

    return [
        Row(kind, seeds, sd, sums[kind.name, seeds, sd])
        for kind in kinds
        for seeds, sd in kind.cells
    ]


def chosen(words: Sequence[str]) -> list[Kind]:
    """Return the kinds whose group or name has one of these words; without words, all kinds."""
    return [
        kind
        for kind in all_kinds()
        if not words or any(word in f"{kind.group}: {kind.name}" for word in words)
    ]


def summary(rows: Sequence[Row], more: Sequence[targets.Target], note: str) -> str:
    """Return the content of the Markdown file.

    Args:
        rows: the measured rows.
        more: targets beyond those of the rows.
        note: how the table was made.
    """
    failing = [row for row in rows if row.failures]
    kinds = list(table.pooled(rows, lambda kind: kind.name))
    groups = list(table.pooled(rows, lambda kind: kind.group))
    failing += [row for row in (*groups, *kinds) if row.failures and row not in failing]

    lines = ["# False claims of studies with known truth", "", note, ""]
    lines += (
        ["## Targets", "", targets.HEAD, *(target.line() for target in more), ""] if more else []
    )
    lines += ["## Each group, all kinds together", "", table.HEAD, *map(table.line, groups), ""]
    lines += ["## The worst row of each group", "", table.HEAD]
    lines += [
        table.line(row)
        for row in table.worst(row for row in rows if not row.kind.excepted).values()
    ]
    lines += [
        "",
        f"## Rows that do not pass: {len(failing)} of {len(rows) + len(kinds) + len(groups)}",
        "",
    ]
    lines += [table.HEAD, *map(table.line, failing)] if failing else ["None."]
    lines += ["", "## Each kind, all sizes together", "", table.HEAD, *map(table.line, kinds), ""]
    return "\n".join(lines)


def machine() -> str:
    """Return what the table was made on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.claims", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--studies", type=int, default=1000, help="of each kind, shared among its sizes"
    )
    parser.add_argument(
        "--kinds",
        nargs="*",
        default=[],
        metavar="WORD",
        help="only kinds that have one of these words",
    )
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} studies over all kinds")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--out", type=Path, help="a CSV file; the summary goes beside it, as Markdown"
    )
    options = parser.parse_args()

    started, kinds = time.monotonic(), chosen(options.kinds)
    if not kinds:
        parser.error(f"no kind has the words {' '.join(options.kinds)}")

    studies = max(1, QUICK // len(kinds)) if options.quick else options.studies
    rows: list[Row] = []
    power = list(targets.advice(options.seed))
    for group in dict.fromkeys(kind.group for kind in kinds):
        same = [kind for kind in kinds if kind.group == group]
        measured_rows = measured(same, studies, options.seed, options.workers)
        print(f"\n## {group}\n", table.HEAD, *map(table.line, measured_rows), sep="\n", flush=True)
        rows += measured_rows
        more = [*targets.of_rows(rows), *power, *said.compared(rows)]
        note = (
            f"{sum(row.studies for row in rows)} studies "
            f"of {len({row.kind.name for row in rows})} kinds, "
            f"seed {options.seed}, {datetime.date.today().isoformat()}, {machine()}, "
            f"{time.monotonic() - started:.0f} s; "
            "rates in percent with 95 % limits."
        )
        text = summary(rows, more, note)
        if options.out:
            # Each group is written at once, so that an interrupted run keeps its results.
            write(options.out, rows, text)

    print(f"\n{text}")
    sys.exit(any(row.failures for row in rows) or any(target.met is False for target in more))


def write(path: Path, rows: Sequence[Row], text: str) -> None:
    """Write the CSV file, and the summary next to it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = [row.to_dict() for row in rows]
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    path.with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
