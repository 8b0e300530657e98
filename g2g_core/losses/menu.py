"""The menu of loss terms."""

from g2g_base.plugins import Group, with_plugins
from g2g_core.losses import cycle, funit
from g2g_core.losses.term import Term, TermClass

GROUP = Group(
    "g2g_ablate.losses",
    "a function of a pass, or a class that takes the config",
    lambda _, term: callable(term),
)
"""Entry points that add terms to the menu."""

LOSSES: dict[str, Term | TermClass] = {
    name: term
    for side in (False, True)
    for family in (funit, cycle)
    for name, term in family.TERMS.items()
    if name.startswith("d_") is side
}
"""Name -> term: the generator's, then the discriminator's.

Terms are summed in this order, so that results are bit-identical.
"""


def all_losses() -> dict[str, Term | TermClass]:
    """Return the built-in terms, then those of installed packages, by name.

    Raises:
        PluginError: an installed package adds a term that can't be used.
    """
    return with_plugins(LOSSES, GROUP)
