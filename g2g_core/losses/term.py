"""What a loss term is, and the mark by which terms share calls of the discriminator."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from g2g_core.config import TrialConfig

Term = Callable[[Any], Tensor]
"""From a pass to an unweighted scalar."""
TermClass = Callable[[TrialConfig], Term]
"""A term with networks of its own is a class that takes the config."""


def judges(*names: str) -> Callable[[Term], Term]:
    """Mark a term with the generated images that it judges, so that terms share network calls.

    A term without the mark works as well, only not as fast.

    Args:
        names: generated images as `CrossPass.expect` takes them, for example `mixed`.
    """

    def mark(term: Term) -> Term:
        term.judges = names  # type: ignore[attr-defined]
        return term

    return mark
