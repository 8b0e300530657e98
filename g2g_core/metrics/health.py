"""Training health: the discriminator's success, the pull of each loss, and the size of updates."""

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn


def gradient_shares(
    weighted: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]
) -> dict[str, float]:
    """Return how much each loss term pulls: its gradient norm over the sum of all norms.

    Args:
        weighted: term -> its weighted value, still with its graph. The `.grad` of the parameters
            stays as it is.
        parameters: the generator's parameters.

    Returns:
        `health/gradient_share_<term>`; the shares sum to 1, or are all 0 if no term has a gradient.
    """
    squares = {name: _squared_gradients(value, parameters) for name, value in weighted.items()}
    numbers = iter(_numbers(square for each in squares.values() for square in each))
    norms = {name: math.sqrt(sum(next(numbers) for _ in each)) for name, each in squares.items()}
    total = sum(norms.values())
    return {
        f"health/gradient_share_{name}": norm / total if total else 0.0
        for name, norm in norms.items()
    }


def verdict_accuracies(real: Tensor, fake: Tensor, boundary: float) -> dict[str, float]:
    """Return the shares of the discriminator's verdicts that are right.

    Args:
        real: verdicts on real images, of any shape.
        fake: verdicts on mixed images, of any shape.
        boundary: verdicts from this value on mean real: 0 for hinge, cross entropy, and
            Wasserstein, 0.5 for least squares.

    Returns:
        `health/d_real_accuracy` and `health/d_fake_accuracy`. With 1 and 1 the generator has lost;
        with 0.5 and 0.5 both networks are even.
    """
    shares = ((real >= boundary).double().mean(), (fake < boundary).double().mean())
    right_on_real, right_on_fake = _numbers(shares)
    return {"health/d_real_accuracy": right_on_real, "health/d_fake_accuracy": right_on_fake}


def update_ratio(before: Iterable[Tensor], after: Iterable[Tensor]) -> float:
    """Return the norm of an update over the norm of the weights before it.

    Values of about 1e-3 are usual.
    """
    squares = []
    for old, new in zip(before, after, strict=True):
        squares += [_squared(new.detach() - old), _squared(old)]
    numbers = _numbers(squares)
    moved, total = sum(numbers[::2]), sum(numbers[1::2])
    return (moved / total) ** 0.5 if total else 0.0


def _squared_gradients(value: Tensor, parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """Return the sum of squares of the gradient by each parameter that has one."""
    if not value.requires_grad:
        return []
    gradients = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    return [_squared(gradient) for gradient in gradients if gradient is not None]


def _squared(values: Tensor) -> Tensor:
    return values.double().square().sum()


def _numbers(scalars: Iterable[Tensor]) -> list[float]:
    """Return scalars as numbers, in one transfer, since each would wait for the device."""
    stacked = list(scalars)
    numbers: list[float] = torch.stack(stacked).tolist() if stacked else []
    return numbers
