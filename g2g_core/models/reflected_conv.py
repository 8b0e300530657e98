"""Convolution of an image padded by reflection, in the fastest of several ways.

Torch's own way is wasteful for small batches on a CPU. There, the same sum is taken in another
order, with the same result but for rounding:

- 1 × 1 kernels: one matrix product per image, or one for all images if they are small.
- 3 × 3 kernels on 2 × 2 pixels: reflection makes the convolution circular. In the transformed
  domain (Walsh-Hadamard), sums and differences of pixels are multiplied by sums and differences of
  taps. This takes a ninth of the multiplications.
- Up to four output channels, as for the final image: four neighboring pixels are computed as four
  channels, since a CPU computes sixteen channels in the time of three.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from g2g_core.models.padding import reflect

FEW = 4
"""Largest number of output channels for which neighboring pixels are computed together."""

SMALL = 64
"""Number of pixels of a map below which one product serves all images."""


def reflected_conv(values: Tensor, conv: nn.Conv2d, padding: int) -> Tensor:
    """Return the convolution of values that are padded by reflection.

    Args:
        values: (B, C, H, W), with H and W larger than `padding`.
        conv: from C to O channels, with a square kernel, and without padding, dilation, or groups.
        padding: reflected pixels on each side.

    Returns:
        (B, O, H', W'), as from the padded convolution.
    """
    weight, bias = conv.weight, conv.bias
    kernel, stride = weight.shape[-1], conv.stride[0]
    if stride == 1 and kernel == 1 and not padding:
        return _pixels(values, weight, bias)
    if stride == 1 and kernel == 3 and padding == 1 and values.shape[2:] == (2, 2):
        return _two_by_two(values, weight, bias)

    padded = reflect(values, padding) if padding else values
    even_result = not (padded.shape[2] - kernel + 1) % 2 and not (padded.shape[3] - kernel + 1) % 2
    if stride == 1 and len(weight) <= FEW and even_result:
        return _four_at_once(padded, weight, bias)
    return conv(padded)  # type: ignore[no-any-return]


def _pixels(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a 1 × 1 convolution, computed as matrix products."""
    matrix, size = weight.flatten(1), values.shape[2:]
    if size.numel() < SMALL:
        result = (
            (matrix @ values.transpose(0, 1).flatten(1))
            .view(-1, len(values), *size)
            .transpose(0, 1)
        )
    else:
        result = (
            matrix.expand(len(values), -1, -1).bmm(values.flatten(2)).view(len(values), -1, *size)
        )
    return result if bias is None else result + bias[:, None, None]


def _two_by_two(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a 3 × 3 convolution of 2 × 2 pixels, computed in the transformed domain.

    From a pixel, the middle tap falls on the pixel itself and both outer taps on the other one, in
    each direction. So the sum of two pixels is multiplied by the sum of the taps, and their
    difference by the middle tap minus the outer taps.
    """
    (batch, narrow), wide = values.shape[:2], len(weight)
    taps, pixels = _transforms(weight.dtype, weight.device)
    kernels = (taps @ weight.reshape(wide * narrow, 9).T).view(4, wide, narrow)
    spectrum = (pixels @ values.reshape(batch * narrow, 4).T).view(4, batch, narrow)
    products = (spectrum @ kernels.transpose(1, 2)).view(4, batch * wide)
    result = (products.T @ (pixels / 4)).view(batch, wide, 2, 2)
    return result if bias is None else result + bias[:, None, None]


@cache
def _transforms(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the transforms of 3 × 3 taps, (4, 9), and of 2 × 2 pixels, (4, 4).

    They are made once, since a tensor that comes from the host makes a GPU wait.
    """
    taps = torch.tensor([[1, 1, 1], [-1, 1, -1]], dtype=dtype, device=device)
    pixels = torch.tensor([[1, 1], [1, -1]], dtype=dtype, device=device)
    return torch.kron(taps, taps), torch.kron(pixels, pixels)


def _four_at_once(padded: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a convolution to even height and width, with 2 × 2 pixels as four channels.

    The convolution has stride 2, and its kernel is at the four places of each 2 × 2 pixels. An odd
    kernel at one of two places in each direction covers one pixel more.
    """
    places = [
        functional.pad(weight, (right, 1 - right, down, 1 - down))
        for down in (0, 1)
        for right in (0, 1)
    ]
    kernels = torch.stack(places, 1).flatten(0, 1)
    biases = None if bias is None else bias.repeat_interleave(4)
    return functional.pixel_shuffle(functional.conv2d(padded, kernels, biases, stride=2), 2)
