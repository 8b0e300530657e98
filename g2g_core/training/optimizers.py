"""Optimizers and the running average of the generator."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer, RMSprop

from g2g_core.config import TrialConfig

OPTIMIZERS = ("rmsprop", "adam")


def make_optimizer(config: TrialConfig, network: nn.Module, rate: float) -> Optimizer:
    """Return the config's optimizer over the trainable parameters of a network.

    RMSprop has the values of FUNIT (alpha 0.99, eps 1e-8, no momentum), Adam has betas 0.9 and
    0.999. Both add weight decay to the gradient. The parameters are in the order of
    `named_parameters`.

    Args:
        config: its `optimizer` and `weight_decay`.
        network: the network to train.
        rate: learning rate.

    Raises:
        ValueError: an unknown optimizer.
    """
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if config.optimizer == "rmsprop":
        return RMSprop(parameters, rate, alpha=0.99, eps=1e-8, weight_decay=config.weight_decay)
    if config.optimizer == "adam":
        return Adam(parameters, rate, (0.9, 0.999), weight_decay=config.weight_decay)
    raise ValueError(f"optimizer: {config.optimizer!r} is not one of {', '.join(OPTIMIZERS)}")


@torch.no_grad()
def update_average(average: nn.Module, generator: nn.Module, decay: float) -> None:
    """Set average to decay * average + (1 - decay) * generator over the parameters.

    Buffers are copied. FUNIT's generator has none. Those of other generators are running
    statistics, which are averages already.
    """
    averages: list[Tensor] = list(average.parameters())
    torch._foreach_mul_(averages, decay)
    torch._foreach_add_(averages, list(generator.parameters()), alpha=1 - decay)
    for averaged, current in zip(average.buffers(), generator.buffers(), strict=True):
        averaged.copy_(current)


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return the L2 norm of all gradients, a scalar; not finite if any gradient is not."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return torch.zeros(())
    norms: Tensor = torch.stack(torch._foreach_norm(gradients)).norm()
    return norms
