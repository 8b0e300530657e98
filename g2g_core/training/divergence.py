"""Notices the first step in which something is not finite, without waiting for the device in every
step."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from g2g_core.config import TrialConfig
from g2g_core.models.networks import Networks

PATIENCE = 50
"""Most steps between two looks at numbers that are still on a GPU."""


@dataclass(frozen=True)
class Bad:
    """The first step that went wrong.

    Attributes:
        step: completed steps.
        cause: what is not finite.
        values: the step's numbers.
    """

    step: int
    cause: str
    values: Mapping[str, Tensor]


class Watch:
    """Keeps the numbers of the steps since the last look; a CPU is looked at every step, a GPU when
    it is due."""

    def __init__(self, config: TrialConfig, networks: Networks) -> None:
        self.networks = networks
        on_cpu = next(networks.generator.parameters()).device.type == "cpu"
        self.every = 1 if on_cpu else min(PATIENCE, config.log_every)
        self._kept: list[tuple[int, Mapping[str, Tensor]]] = []

    @property
    def due(self) -> bool:
        """Whether it is time for a look."""
        return len(self._kept) >= self.every

    def keep(self, step: int, values: Mapping[str, Tensor]) -> None:
        """Note a step's losses and gradient norms; nothing is waited for."""
        self._kept.append((step, values))

    def first_bad(self, weights: bool = False) -> Bad | None:
        """Look at the steps kept since the last look, and with `weights` at all weights; the first
        that is not finite.

        Losses and gradient norms are looked at in every case: a gradient that is not finite has
        spoilt the weights.
        """
        kept, self._kept = self._kept, []
        names = [(step, name, values) for step, values in kept for name in values]
        if names:
            numbers = torch.stack([values[name].double() for _, name, values in names])
            finite = torch.isfinite(numbers).tolist()
            for (step, name, values), good in zip(names, finite, strict=True):
                if not good:
                    return Bad(step, name, values)
        if weights and kept:
            step, values = kept[-1]
            for network in ("generator", "discriminator"):
                module = getattr(self.networks, network)
                if module is not None and not _finite(list(module.parameters())):
                    return Bad(step, f"a weight of the {network}", values)
        return None


def _finite(tensors: list[Tensor]) -> bool:
    norms = torch._foreach_norm([tensor.detach() for tensor in tensors], ord=float("inf"))
    return bool(torch.isfinite(torch.stack(norms)).all())
