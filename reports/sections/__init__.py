"""The sections of a report in their order; each is a function of a study in its own file."""

from collections.abc import Callable

from reports.page.blocks import Section
from reports.sections.answer import answer
from reports.sections.arms import arms
from reports.sections.curves import curves
from reports.sections.disentanglement import disentanglement
from reports.sections.effects import effects
from reports.sections.failed import failed
from reports.sections.glossary import glossary
from reports.sections.health import health
from reports.sections.images import images
from reports.sections.provenance import provenance
from reports.sections.robustness import robustness
from reports.sections.sensitivity import sensitivity
from reports.sections.shapley import shapley
from reports.sections.survival import survival
from reports.sections.threats import threats
from reports.view.study import StudyView

SectionOf = Callable[[StudyView], Section | None]

SECTIONS: tuple[SectionOf, ...] = (
    answer,
    arms,
    effects,
    shapley,
    curves,
    survival,
    images,
    disentanglement,
    health,
    sensitivity,
    failed,
    robustness,
    threats,
    provenance,
    glossary,
)
"""In the order of the reader's questions; a section without content returns None."""
