"""Reports that answer a study's question: HTML, PDF, LaTeX, plain text, CSV, and figures.

The input is a study's tables, which `load_results` reads from the study folder.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.analysis import Analysis, analyse
    from reports.build import (
        ReportError,
        build_report,
        make_comparison,
        make_report,
        open_study,
    )
    from reports.table import StudyTable, load_results
    from reports.view.study import StudyView
    from reports.words.headline import headline

_PUBLIC = {
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
}
"""Public name -> its module; imported on first use, so that `reports.documents` starts fast."""

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


def __getattr__(name: str) -> object:
    """Return a public name, imported on first use."""
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
