"""The two arms of a gate: seed -> outcome, from any source or from a command that makes seeds."""

import csv
import io
import json
import math
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.judging.columns import PAIRS, named, number, usual
from ablate.judging.question import Question
from ablate.judging.source import read_source
from ablate.study.found import FoundRun
from ablate.study.nouns import StudyError
from ablate.trainers.command.metrics_file import MetricsFile, MetricsFileError
from ablate.trainers.command.template import METRICS
from g2g_base import atomic

CHOICE = re.compile(r"(.+?)@([^@/\\]+=[^@]*)")
"""A source with a choice of its runs: `runs.csv@variant=base`."""


@dataclass(frozen=True)
class Arm:
    """The runs of one arm.

    Attributes:
        values: seed -> outcome; not finite where the run failed.
        noise: standard deviation of the difference of two runs with equal settings and seed, from
            runs that were repeated; 0 if none was.
    """

    values: dict[int, float]
    noise: float = 0.0


def read_arm(source: str, pair: str, outcome: str) -> Arm:
    """Return the arm that a source holds.

    Args:
        source: what `judge` reads; `@name=value` at its end chooses among its runs.
        pair: column with the seed; empty: guessed.
        outcome: name of the outcome.

    Raises:
        StudyError: the source can't be read, or lacks the seed or the outcome.
        Infrastructure: a server doesn't answer.
    """
    match = CHOICE.fullmatch(source)
    place, choice = (match[1], match[2]) if match else (source, "")
    key, _, value = choice.partition("=")
    question = Question(
        place, pair=pair, outcome={"metric": outcome}, where={key: value} if key else {}
    )
    # Rows with steps are of one run if they have one seed.
    runs = read_source(question).runs
    if key:
        column = named(key, _columns(runs), "@")
        runs = tuple(run for run in runs if run.values.get(column) == value)
        if not runs:
            raise StudyError(f"{source}: no run has {choice}")

    seeds = named(pair, _columns(runs), "pair") if pair else usual(PAIRS, _columns(runs))
    if not seeds:
        raise StudyError(f"{source}: no column is named seed; name it by --pair")
    curves = list(dict.fromkeys(name for run in runs for name in run.curves))
    metric = (
        f"metric/{outcome}" if f"metric/{outcome}" in curves else named(outcome, curves, "outcome")
    )
    return _arm(source, runs, seeds, metric)


def _arm(source: str, runs: Sequence[FoundRun], column: str, metric: str) -> Arm:
    """Return the arm of runs; the first of several finished runs of a seed counts.

    Raises:
        StudyError: a seed is not a whole number.
    """
    found: dict[int, list[float]] = {}
    for run in runs:
        text = run.values.get(column)
        if text is None:
            continue
        seed = number(text)
        if seed is None or not seed.is_integer() or seed < 0:
            raise StudyError(f"{source}: {column} {text}: must be a whole number, 0 or more")
        value = run.last(metric)
        if run.status in ("running", "planned", "interrupted") and value is None:
            continue
        ended = run.status in ("finished", "running") and value is not None
        found.setdefault(int(seed), []).append(value if ended and value is not None else math.nan)

    values = {
        seed: next((value for value in own if math.isfinite(value)), own[0])
        for seed, own in found.items()
    }
    repeats = [[v for v in own if math.isfinite(v)] for own in found.values()]
    repeats = [own for own in repeats if len(own) > 1]
    degrees = sum(len(own) - 1 for own in repeats)
    squares = sum(math.fsum((v - sum(own) / len(own)) ** 2 for v in own) for own in repeats)
    return Arm(values, math.sqrt(2 * squares / degrees) if degrees else 0.0)


def _columns(runs: Sequence[FoundRun]) -> list[str]:
    """Return the columns of all runs, by first appearance."""
    return list(dict.fromkeys(name for run in runs for name in run.values))


def produce(command: str, seed: int, outcome: str, say: Callable[[str], None]) -> float:
    """Run a command for one seed, and return its outcome; NaN if it fails.

    The outcome is the last one in the file `metrics.jsonl` in `{folder}`, or the last that the
    command printed, as `outcome: 0.3`, `outcome=0.3`, or a line of JSON.

    Args:
        command: the command, with `{seed}` and maybe `{folder}` in it; it is not given to a shell.
        seed: the seed.
        outcome: name of the outcome.
        say: prints a message for people.

    Raises:
        StudyError: the command doesn't exist, or gave no outcome although it succeeded.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [
            word.replace("{seed}", str(seed)).replace("{folder}", folder)
            for word in shlex.split(command)
        ]
        say(f"run: {shlex.join(words)}")
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        except OSError as error:
            raise StudyError(f"--run: {words[0]}: {error.strerror}") from None
        if done.returncode:
            say(f"seed {seed}: the command failed with {done.returncode}")
            return math.nan
        value = _recorded(Path(folder) / METRICS, outcome)
        value = _printed(done.stdout, outcome) if value is None else value
    if value is None:
        raise StudyError(
            f"--run: seed {seed}: gave no {outcome}: print `{outcome}: NUMBER`, or write "
            f"{METRICS} in {{folder}}"
        )
    say(f"seed {seed}: {outcome} {value:g}")
    return value


def _recorded(path: Path, outcome: str) -> float | None:
    """Return the last outcome in a file of metrics; None without one.

    Raises:
        StudyError: the file can't be read.
    """
    try:
        values = [row[outcome] for _, row in MetricsFile(path).news(over=True) if outcome in row]
    except MetricsFileError as error:
        raise StudyError(f"--run: {error}") from None
    return values[-1] if values else None


def _printed(text: str, outcome: str) -> float | None:
    """Return the last outcome in printed text; None without one."""
    value = None
    pattern = re.compile(rf"(?<![\w.]){re.escape(outcome)}[\"']?\s*[:=]\s*([-+\w.]+)")
    for line in text.splitlines():
        given = None
        if line.lstrip().startswith("{"):
            try:
                content = json.loads(line)
                given = str(content[outcome]) if outcome in content else None
            except ValueError:
                given = None
        match = pattern.search(line)
        given = given or (match[1] if match else None)
        parsed = number(given) if given is not None else None
        value = parsed if parsed is not None else value
    return value


def append(path: Path, seed: int, outcome: str, value: float) -> None:
    """Add a run to the table of an arm, which is made if it is missing."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    header = next(csv.reader(io.StringIO(text)), ["seed", outcome])
    if not {"seed", outcome} <= set(header):
        raise StudyError(f"{path}: has no columns seed and {outcome}, so no run can be added")
    line = io.StringIO()
    writer = csv.DictWriter(line, header, restval="", lineterminator="\n")
    if not text:
        writer.writeheader()
    writer.writerow({"seed": seed, outcome: repr(value)})
    new_line = "" if not text or text.endswith("\n") else "\n"
    atomic.write_text(path, text + new_line + line.getvalue())
