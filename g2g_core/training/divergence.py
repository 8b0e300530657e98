"""Detection of the first step with a number that is not finite.

The numbers of several steps are checked together, so that training doesn't wait for the GPU.
"""

import math
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
    values: Mapping[str, float]


class Watch:
    """The numbers of the steps since the last check.

    They are checked in every step on a CPU, and every few steps on a GPU.

    Args:
        config: its `log_every` bounds the steps between two checks.
        networks: the networks whose weights are checked.

    Attributes:
        numbers: the losses and gradient norms of the newest step that was checked.
    """

    def __init__(self, config: TrialConfig, networks: Networks) -> None:
        self.networks = networks
        on_cpu = next(networks.generator.parameters()).device.type == "cpu"
        self.every = 1 if on_cpu else min(PATIENCE, config.log_every)
        self.numbers: dict[str, float] = {}
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
        largest = self._largest_weights() if weights and unchecked else {}

        # One transfer from the device for all numbers, since each would wait for the device.
        scalars = [value for _, values in unchecked for value in values.values()]
        scalars += largest.values()
        numbers = iter(torch.stack([s.double() for s in scalars]).tolist() if scalars else [])

        for step, values in unchecked:
            self.numbers = {name: next(numbers) for name in values}
            for name, number in self.numbers.items():
                if not math.isfinite(number):
                    return Bad(step, name, self.numbers)
        for network, number in zip(largest, numbers, strict=True):
            if not math.isfinite(number):
                return Bad(unchecked[-1][0], f"a weight of the {network}", self.numbers)
        return None

    def _largest_weights(self) -> dict[str, Tensor]:
        """Return network -> its largest absolute weight, a scalar that is finite if all are."""
        largest = {}
        for name in ("generator", "discriminator"):
            if (module := getattr(self.networks, name)) is not None:
                weights = [weight.detach() for weight in module.parameters()]
                largest[name] = torch.stack(torch._foreach_norm(weights, ord=float("inf"))).amax()
        return largest
