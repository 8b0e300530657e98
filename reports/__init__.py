"""Reports that answer a study's question: HTML, PDF, LaTeX, plain text, CSV, and figures.

The input is a study's tables, which `load_results` reads from the study folder.
"""

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
