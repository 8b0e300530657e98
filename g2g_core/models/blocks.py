"""Layers that FUNIT's generator and discriminator share.

Modules have the names of FUNIT's state dicts.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from g2g_core.models.reflected_conv import reflected_conv
from g2g_core.models.upsample_conv import upsample_conv

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "none": None}
EPS = 1e-5


class ConvBlock(nn.Module):
    """Reflection padding, convolution, instance norm or AdaIN, activation.

    Args:
        narrow: input channels.
        wide: output channels.
        kernel: side of the kernel.
        stride: stride of the convolution.
        padding: reflected pixels on each side.
        norm: `none`, `instance` (no parameters, no running statistics), or `adain`.
        activation: one of `ACTIVATIONS`.
        doubled: whether the input is doubled first (nearest neighbor); for kernel 5, stride 1, and
            padding 2 only.
    """

    def __init__(
        self,
        narrow: int,
        wide: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        norm: str = "none",
        activation: str = "relu",
        doubled: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(narrow, wide, kernel, stride)
        self.doubled = doubled
        self.padding = padding
        self.norm = norm
        self.activation = ACTIVATIONS[activation]

    def forward(self, values: Tensor, adain: Tensor | None = None) -> Tensor:
        """Return (B, wide, H', W') for (B, narrow, H, W); with `doubled`, H' = 2H and W' = 2W.

        Args:
            values: the input.
            adain: (B, 2 * wide), biases and then scales; for the norm `adain` only.
        """
        if self.doubled:
            values = upsample_conv(values, self.conv.weight, self.conv.bias)
        else:
            values = reflected_conv(values, self.conv, self.padding)
        if self.norm == "instance":
            values = functional.instance_norm(values, eps=EPS)
        elif adain is not None:
            values = adaptive_instance_norm(values, adain)
        return values if self.activation is None else self.activation(values)


class ResidualBlock(nn.Module):
    """The sum x + f(x), where f is two 3 × 3 convolutions with norm.

    ReLU follows the first convolution; no activation follows the sum.
    """

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        first = ConvBlock(channels, channels, 3, 1, 1, norm, "relu")
        second = ConvBlock(channels, channels, 3, 1, 1, norm, "none")
        self.model = nn.ModuleList([first, second])

    def forward(
        self, values: Tensor, adain: tuple[Tensor, Tensor] | tuple[None, None] = (None, None)
    ) -> Tensor:
        """Return (B, channels, H, W) for the same shape.

        Args:
            values: the input.
            adain: the parameters of the two norms, see `ConvBlock`.
        """
        first, second = self.model
        result: Tensor = values + second(first(values, adain[0]), adain[1])
        return result


class ResidualBlocks(nn.Module):
    """A chain of residual blocks of the same width."""

    def __init__(self, blocks: int, channels: int, norm: str) -> None:
        super().__init__()
        self.model = nn.ModuleList(ResidualBlock(channels, norm) for _ in range(blocks))

    def forward(self, values: Tensor, adain: Tensor | None = None) -> Tensor:
        """Return (B, channels, H, W) for the same shape.

        Args:
            values: the input.
            adain: (B, 2 * blocks * 2 * channels), in the order of the layers.
        """
        if adain is None:
            for block in self.model:
                values = block(values)
            return values
        layers = adain.chunk(2 * len(self.model), dim=1)
        for block, first, second in zip(self.model, layers[::2], layers[1::2], strict=True):
            values = block(values, (first, second))
        return values


class LinearBlock(nn.Module):
    """A dense layer, with ReLU or without."""

    def __init__(self, narrow: int, wide: int, activation: str = "relu") -> None:
        super().__init__()
        self.fc = nn.Linear(narrow, wide)
        self.activation = ACTIVATIONS[activation]

    def forward(self, values: Tensor) -> Tensor:
        """Return (B, wide) for (B, narrow)."""
        values = self.fc(values)
        return values if self.activation is None else self.activation(values)


def adaptive_instance_norm(values: Tensor, parameters: Tensor) -> Tensor:
    """Return each image's channels at mean 0 and variance 1, then scaled and shifted.

    This is AdaIN (arXiv 1703.06868).

    Args:
        values: (B, C, H, W).
        parameters: (B, 2C): C biases, then C scales, which are used as they are (no 1 + scale).
    """
    bias, scale = parameters.chunk(2, dim=1)
    # Batch norm over one image of B * C channels has the statistics per image and channel.
    flat = values.reshape(1, -1, *values.shape[2:])
    result = functional.batch_norm(
        flat,
        None,
        None,
        scale.reshape(-1).to(flat.dtype),
        bias.reshape(-1).to(flat.dtype),
        training=True,
        eps=EPS,
    )
    return result.view_as(values)


def stop_where_flat(result: Tensor, source: Tensor) -> Tensor:
    """Return a result without gradient for the entries that come from flat maps.

    A flat map has the same value at every pixel, such as a blank image or its content code. Norms
    leave nothing of it but rounding errors, yet each one multiplies its gradient by up to
    1 / sqrt(EPS), which is 316. A dozen of them in a row overflow float32. No other entry changes
    by a single bit.

    Args:
        result: (B, ...).
        source: (B, C, H, W), what the result was computed from.
    """
    if not result.requires_grad:
        return result
    with torch.no_grad():
        flat = (source.amax((2, 3)) == source.amin((2, 3))).all(1)
    return torch.where(flat.view(-1, *(1,) * (result.dim() - 1)), result.detach(), result)


def kaiming_start(module: nn.Module) -> None:
    """Set FUNIT's initial weights in a module; use it with `Module.apply`.

    Weights are Kaiming normal over the inputs with gain sqrt(2), and biases are 0.
    """
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, sqrt(2 / module.weight[0].numel()))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
