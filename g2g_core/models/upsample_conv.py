"""Doubling an image and convolving it by 5x5, without the doubled image: a third of the operations,
equal numbers.

After nearest-neighbour doubling a 5x5 kernel sees only 3x3 different pixels. Which of its taps fall
on one depends on whether row and column are even or odd, so four 3x3 kernels, sums of taps, give
the four quarters of the result.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

TAPS = (((0, 1), (2, 3), (4,)), ((0,), (1, 2), (3, 4)))
"""Even and odd places -> the taps that fall on the pixel before, at, and after."""


def upsample_conv(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Nearest-neighbour doubling, reflection padding by 2, convolution by 5x5.

    Padding the small image by its border pixels is reflection but for the outermost ring of the
    doubled and padded image; the difference there, convolved by the kernel's outermost taps, is
    added to the border of the result.

    Args:
        values: (B, C, H, W), H and W at least 2.
        weight: (O, C, 5, 5).
        bias: (O,).

    Returns:
        (B, O, 2H, 2W).
    """
    taps = _taps(weight.dtype, weight.device)
    kernels = torch.einsum("pai,qbj,ocij->opqcab", taps, taps, weight).flatten(0, 2)
    quarters = None if bias is None else bias.repeat_interleave(4)
    result = functional.conv2d(
        functional.pad(values, (1, 1, 1, 1), mode="replicate"), kernels, quarters
    )
    result = functional.pixel_shuffle(result, 2)
    # In place: convolution and shuffle need their results for no gradient.
    result[:, :, 0] += _line(values[:, :, 1] - values[:, :, 0], weight[:, :, 0], "reflect")
    result[:, :, -1] += _line(values[:, :, -2] - values[:, :, -1], weight[:, :, 4], "reflect")
    result[..., 0] += _line(values[..., 1] - values[..., 0], weight[..., 0], "replicate")
    result[..., -1] += _line(values[..., -2] - values[..., -1], weight[..., 4], "replicate")
    return result


@cache
def _taps(dtype: torch.dtype, device: torch.device) -> Tensor:
    """`TAPS` as (2, 3, 5), 0 or 1; made once, since a tensor from the host makes a GPU wait."""
    return torch.tensor(
        [[[tap in group for tap in range(5)] for group in groups] for groups in TAPS],
        dtype=dtype,
        device=device,
    )


def _line(line: Tensor, weight: Tensor, padding: str) -> Tensor:
    """What a side of the ring, (B, C, L) before doubling, adds to the border: (B, O, 2L).

    Rows are padded as the doubled image is, by reflection, and so hold the corners; columns hold
    none, and their ends are those of the replicated image.
    """
    doubled = functional.pad(line.repeat_interleave(2, -1), (2, 2), mode=padding)
    return functional.conv1d(doubled, weight)
