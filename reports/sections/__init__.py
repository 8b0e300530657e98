"""The sections of a report in their order; each is a function of a study in its own file."""

from collections.abc import Callable

from g2g_base.plugins import Group, with_plugins
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
from reports.sections.networks import networks
from reports.sections.provenance import provenance
from reports.sections.sensitivity import sensitivity
from reports.sections.shapley import shapley
from reports.sections.survival import survival
from reports.sections.trust import trust
from reports.sections.verdict_table import verdicts
from reports.view.study import StudyView

SectionOf = Callable[[StudyView], Section | None]

MAIN: tuple[SectionOf, ...] = (answer, images, curves, arms, trust)
"""What every reader wants; all else is in the appendix."""

SECTIONS: tuple[SectionOf, ...] = (
    *MAIN,
    verdicts,
    effects,
    shapley,
    survival,
    disentanglement,
    health,
    sensitivity,
    failed,
    networks,
    provenance,
    glossary,
)
"""In the order of the reader's questions; a section without content returns None."""

GROUP = Group(
    "g2g_ablate.sections",
    "a function of a study with the name of the entry point",
    lambda name, section: callable(section) and getattr(section, "__name__", "") == name,
)
"""Entry points that add sections to the report."""


def all_sections() -> tuple[SectionOf, ...]:
    """Return the sections of this package, then those of other packages, sorted by name.

    Raises:
        PluginError: an installed package adds a section that can't be used.
    """
    menu: dict[str, SectionOf] = {section.__name__: section for section in SECTIONS}
    return tuple(with_plugins(menu, GROUP).values())
