"""From studies' folders to a report: the tables are gathered anew where they are out of date, then
`reports` writes."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ablate.planning import ledger
from ablate.planning.plan_file import read_plan
from ablate.results import tables
from ablate.study.nouns import StudyError


@dataclass(frozen=True)
class Written:
    """A report that was written.

    Attributes:
        files: all its files, the page first.
        answer: five lines for each study: question, answer, verdicts, trials, what to do next.
    """

    files: tuple[Path, ...]
    answer: tuple[str, ...]


def write_reports(
    folders: Sequence[Path], to: Path | None, formats: Sequence[str], leave_out: Iterable[str]
) -> Written:
    """Write the report of a study, or of several studies compared.

    Args:
        folders: `OUT/<study>` of each study.
        to: folder to write to; None: `report` in the study's folder, for several `comparison`
            beside the first.
        formats: of `html`, `pdf`, `text`, `latex`, `csv`.
        leave_out: names of sections to leave out.

    Raises:
        StudyError: a folder holds no study, or the report can't be written there.
        ReportError: an unknown format or section.
        ResultsError: tables that cannot be read.
    """
    from reports import build_report, headline, load_results
    from reports.render.html import is_page

    for folder in folders:
        read_plan(folder)
        with suppress(OSError):  # a folder that can't be written is reported all the same
            ledger.record_look(folder)
        if not tables.up_to_date(folder):
            tables.gather(folder)
    studies = [load_results(folder) for folder in folders]
    target = to or (
        folders[0] / "report" if len(folders) == 1 else folders[0].parent / "comparison"
    )
    page = target / "index.html"
    if to is not None and "html" in formats and page.is_file() and not is_page(page):
        raise StudyError(
            f"--to: {target}: holds an index.html that is no report of a study; choose another folder"
        )
    try:
        files = build_report(
            studies if len(studies) > 1 else studies[0], target, formats, leave_out=leave_out
        )
    except (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise StudyError(f"--to: {target}: cannot be written: {error.strerror}") from None
    return Written(tuple(files), tuple(line for study in studies for line in headline(study)))
