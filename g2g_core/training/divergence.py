"""Detection of the first step with a number that is not finite.

The numbers of several steps are checked together, so that training doesn't wait for the GPU.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from g2g_core.config import TrialConfig
from g2g_core.models.networks import Networks

PATIENCE = 50
"""Largest number of steps between two checks of numbers that are on a GPU."""


@dataclass(frozen=True)
class Bad:
    """The first step that went wrong.

    Attributes:
        step: number of completed steps.
        cause: name of what is not finite.
        values: the losses and gradient norms of the step.
    """

    step: int
    cause: str
    values: Mapping[str, Tensor]


class Watch:
    """The numbers of the steps since the last check.

    They are checked in every step on a CPU, and every few steps on a GPU.

    Args:
        config: its `log_every` bounds the steps between two checks.
        networks: the networks whose weights are checked.
    """

    def __init__(self, config: TrialConfig, networks: Networks) -> None:
        self.networks = networks
        on_cpu = next(networks.generator.parameters()).device.type == "cpu"
        self.every = 1 if on_cpu else min(PATIENCE, config.log_every)
        self._unchecked: list[tuple[int, Mapping[str, Tensor]]] = []

    @property
    def due(self) -> bool:
        """Whether it is time for a check."""
        return len(self._unchecked) >= self.every

    def keep(self, step: int, values: Mapping[str, Tensor]) -> None:
        """Store the losses and gradient norms of a step, without waiting for the device."""
        self._unchecked.append((step, values))

    def first_bad(self, weights: bool = False) -> Bad | None:
        """Check the steps since the last check and return the first that is not finite.

        A gradient that is not finite has spoiled the weights, so losses and gradient norms are
        always checked.

        Args:
            weights: whether to check all weights as well.
        """
        unchecked, self._unchecked = self._unchecked, []

        # One transfer from the device for all numbers of all steps.
        entries = [(step, name, values) for step, values in unchecked for name in values]
        if entries:
            numbers = torch.stack([values[name].double() for _, name, values in entries])
            finite = torch.isfinite(numbers).tolist()
            for (step, name, values), is_finite in zip(entries, finite, strict=True):
                if not is_finite:
                    return Bad(step, name, values)

        if weights and unchecked:
            step, values = unchecked[-1]
            for network in ("generator", "discriminator"):
                module = getattr(self.networks, network)
                if module is not None and not _finite(list(module.parameters())):
                    return Bad(step, f"a weight of the {network}", values)
        return None


def _finite(tensors: list[Tensor]) -> bool:
    norms = torch._foreach_norm([tensor.detach() for tensor in tensors], ord=float("inf"))
    return bool(torch.isfinite(torch.stack(norms)).all())
