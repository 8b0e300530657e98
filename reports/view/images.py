"""The paper's figure, cut from the trials' images pair by pair, small enough to embed.

Pillow does it, not torchvision, because reports need neither torch nor torchvision.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from reports.page.blocks import Picture

LARGEST_TILE = 80
"""Tiles are shrunk to this side, in pixels, so that a report stays a few megabytes."""
LOSSLESS_TILE = 48
"""Tiles up to this side, in pixels, are kept as PNG, without any loss."""


@dataclass(frozen=True)
class Shot:
    """The figure of one trial at one step, and its layout.

    Attributes:
        path: the PNG file.
        rows: names of its rows from top to bottom.
        columns: its columns: first and second image of each pair, pair by pair.
        tile_px: side of one tile, in pixels.
    """

    path: Path
    rows: tuple[str, ...]
    columns: int
    tile_px: int


def shots(images: pd.DataFrame) -> dict[tuple[str, int], Shot]:
    """Return the figure of each trial and step, for every file that exists."""
    figures = {}
    for row in images.to_dict("records"):
        path = Path(str(row["path"]))
        if path.is_file():
            rows = row["rows"]
            names = (
                tuple(rows.split(","))
                if isinstance(rows, str)
                else tuple(str(name) for name in rows)
            )
            figures[str(row["trial_id"]), int(row["step"])] = Shot(
                path, names, int(row["columns"]), int(row["tile_px"])
            )
    return figures


def cut(shot: Shot, pair: int, alt: str) -> Picture | None:
    """Return all rows of one pair; None if the figure has fewer pairs or can't be read.

    Args:
        shot: the figure.
        pair: number of the pair, counted from 0; each pair has two columns.
        alt: the alternative text of the picture.
    """
    try:
        with Image.open(shot.path) as opened:
            whole = opened.convert("RGB")
    except OSError:
        return None

    across, down = whole.width // max(shot.columns, 1), whole.height // max(len(shot.rows), 1)
    if (pair + 1) * 2 > shot.columns or min(across, down) < 1:
        return None

    part = whole.crop((2 * pair * across, 0, 2 * (pair + 1) * across, down * len(shot.rows)))
    if across > LARGEST_TILE:
        part = part.resize(
            (2 * LARGEST_TILE, round(part.height * LARGEST_TILE / across)),
            resample=Image.Resampling.LANCZOS,
        )

    return Picture(_encoded(part, lossless=across <= LOSSLESS_TILE), part.width, part.height, alt)


def _encoded(image: Image.Image, lossless: bool) -> bytes:
    """Return an image as the bytes of a PNG file, or of a JPEG file if loss is allowed."""
    buffer = io.BytesIO()
    if lossless:
        image.save(buffer, "PNG", optimize=True)
    else:
        image.save(buffer, "JPEG", quality=82, subsampling=0, optimize=True)
    return buffer.getvalue()


def spread(steps: Sequence[int], keep: Sequence[int], most: int) -> tuple[int, ...]:
    """Return at most `most` of the steps, evenly spread.

    Args:
        steps: all steps, in ascending order.
        keep: steps that are always returned if they are among `steps`.
        most: the maximum number of steps, unless `keep` alone has more.
    """
    chosen = {step for step in keep if step in steps}
    rest = [step for step in steps if step not in chosen]
    room = most - len(chosen)
    if room > 0 and rest:
        places = np.unique(np.linspace(0, len(rest) - 1, min(room, len(rest))).round().astype(int))
        chosen |= {rest[place] for place in places}

    return tuple(sorted(chosen))
