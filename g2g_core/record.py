"""The records that a training run emits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Record:
    """One fact of a training run.

    Attributes:
        step: optimization steps completed when it was recorded; 0 is before the first.
        kind: `train` (losses of one step), `eval` (metrics and images of the evaluation pairs), or
            `note` (facts).
        values: numbers by name: `loss/<term>` (unweighted), `metric/<name>`, `health/<name>`,
            `time/<what>_s`.
        images: row name (`real`, `mixed`, `full_recon`) -> (2P, 3, H, W) in [-1, 1] on the CPU.
            Entries 0..P-1 are the first images of the pairs, entries P..2P-1 the second ones.
        facts: JSON-ready facts of a note: restored parts, digests, parameter counts, or a skipped
            checkpoint.
    """

    step: int
    kind: Literal["train", "eval", "note"]
    values: Mapping[str, float] = field(default_factory=dict)
    images: "Mapping[str, Tensor]" = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Stopped(Exception):
    """End of a training run before its last step, because it was asked to stop."""


class Diverged(Exception):
    """A loss, a gradient, or a weight became non-finite.

    This is an outcome of the trial, not a failure.

    Attributes:
        step: the step in which it happened.
        cause: the non-finite value, for example `loss/adversarial`.
    """

    def __init__(self, step: int, cause: str, where: str = "") -> None:
        """Create the error.

        Args:
            step: the step in which it happened.
            cause: the non-finite value.
            where: what else is known, as the end of the message.
        """
        super().__init__(f"{cause} is not finite at step {step}{where and f': {where}'}")
        self.step = step
        self.cause = cause
