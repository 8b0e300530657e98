"""Reflection padding, with gradients that a GPU can add in a fixed order.

Torch's own gradient of reflection padding uses atomic additions on a GPU, whose order changes from
run to run. It is the only operation of a training step that torch refuses in its deterministic
mode. There, the border is folded back by slices instead. Both have the same second derivatives,
which gradient penalties need.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def reflect(values: Tensor, padding: int) -> Tensor:
    """Return maps padded by reflection on all sides.

    Args:
        values: (B, C, L) or (B, C, H, W), with sides larger than `padding`.
        padding: reflected pixels on each side.
    """
    if values.device.type != "cpu" and torch.are_deterministic_algorithms_enabled():
        return folded(values, padding)
    return functional.pad(values, (padding,) * 2 * (values.dim() - 2), mode="reflect")


def folded(values: Tensor, padding: int) -> Tensor:
    """Return what `reflect` does, with gradients by slices on any device."""
    return _Pad.apply(values, padding)  # type: ignore[no-any-return]


class _Pad(torch.autograd.Function):
    """Reflection padding, whose adjoint is `_Fold`."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, padding: int) -> Tensor:
        """Return the padded maps."""
        ctx.padding = padding
        return functional.pad(values, (padding,) * 2 * (values.dim() - 2), mode="reflect")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the maps."""
        return _Fold.apply(gradients[0], ctx.padding), None


class _Fold(torch.autograd.Function):
    """The adjoint of the padding: the border is added to the pixels that it mirrors."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, padding: int) -> Tensor:
        """Return maps of the size without the border."""
        ctx.padding = padding
        for side in range(2, padded.dim()):
            size = padded.shape[side] - 2 * padding
            inner = padded.narrow(side, padding, size).clone()
            before = padded.narrow(side, 0, padding).flip(side)
            after = padded.narrow(side, padding + size, padding).flip(side)
            inner.narrow(side, 1, padding).add_(before)
            inner.narrow(side, size - 1 - padding, padding).add_(after)
            padded = inner
        return padded

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the padded maps."""
        return _Pad.apply(gradients[0], ctx.padding), None
