"""Reports that answer a study's question: HTML, PDF, LaTeX, plain text, CSV, and figures.

The input is a study's tables, which `load_results` reads from the study folder.
"""

from typing import TYPE_CHECKING

from g2g_base import lazy

if TYPE_CHECKING:
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

# Trainers and trackers read only the documents of a study, and charts would take them seconds
__getattr__ = lazy.names(
    __name__,
    {
        "Analysis": "reports.analysis",
        "ReportError": "reports.build",
        "StudyTable": "reports.table",
        "StudyView": "reports.view.study",
        "analyse": "reports.analysis",
        "build_report": "reports.build",
        "headline": "reports.words.headline",
        "load_results": "reports.table",
        "make_comparison": "reports.build",
        "make_report": "reports.build",
        "open_study": "reports.build",
    },
)
