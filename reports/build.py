"""Report files made from a study's tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reports.analysis import analyse
from reports.comparison import agreement_csv, compare, comparison_texts
from reports.figures import write_figures
from reports.page.blocks import Document, Section, plain
from reports.render.csv_files import csv_texts, report_json, write
from reports.render.html import to_html
from reports.render.latex import latex_tables, latex_text
from reports.render.pdf import to_pdf
from reports.render.plain_text import to_text
from reports.sections import MAIN, SECTIONS, SectionOf, all_sections
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.first_page import title
from reports.words.fold_over import fold_over_file
from reports.words.methods import methods
from reports.words.next import FOLD_OVER

FORMATS = ("html", "pdf", "text", "latex", "csv")


class ReportError(Exception):
    """Error that says why a report can't be made."""


@dataclass(frozen=True)
class Report:
    """A document and the studies it was made from: one study, or several that are compared.

    Attributes:
        document: the content of the report.
        views: the studies, in the order of the report.
    """

    document: Document
    views: tuple[StudyView, ...]


def open_study(table: StudyTable) -> StudyView:
    """Return a study with its analysis, the input of sections and figures.

    The `analysis` of the returned view holds tidy frames (`arms`, `effects`, `shapley`, `verdicts`,
    `differences`, `onset`, `metrics`). Its `table` holds the trials and their histories.

    Args:
        table: the study's tables, see `load_results`.
    """
    return StudyView(table, analyse(table))


def make_report(
    table: StudyTable, sections: Sequence[SectionOf] | None = None, leave_out: Iterable[str] = ()
) -> Report:
    """Return the report of one study.

    Args:
        table: the study's tables.
        sections: functions that make a `Section` or None from a `StudyView`, in the order of the
            report. None means `all_sections()`.
        leave_out: names of sections to leave out.

    Raises:
        ReportError: a name in `leave_out` isn't the name of a section, two sections have one id, or
            a section of another package fails.
        PluginError: an installed package adds a section that can't be used.
    """
    chosen = all_sections() if sections is None else tuple(sections)
    names = [section.__name__ for section in chosen]
    left_out = set(leave_out)
    unknown = sorted(left_out - set(names))
    if unknown:
        raise ReportError(f"no such section: {', '.join(unknown)}; there are {', '.join(names)}")

    view = open_study(table)
    made = _made([section for section in chosen if section.__name__ not in left_out], view)

    name, plan = str(view.study["name"]), str(view.study.get("hash", ""))[:12]
    foot = f"Ablation study {name} · plan {plan}" if plan else f"Ablation study {name}"
    return Report(Document(name, plain(title(view).headline), foot, made), (view,))


def _made(sections: Sequence[SectionOf], view: StudyView) -> tuple[Section, ...]:
    """Return the sections that have content for a study.

    Raises:
        ReportError: two sections have one id, or a section of another package fails.
    """
    # Among the main sections, all others are details, also those of other packages.
    main = MAIN if set(sections) & set(MAIN) else tuple(sections)
    made: dict[str, Section] = {}
    makers: dict[str, str] = {}
    for make in sections:
        name = make.__name__
        try:
            section: object = make(view)
        except Exception as error:
            # A mistake in a built-in section is a bug, and keeps its traceback.
            if make in SECTIONS:
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ReportError(f"section {name}: {reason}") from error

        if section is None:
            continue
        if not isinstance(section, Section):
            raise ReportError(f"section {name}: returned {type(section).__name__}, not a Section")
        if section.id in made:
            raise ReportError(f"sections {makers[section.id]} and {name} have one id, {section.id}")
        made[section.id] = replace(section, appendix=make not in main)
        makers[section.id] = name
    return tuple(made.values())


def make_comparison(tables: Sequence[StudyTable]) -> Report:
    """Return the report that compares several studies side by side.

    Args:
        tables: the tables of the studies, in the order of the report.

    Raises:
        ReportError: there are fewer than two studies, or two have the same name and plan.
    """
    views = tuple(open_study(table) for table in tables)
    keys = {(str(view.study["name"]), str(view.study.get("hash", ""))) for view in views}
    if len(views) < 2 or len(keys) < len(views):
        raise ReportError("a comparison needs at least two different studies")
    return Report(compare(views), views)


def build_report(
    table: StudyTable | Sequence[StudyTable],
    to: str | Path,
    formats: Sequence[str] = FORMATS,
    sections: Sequence[SectionOf] | None = None,
    leave_out: Iterable[str] = (),
) -> list[Path]:
    """Write the report of a study; identical tables give identical files.

    Args:
        table: the study's tables. Several studies are compared in one document.
        to: folder of the report, created if missing. It receives `index.html`, `report.pdf`,
            `report.txt`, `tables/*.tex`, `data/*.csv`, and `figures/*.svg`.
        formats: any of `html`, `pdf`, `text`, `latex`, and `csv`. `report.json` is always written.
        sections: see `make_report`; only for a single study.
        leave_out: see `make_report`; only for a single study.

    Returns:
        The paths of the files, the page first.

    Raises:
        ReportError: a format or section is unknown, or the studies can't be compared.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ReportError(f"no such format: {', '.join(unknown)}; there are {', '.join(FORMATS)}")

    if isinstance(table, StudyTable):
        report = make_report(table, sections, leave_out)
    else:
        report = (
            make_report(table[0], sections, leave_out)
            if len(table) == 1
            else make_comparison(table)
        )

    return write_report(report, Path(to), formats)


def write_report(report: Report, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write a report's files in the given formats, and return their paths.

    Args:
        report: the document and its studies.
        folder: folder of the report, created if missing.
        formats: see `build_report`.
    """
    document = report.document
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []

    if "html" in formats:
        paths += write(folder, {"index.html": to_html(document)})
    if "pdf" in formats:
        path = folder / "report.pdf"
        path.write_bytes(to_pdf(document))
        paths.append(path)
    if "text" in formats:
        paths += write(folder, {"report.txt": to_text(document)})
    if "latex" in formats:
        tables = {f"{name}.tex": text for name, text in latex_tables(document).items()}
        texts = {f"methods{end}.tex": latex_text(methods(view)) for end, view in _ends(report)}
        paths += write(folder / "tables", tables | texts)
        paths += write_figures(document, report.views[0], folder / "figures")

    files: dict[str, list[str]] = {}
    if "csv" in formats:
        for end, view in _ends(report):
            paths += write(folder / f"data{end}", csv_texts(view))
        if len(report.views) > 1:
            paths += write(folder / "data", {"agreement.csv": agreement_csv(report.views)})

    for end, view in _ends(report):
        if text := fold_over_file(view):
            paths += write(folder, {FOLD_OVER.replace(".yaml", f"{end}.yaml"): text})

    # report.json lists all other files, so it is written last.
    for path in paths:
        files.setdefault(path.suffix[1:], []).append(path.relative_to(folder).as_posix())
    for end, view in _ends(report):
        paths += write(folder / f"data{end}", {"report.json": report_json(view, files)})
    if len(report.views) > 1:
        paths += write(folder / "data", comparison_texts(report.views, files))

    return paths


def _ends(report: Report) -> list[tuple[str, StudyView]]:
    """Return each study with the ending that its file names get.

    The ending is empty in the report of one study. In a comparison, `-1`, `-2`, and so on keep the
    files of the studies apart.
    """
    return [
        ("" if len(report.views) == 1 else f"-{index + 1}", view)
        for index, view in enumerate(report.views)
    ]
