"""Distances between two stacks of images in [-1, 1].

PSNR and SSIM are those of torchmetrics at a data range of 2.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, instance_norm

DATA_RANGE = 2.0
PSNR_CAP = 100.0
SSIM_SIGMA = 1.5
SSIM_RADIUS = 5


def l1(images: Tensor, targets: Tensor) -> float:
    """Return the mean absolute difference of two (N, 3, H, W) stacks: 0 (identical) to 2."""
    return float((images - targets).abs().mean())


def rms(values: Tensor, targets: Tensor) -> float:
    """Return the root mean square difference of two stacks of the same shape."""
    return float((values - targets).square().mean().sqrt())


def psnr(images: Tensor, targets: Tensor) -> float:
    """Return the peak signal-to-noise ratio of two (N, 3, H, W) stacks in dB.

    It is 10 log10(2^2 / MSE), averaged over the images. The value of an image is at most 100 dB, so
    that identical images have a finite value.
    """
    error = (images - targets).square().mean(dim=(1, 2, 3))
    return float((10 * torch.log10(DATA_RANGE**2 / error)).clamp(max=PSNR_CAP).mean())


def ssim(images: Tensor, targets: Tensor) -> float:
    """Return the structural similarity of two (N, 3, H, W) stacks: -1 to 1 (identical).

    It is averaged over the images (Wang et al. 2004). The Gaussian window has 11 pixels and sigma
    1.5, images are reflected at their borders, and the constants are k1 0.01 and k2 0.03.
    """
    c1, c2 = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2
    stacked = torch.cat([images, targets, images * images, targets * targets, images * targets])
    mean_x, mean_y, xx, yy, xy = _blurred(stacked).chunk(5)

    var_x, var_y = (xx - mean_x**2).clamp(min=0), (yy - mean_y**2).clamp(min=0)
    covariance = xy - mean_x * mean_y

    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((likeness / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def edges(images: Tensor) -> Tensor:
    """Return where the contours of images are, whatever their colors.

    The strength of a contour is the size of the color gradient (differences of neighboring pixels),
    averaged over squares. The squares are an eighth of the side wide and half a square apart.

    Args:
        images: (N, 3, H, W).

    Returns:
        (N, 1, h, w), for each image with mean 0 and spread 1.
    """
    right, down = images.diff(dim=3)[:, :, 1:], images.diff(dim=2)[:, :, :, 1:]
    strength = (right.square() + down.square()).sum(dim=1, keepdim=True).sqrt()
    side = max(images.shape[-1] // 8, 2)
    return instance_norm(avg_pool2d(strength, side, side // 2))


def _blurred(images: Tensor) -> Tensor:
    """Return (N, C, H, W) images averaged under the window.

    Rows and columns are products with matrices, one after the other.
    """
    rows, columns = (_window(side).to(images) for side in images.shape[-2:])
    return rows @ images @ columns.T


@cache
def _window(side: int) -> Tensor:
    """Return the (side, side) matrix of the window: row i holds the weights around pixel i.

    Weights outside the image are reflected into it.
    """
    offsets = torch.arange(-SSIM_RADIUS, SSIM_RADIUS + 1, dtype=torch.float64)
    weights = torch.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    weights = weights / weights.sum()

    matrix = torch.zeros(side, side, dtype=torch.float64)
    for pixel in range(side):
        for offset, weight in zip(offsets.long().tolist(), weights.tolist(), strict=True):
            column = abs(pixel + offset)
            matrix[pixel, column if column < side else 2 * (side - 1) - column] += weight
    return matrix
