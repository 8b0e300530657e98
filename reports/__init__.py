"""From a study's results tables to a report that answers its question: HTML, PDF, LaTeX, CSV,
figures."""

from reports.analysis import Analysis, analyse
from reports.build import ReportError, build_report, make_comparison, make_report, open_study
from reports.table import StudyTable, load_results
from reports.view.study import StudyView
from reports.words.headline import headline

__all__ = [
    "Analysis",
    "ReportError",
    "StudyTable",
    "StudyView",
    "analyse",
    "build_report",
    "headline",
    "load_results",
    "make_comparison",
    "make_report",
    "open_study",
]
