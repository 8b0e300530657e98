"""Training health: who wins, what pulls at the generator, how far it moves."""

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn


def gradient_shares(
    weighted: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]
) -> dict[str, float]:
    """How much each term pulls: norm of its gradient over the sum of all terms' norms.

    Args:
        weighted: term -> its weighted value, still with its graph; what it does to `parameters` is
            measured, their `.grad` is left alone.
        parameters: the generator's.

    Returns:
        `health/gradient_share_<term>`; the shares sum to 1, or are all 0 where nothing pulls.
    """
    norms = {name: _gradient_norm(value, parameters) for name, value in weighted.items()}
    total = sum(norms.values())
    return {
        f"health/gradient_share_{name}": norm / total if total else 0.0
        for name, norm in norms.items()
    }


def verdict_accuracies(real: Tensor, fake: Tensor, boundary: float) -> dict[str, float]:
    """Share of the discriminator's answers that are right.

    Args:
        real: its verdicts on real images, any shape.
        fake: its verdicts on mixed images.
        boundary: what is at least this is called real: 0 for hinge, cross entropy and Wasserstein,
            0.5 for least squares.

    Returns:
        `health/d_real_accuracy` and `health/d_fake_accuracy`: 1 and 1: the generator is lost; 0.5
        and 0.5: even.
    """
    return {
        "health/d_real_accuracy": float((real >= boundary).double().mean()),
        "health/d_fake_accuracy": float((fake < boundary).double().mean()),
    }


def update_ratio(before: Iterable[Tensor], after: Iterable[Tensor]) -> float:
    """Norm of what an update changed over the norm of the weights before it; about 1e-3 is
    usual."""
    moved = norm = 0.0
    for old, new in zip(before, after, strict=True):
        moved += float((new.detach() - old).double().square().sum())
        norm += float(old.double().square().sum())
    return (moved / norm) ** 0.5 if norm else 0.0


def _gradient_norm(value: Tensor, parameters: Sequence[nn.Parameter]) -> float:
    if not value.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    squares = [float(one.double().square().sum()) for one in gradients if one is not None]
    return math.sqrt(sum(squares))
