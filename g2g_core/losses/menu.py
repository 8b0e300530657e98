"""The menu of loss terms."""

from g2g_core import plugins
from g2g_core.losses import cycle, funit
from g2g_core.losses.term import Term, TermClass

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

    Packages register their terms in the entry-point group `g2g_ablate.losses`.

    Raises:
        PluginError: an installed package uses a name that is taken, or its term can't be loaded.
    """
    return plugins.with_plugins(LOSSES, plugins.LOSSES)
