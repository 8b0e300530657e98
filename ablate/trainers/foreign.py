"""What the configs of trials have in common that the core does not train."""

from collections.abc import Mapping
from typing import Any


class ForeignConfig:
    """Base of configs whose trainer records and saves when it likes.

    Attributes:
        options: the keys of `base:`, with the patches of the trial's levels.
        seed: the replicate.
    """

    options: Mapping[str, Any]
    seed: int

    @property
    def log_every(self) -> int:
        """Steps between records; always 0, because the trainer decides when to record."""
        return 0

    @property
    def checkpoint_every(self) -> int:
        """Steps between checkpoints; always 0, because the trainer decides when to save."""
        return 0

    def to_dict(self) -> dict[str, Any]:
        """Return the options and the seed, ready for JSON."""
        return {**self.options, "seed": self.seed}
