"""From a study's tables to report files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from reports.analysis import analyse
from reports.charts.svg import standalone
from reports.comparison import agreement_csv, compare, comparison_texts
from reports.page.blocks import Document, Drawing, Figure
from reports.render.csv_files import csv_texts, report_json, write
from reports.render.html import to_html
from reports.render.latex import latex_tables, latex_text
from reports.render.pdf import drawing_pdf, to_pdf
from reports.render.plain_text import to_text
from reports.sections import SECTIONS, SectionOf
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.fold_over import fold_over_file
from reports.words.methods import methods
from reports.words.next import FOLD_OVER

FORMATS = ("html", "pdf", "text", "latex", "csv")
GROUP = "g2g_ablate.sections"
"""Entry point group of sections from other packages."""


class ReportError(Exception):
    """A report can't be made as asked: one clear line."""


@dataclass(frozen=True)
class Report:
    """A document, and the studies it was made from: one, or several that are compared."""

    document: Document
    views: tuple[StudyView, ...]


def open_study(table: StudyTable) -> StudyView:
    """A study's tables, analysed: what sections and figures take.

    Its `analysis` holds tidy frames (`arms`, `effects`, `shapley`, `verdicts`, `differences`,
    `onset`, `metrics`), its `table` the trials and their histories.
    """
    return StudyView(table, analyse(table))


def all_sections() -> tuple[SectionOf, ...]:
    """The sections of the report in order: our own, then those of installed packages (group
    `g2g_ablate.sections`)."""
    plugins = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return (*SECTIONS, *(entry.load() for entry in plugins))


def make_report(
    table: StudyTable, sections: Sequence[SectionOf] | None = None, leave_out: Iterable[str] = ()
) -> Report:
    """The document of one study.

    Args:
        table: the study's tables.
        sections: functions of a `StudyView` that give a `Section` or None, in order; None:
            `all_sections()`.
        leave_out: names of sections to leave out.

    Raises:
        ReportError: a name in `leave_out` is no section.
    """
    chosen = all_sections() if sections is None else tuple(sections)
    names = [section.__name__ for section in chosen]
    left_out = set(leave_out)
    unknown = sorted(left_out - set(names))
    if unknown:
        raise ReportError(f"no such section: {', '.join(unknown)}; there are {', '.join(names)}")
    view = open_study(table)
    made = [section(view) for section in chosen if section.__name__ not in left_out]
    name, plan = str(view.study["name"]), str(view.study.get("hash", ""))[:12]
    foot = f"Ablation study {name} · plan {plan}" if plan else f"Ablation study {name}"
    title = str(view.study.get("question") or f"Ablation study {name}")
    return Report(
        Document(name, title, foot, tuple(section for section in made if section is not None)),
        (view,),
    )


def make_comparison(tables: Sequence[StudyTable]) -> Report:
    """The document of several studies side by side.

    Raises:
        ReportError: fewer than two studies, or two of the same name and plan.
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
    """Writes the report of a study; equal tables give equal bytes.

    Args:
        table: the study's tables; several are compared in one document.
        to: folder, made when missing; holds `index.html`, `report.pdf`, `report.txt`,
            `tables/*.tex`, `data/*.csv` and `figures/*.svg`.
        formats: of `html`, `pdf`, `text`, `latex`, `csv`; `report.json` is always written.
        sections: see `make_report`; of a single study.
        leave_out: see `make_report`; of a single study.

    Returns:
        The paths of the files, the page first.

    Raises:
        ReportError: an unknown format or section.
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
    """Writes a report's files in the given formats."""
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
        paths += _figures(document, folder / "figures")
    files: dict[str, list[str]] = {}
    if "csv" in formats:
        for end, view in _ends(report):
            paths += write(folder / f"data{end}", csv_texts(view))
        if len(report.views) > 1:
            paths += write(folder / "data", {"agreement.csv": agreement_csv(report.views)})
    for end, view in _ends(report):
        if text := fold_over_file(view):
            paths += write(folder, {FOLD_OVER.replace(".yaml", f"{end}.yaml"): text})
    for path in paths:
        files.setdefault(path.suffix[1:], []).append(path.relative_to(folder).as_posix())
    for end, view in _ends(report):
        paths += write(folder / f"data{end}", {"report.json": report_json(view, files)})
    if len(report.views) > 1:
        paths += write(folder / "data", comparison_texts(report.views, files))
    return paths


def _ends(report: Report) -> list[tuple[str, StudyView]]:
    """What tells the files of several studies apart: nothing for one, `-1`, `-2`, ... for more."""
    return [
        ("" if len(report.views) == 1 else f"-{index + 1}", view)
        for index, view in enumerate(report.views)
    ]


def drawings(document: Document) -> list[Drawing]:
    """The drawings worth a file of their own: every figure's panels."""
    return [
        panel.drawing
        for block in document.blocks()
        if isinstance(block, Figure)
        for panel in block.panels
    ]


def _figures(document: Document, folder: Path) -> list[Path]:
    """Each figure as SVG, and as PDF for LaTeX."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for drawing in drawings(document):
        path = folder / f"{drawing.name}.svg"
        path.write_text(standalone(drawing), encoding="utf-8", newline="\n")
        pdf = folder / f"{drawing.name}.pdf"
        pdf.write_bytes(drawing_pdf(drawing))
        paths += [path, pdf]
    return paths
