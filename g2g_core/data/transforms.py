"""From stored pixels to the images of a step: crop, flip, range."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pixels = NDArray[np.uint8]


def to_range(pixels: Tensor) -> Tensor:
    """uint8 pixels as float32 in [-1, 1]: 0 is -1, 255 is 1 (FUNIT's normalisation with mean and
    spread 0.5)."""
    return pixels.float().div_(127.5).sub_(1.0)


def crop(images: Sequence[Pixels], size: int, places: NDArray[np.float64]) -> Pixels:
    """Squares cut from (H, W, C) images or masks.

    Args:
        images: N images, each at least `size` high and wide.
        size: side of the square, pixels.
        places: (N, 3): row and column of the square as a share in [0, 1] of the room that is left,
            and whether the square is mirrored left to right (above 0.5).

    Returns:
        (N, C, size, size).
    """
    out = np.empty((len(images), images[0].shape[2], size, size), dtype=np.uint8)
    for i, (image, (row, column, mirrored)) in enumerate(zip(images, places, strict=True)):
        top = _position(row, image.shape[0] - size)
        left = _position(column, image.shape[1] - size)
        square = image[top : top + size, left : left + size]
        out[i] = (square[:, ::-1] if mirrored > 0.5 else square).transpose(2, 0, 1)
    return out


def centre(n: int) -> NDArray[np.float64]:
    """Places for `crop`: the centre square of each of N images, not mirrored."""
    return np.tile(np.array([0.5, 0.5, 0.0]), (n, 1))


def to_tensor(pixels: Pixels) -> Tensor:
    """(N, 3, H, W) uint8 as a float32 tensor in [-1, 1]."""
    return to_range(torch.from_numpy(pixels))


def _position(share: float, room: int) -> int:
    """The pixel at a share of the room: shares uniform in [0, 1) give each of the room + 1
    positions equally often."""
    return room // 2 if share == 0.5 else min(int(share * (room + 1)), room)
