"""Convolution of an image padded by reflection, by the way that costs least; equal numbers
whichever way.

Where torch's own way is wasteful (small batches on a processor), the same sum is taken in another
order:

- 1x1 kernels: a matrix product per image, or one for all images where they are small.
- 3x3 kernels on 2x2 pixels: reflection makes the convolution circular, so sums and differences of
  pixels (Walsh-Hadamard transform) meet sums and differences of taps alone: a ninth of the
  multiplications.
- up to four output channels, as where an image is made: four neighbouring pixels are computed as
  four channels, since a processor computes sixteen channels at the price of three.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

FEW = 4
"""Output channels up to which neighbouring pixels are computed together."""
SMALL = 64
"""Pixels of a map below which one product is made for all images."""


def reflected_conv(values: Tensor, conv: nn.Conv2d, padding: int) -> Tensor:
    """`conv` of `values` padded by reflection.

    Args:
        values: (B, C, H, W), H and W more than `padding`.
        conv: C to O channels, square kernel; without padding, dilation and groups of its own.
        padding: reflected pixels on each side.

    Returns:
        (B, O, H', W'), as the padded convolution would give.
    """
    weight, bias = conv.weight, conv.bias
    kernel, stride = weight.shape[-1], conv.stride[0]
    if stride == 1 and kernel == 1 and not padding:
        return _pixels(values, weight, bias)
    if stride == 1 and kernel == 3 and padding == 1 and values.shape[2:] == (2, 2):
        return _two_by_two(values, weight, bias)
    padded = functional.pad(values, (padding,) * 4, mode="reflect") if padding else values
    even_result = not (padded.shape[2] - kernel + 1) % 2 and not (padded.shape[3] - kernel + 1) % 2
    if stride == 1 and len(weight) <= FEW and even_result:
        return _four_at_once(padded, weight, bias)
    return conv(padded)  # type: ignore[no-any-return]


def _pixels(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1x1 convolution as matrix products."""
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
    """A 3x3 convolution of 2x2 pixels in the transformed domain.

    From a pixel, the middle tap falls on the pixel itself and both outer taps on the other one, in
    each direction. So the sum of two pixels is multiplied by the sum of the taps, their difference
    by middle minus outer taps.
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
    """Of 3x3 taps, (4, 9), and of 2x2 pixels, (4, 4); made once, since a tensor from the host makes
    a GPU wait."""
    taps = torch.tensor([[1, 1, 1], [-1, 1, -1]], dtype=dtype, device=device)
    pixels = torch.tensor([[1, 1], [1, -1]], dtype=dtype, device=device)
    return torch.kron(taps, taps), torch.kron(pixels, pixels)


def _four_at_once(padded: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A convolution to even height and width, at stride 2 with the kernel at the four places of
    each 2x2 pixels.

    An odd kernel at one of two places in each direction covers one pixel more.
    """
    places = [
        functional.pad(weight, (right, 1 - right, down, 1 - down))
        for down in (0, 1)
        for right in (0, 1)
    ]
    kernels = torch.stack(places, 1).flatten(0, 1)
    biases = None if bias is None else bias.repeat_interleave(4)
    return functional.pixel_shuffle(functional.conv2d(padded, kernels, biases, stride=2), 2)
