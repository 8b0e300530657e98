"""Distances between two stacks of images in [-1, 1]; equal to torchmetrics' at a data range of
2."""

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, instance_norm

DATA_RANGE = 2.0
PSNR_CAP = 100.0
SSIM_SIGMA = 1.5
SSIM_RADIUS = 5


def l1(images: Tensor, targets: Tensor) -> float:
    """Mean absolute difference of two (N, 3, H, W) stacks: 0 (equal) to 2."""
    return float((images - targets).abs().mean())


def rms(values: Tensor, targets: Tensor) -> float:
    """Root mean square difference of two stacks of one shape."""
    return float((values - targets).square().mean().sqrt())


def psnr(images: Tensor, targets: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(2^2 / MSE), mean over images of (N, 3, H, W)
    stacks.

    An image's value is cut at 100 dB, so that equal images give a number.
    """
    error = (images - targets).square().mean(dim=(1, 2, 3))
    return float((10 * torch.log10(DATA_RANGE**2 / error)).clamp(max=PSNR_CAP).mean())


def ssim(images: Tensor, targets: Tensor) -> float:
    """Structural similarity (Wang et al. 2004), mean over (N, 3, H, W) stacks: -1 to 1 (equal).

    Gaussian window of 11 px and sigma 1.5, images reflected at their borders; k1 0.01, k2 0.03.
    """
    c1, c2 = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2
    stacked = torch.cat([images, targets, images * images, targets * targets, images * targets])
    mean_x, mean_y, xx, yy, xy = _blurred(stacked).chunk(5)
    var_x, var_y = (xx - mean_x**2).clamp(min=0), (yy - mean_y**2).clamp(min=0)
    covariance = xy - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((likeness / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def edges(images: Tensor) -> Tensor:
    """Where the contours are, whatever their colours: (N, 3, H, W) -> (N, 1, h, w), mean 0 and
    spread 1 an image.

    The size of the colour gradient (differences of neighbouring pixels), averaged over squares of
    an eighth of the side, half a square apart.
    """
    right, down = images.diff(dim=3)[:, :, 1:], images.diff(dim=2)[:, :, :, 1:]
    strength = (right.square() + down.square()).sum(dim=1, keepdim=True).sqrt()
    side = max(images.shape[-1] // 8, 2)
    return instance_norm(avg_pool2d(strength, side, side // 2))


def _blurred(images: Tensor) -> Tensor:
    """(N, C, H, W) under the window, rows and columns in turn, as products of matrices."""
    rows, columns = (_window(side).to(images) for side in images.shape[-2:])
    return rows @ images @ columns.T


@cache
def _window(side: int) -> Tensor:
    """(side, side): row i holds the window around pixel i, what lies outside reflected into the
    image."""
    places = torch.arange(-SSIM_RADIUS, SSIM_RADIUS + 1, dtype=torch.float64)
    weights = torch.exp(-(places**2) / (2 * SSIM_SIGMA**2))
    weights = weights / weights.sum()
    matrix = torch.zeros(side, side, dtype=torch.float64)
    for pixel in range(side):
        for place, weight in zip(places.long().tolist(), weights.tolist(), strict=True):
            inside = abs(pixel + place)
            matrix[pixel, inside if inside < side else 2 * (side - 1) - inside] += weight
    return matrix
