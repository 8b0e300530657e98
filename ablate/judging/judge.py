"""From runs that others made to a report: read, match, write a study's folder, and report."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ablate.judging.matching import Matched, match
from ablate.judging.question import Question, is_question, read_question
from ablate.judging.source import read_source
from ablate.judging.writing import write_folder
from ablate.reading.schema import LONGEST_NAME
from ablate.results.report import Written, write_reports

FORMATS = ("html", "pdf", "text", "latex", "csv")


@dataclass(frozen=True)
class Judged:
    """Runs that were judged.

    Attributes:
        matched: which run is which trial, and what is wrong with them.
        folder: the study's folder that was made of them.
        written: the report.
    """

    matched: Matched
    folder: Path
    written: Written


def judge(
    question: Question,
    to: Path | None = None,
    formats: Sequence[str] = FORMATS,
    leave_out: Iterable[str] = (),
    references: Mapping[str, str] | None = None,
) -> Judged:
    """Judge runs that another program made, and write their report.

    Args:
        question: which runs, what is compared, and by which rule.
        to: the study's folder to write; None: `runs/<name>-judged`.
        formats: any of `html`, `pdf`, `text`, `latex`, `csv`.
        leave_out: names of sections to leave out.
        references: factor -> the level that its effects are measured from.

    Raises:
        StudyError: a single line says why there is no answer.
        Infrastructure: a server doesn't answer.
    """
    question = question if question.name else replace(question, name=usual_name(question))
    folder = to if to is not None else Path("runs") / f"{question.name}-judged"
    matched = match(question, read_source(question), references or {})
    write_folder(matched, folder)
    return Judged(matched, folder, write_reports([folder], None, formats, leave_out))


def asked(source: str) -> Question:
    """Return the question of a `judge.yaml`, or an empty one about any other source.

    Raises:
        StudyError: the file has mistakes.
    """
    return read_question(Path(source)) if is_question(source) else Question(source)


def usual_name(question: Question) -> str:
    """Return a name for a study of these runs: the experiment's, or the source's own."""
    from ablate.tracking.read_file import EXPERIMENT

    text = question.where.get(EXPERIMENT) or Path(question.source.rstrip("/")).stem
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:LONGEST_NAME]
    return name or "runs"
