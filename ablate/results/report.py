"""Writes the report of a study from its folder, or one report that compares several studies.

Tables that are out of date are gathered again first. The package `reports` does the writing.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ablate.disk.room import no_links
from ablate.planning import ledger
from ablate.planning.plan_file import read_plan
from ablate.results import tables
from ablate.study.nouns import StudyError
from g2g_base.plugins import has_additions


@dataclass(frozen=True)
class Written:
    """A report that was written.

    Attributes:
        files: all files of the report, the page first.
        answer: five lines per study: question, answer, verdicts, trials, and what to do next.
    """

    files: tuple[Path, ...]
    answer: tuple[str, ...]


def refuse_broken_sections() -> None:
    """Refuse sections of other packages that the report could not use.

    Raises:
        PluginError: a name is taken, or a section can't be loaded or isn't a section.
    """
    # The import takes a second, which only those wait for who have such sections.
    if has_additions("g2g_ablate.sections"):
        from reports.sections import all_sections

        all_sections()


def write_reports(
    folders: Sequence[Path], to: Path | None, formats: Sequence[str], leave_out: Iterable[str]
) -> Written:
    """Write the report of a study, or of several studies compared.

    Args:
        folders: `OUT/<study>` of each study.
        to: folder to write to. With None, one study's report goes to `report` in its folder, and a
            comparison goes to `comparison` next to the first study's folder.
        formats: any of `html`, `pdf`, `text`, `latex`, `csv`.
        leave_out: names of sections to leave out.

    Returns:
        The files, and the answers that they give.

    Raises:
        StudyError: a folder holds no study, or the report can't be written.
        ReportError: a format or section is unknown.
        ResultsError: tables can't be read.
    """
    from reports import build_report, headline, load_results
    from reports.render.html import is_page

    for folder in folders:
        read_plan(folder)
        no_links(folder)
        with suppress(OSError):  # Without write access there is still a report.
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
            f"--to: {target}: holds an index.html that is no report of a study; "
            "choose another folder"
        )

    try:
        files = build_report(
            studies if len(studies) > 1 else studies[0], target, formats, leave_out=leave_out
        )
    except (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise StudyError(f"--to: {target}: cannot be written: {error.strerror}") from None
    return Written(tuple(files), tuple(line for study in studies for line in headline(study)))
