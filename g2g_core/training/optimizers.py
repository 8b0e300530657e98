"""Optimizers and the running average of the generator."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer, RMSprop

from g2g_core.config import TrialConfig

OPTIMIZERS = ("rmsprop", "adam")


def make_optimizer(config: TrialConfig, network: nn.Module, rate: float) -> Optimizer:
    """The config's optimizer over the trainable parameters of a network, in the order of
    `named_parameters`.

    RMSprop as FUNIT sets it (alpha 0.99, eps 1e-8, no momentum), or Adam with betas 0.9 and 0.999.
    Weight decay is added to the gradient in both.

    Raises:
        ValueError: an unknown name.
    """
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if config.optimizer == "rmsprop":
        return RMSprop(parameters, rate, alpha=0.99, eps=1e-8, weight_decay=config.weight_decay)
    if config.optimizer == "adam":
        return Adam(parameters, rate, (0.9, 0.999), weight_decay=config.weight_decay)
    raise ValueError(f"optimizer: {config.optimizer!r} is not one of {', '.join(OPTIMIZERS)}")


@torch.no_grad()
def update_average(average: nn.Module, generator: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * generator over the parameters; buffers are copied.

    FUNIT's generator has no buffers; those of others are running statistics, which are averages
    already.
    """
    kept: list[Tensor] = list(average.parameters())
    torch._foreach_mul_(kept, decay)
    torch._foreach_add_(kept, list(generator.parameters()), alpha=1 - decay)
    for mine, theirs in zip(average.buffers(), generator.buffers(), strict=True):
        mine.copy_(theirs)


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """L2 norm of all gradients together, a scalar; not finite if any of them is not."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return torch.zeros(())
    norms: Tensor = torch.stack(torch._foreach_norm(gradients)).norm()
    return norms
