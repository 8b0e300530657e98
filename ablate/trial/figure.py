"""Writes the paper's figure of one evaluation as a PNG.

Its rows are real, mixed, and reconstructed images. Its columns are the images of pair after pair.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.disk import atomic

# The driver process imports this module but needs neither torch, which takes 500 MB, nor Pillow.
if TYPE_CHECKING:
    from torch import Tensor

ROWS = ("real", "mixed", "full_recon")
"""Names of the images that are shown, from top to bottom."""
MAX_PAIRS = 8
"""Most pairs that a figure shows."""


def layout(images: "Mapping[str, Tensor]") -> dict[str, Any]:
    """Return facts about the figure for trial.json.

    These are the names of the rows, the number of columns, and the side of a tile in pixels.
    """
    rows = [name for name in ROWS if name in images]
    first = images[rows[0]]
    return {
        "rows": rows,
        "columns": 2 * min(len(first) // 2, MAX_PAIRS),
        "tile_px": first.shape[-1],
    }


def save(images: "Mapping[str, Tensor]", path: Path) -> None:
    """Write the figure of an evaluation.

    Args:
        images: row name -> (2P, 3, H, W) in [-1, 1]; entries i and P + i are the first and the
            second image of pair i. At most the first `MAX_PAIRS` pairs are shown.
        path: PNG to write.
    """
    rows = [_row(images[name]) for name in ROWS if name in images]
    pixels = np.concatenate(rows, axis=0)
    _write(pixels, path)


def save_image(image: "Tensor", path: Path) -> None:
    """Write one image (3, H, W) in [-1, 1] as a PNG."""
    _write(_pixels(image[None])[0], path)


def _write(pixels: "np.ndarray[Any, np.dtype[np.uint8]]", path: Path) -> None:
    """Write pixels (H, W, 3) as a PNG."""
    from PIL import Image

    atomic.replace(path, lambda part: Image.fromarray(pixels).save(part, format="PNG"))


def _row(images: "Tensor") -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Return one row of tiles, (H, 2P * W, 3), with the two images of each pair side by side."""
    pairs = len(images) // 2
    shown = min(pairs, MAX_PAIRS)
    order = [half * pairs + pair for pair in range(shown) for half in (0, 1)]
    return np.concatenate(list(_pixels(images[order])), axis=1)


def _pixels(images: "Tensor") -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Convert (N, 3, H, W) in [-1, 1] to (N, H, W, 3) from 0 to 255."""
    tiles = ((images.float().clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy()
    return tiles.transpose(0, 2, 3, 1)
