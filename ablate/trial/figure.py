"""Writes the paper's figure of one evaluation as a PNG.

Its rows are real, mixed, and reconstructed images, and the exact mixed ones where they are known.
Its columns are the images of pair after pair.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from g2g_base import atomic

# The driver process imports this module but does not need torch, which takes 500 MB. PIL instead of
# torchvision, because importing that takes as long as torch itself.
if TYPE_CHECKING:
    from torch import Tensor

ROWS = ("real", "mixed", "full_recon", "mask", "truth")
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
    import torch

    rows = [torch.cat([*_row(images[name])], dim=2) for name in ROWS if name in images]
    _write(torch.cat(rows, dim=1), path)


def save_image(image: "Tensor", path: Path) -> None:
    """Write one image (3, H, W) in [-1, 1] as a PNG."""
    _write(_pixels(image), path)


def _write(pixels: "Tensor", path: Path) -> None:
    """Write pixels (3, H, W) from 0 to 255 as a PNG."""
    image = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    atomic.replace(path, lambda part: image.save(part, format="PNG"))


def _row(images: "Tensor") -> "Tensor":
    """Return the tiles of one row, (2P, 3, H, W), with the two images of each pair side by side."""
    pairs = len(images) // 2
    shown = min(pairs, MAX_PAIRS)
    order = [half * pairs + pair for pair in range(shown) for half in (0, 1)]
    return _pixels(images[order])


def _pixels(images: "Tensor") -> "Tensor":
    """Convert images in [-1, 1] to whole numbers from 0 to 255, on the CPU.

    This is not left to torchvision's `save_image`, which rounds 5 values in a million differently.
    """
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round().byte().cpu()
