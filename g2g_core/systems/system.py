"""What the training loop asks of a system, and what a checkpoint of one holds."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from g2g_core.checkpoints.checkpoint_file import CheckpointError, Part, Saved

Values = dict[str, Tensor]
"""Name -> scalar on the networks' device."""

DTYPES = {"float32": torch.float32, "float64": torch.float64}
"""Precision -> dtype of weights and images."""

OPTIMIZERS = "optimizers"
"""Part of a checkpoint that holds the states of all optimizers."""


@dataclass
class Measured:
    """The result of an evaluation.

    Attributes:
        values: `metric/<name>` -> number.
        images: row of the figure -> (2P, 3, H, W) in [-1, 1] on the CPU.
        not_applicable: metric -> why the system can't have it at this step.
    """

    values: dict[str, float] = field(default_factory=dict)
    images: dict[str, Tensor] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)


class System(ABC):
    """A system in training, with everything that a step changes.

    A step is a pure function of the modules, the optimizers, and the number of completed steps.
    Therefore a run that resumes from a checkpoint ends with identical bits.

    Attributes:
        modules: name -> module whose parameters and buffers a checkpoint keeps.
        optimizers: name -> a module and the optimizer of its parameters.
    """

    modules: Mapping[str, nn.Module]
    optimizers: Mapping[str, tuple[nn.Module, Optimizer]]

    @abstractmethod
    def step(self, step: int) -> Values:
        """Take the step that follows `step` completed ones, and return its losses and norms."""

    @abstractmethod
    def evaluate(self, step: int) -> Measured:
        """Return the metrics and images after `step` completed steps; changes nothing."""

    @abstractmethod
    def recorded(self) -> tuple[str, ...]:
        """Return the names of the metrics that a run records."""

    @abstractmethod
    def digests(self) -> dict[str, str]:
        """Return digests of `data`, `data_order`, and `eval_pairs`."""

    def facts(self) -> dict[str, Any]:
        """Return JSON-ready facts that a checkpoint keeps, such as the names of attributes."""
        return {}

    def parts(self) -> dict[str, Part]:
        """Return part -> name -> tensor, the live ones, as a checkpoint holds them."""
        parts: dict[str, Part] = {
            name: dict(module.state_dict()) for name, module in self.modules.items()
        }
        parts[OPTIMIZERS] = {
            f"{name}/{parameter}/{key}": state
            for name, (module, optimizer) in self.optimizers.items()
            for parameter, value in module.named_parameters()
            for key, state in optimizer.state.get(value, {}).items()
        }
        return parts

    def restore(self, saved: Saved) -> None:
        """Put all modules and optimizers back as a checkpoint of the same run holds them.

        Raises:
            CheckpointError: the checkpoint is of other networks.
        """
        for name, module in self.modules.items():
            try:
                module.load_state_dict(dict(saved.parts.get(name, {})))
            except RuntimeError as error:
                line = " ".join(str(error).split())[:200]
                raise CheckpointError(f"{saved.path}: {name} does not fit: {line}") from error

        states = saved.parts.get(OPTIMIZERS, {})
        for name, (module, optimizer) in self.optimizers.items():
            for parameter, value in module.named_parameters():
                prefix = f"{name}/{parameter}/"
                entry = {
                    key.removeprefix(prefix): state.clone()
                    for key, state in states.items()
                    if key.startswith(prefix)
                }
                # A parameter that was never updated has no state.
                if entry:
                    optimizer.state[value] = {
                        # Adam counts its steps on the CPU.
                        key: state if key == "step" else state.to(value.device)
                        for key, state in entry.items()
                    }


def minimize(total: Tensor, module: nn.Module, optimizer: Optimizer, clip: float = 0.0) -> Tensor:
    """Take one optimizer step on the gradient of `total` by the parameters of a module alone.

    Args:
        total: scalar to minimize.
        module: the module whose parameters the optimizer has; those that `total` does not depend
            on stay without a gradient.
        optimizer: of these parameters.
        clip: largest L2 norm of the whole gradient; 0 clips nothing.

    Returns:
        The L2 norm of the gradient before clipping.
    """
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total, inputs=trained)
    gradients = [parameter.grad for parameter in trained if parameter.grad is not None]
    norm: Tensor = torch.stack(torch._foreach_norm(gradients)).norm()
    if clip:
        torch._foreach_mul_(gradients, (clip / (norm + 1e-6)).clamp(max=1.0))
    optimizer.step()
    return norm
