"""The figures of trials as tiles: what was given, what is true, and what each arm made of it.

Pillow and numpy do it, not torchvision, because reports need neither torch nor torchvision.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from reports.page.blocks import Picture

LARGEST_TILE = 96
"""Tiles are shrunk to this side, in pixels, so that a report stays a few megabytes."""
LOSSLESS_TILE = 48
"""Tiles up to this side, in pixels, are kept as PNG, without any loss."""
FULL_ERROR = 0.4
"""Error that is black in an error map, as a share of full brightness."""
NO_ERROR, MOST_ERROR = (246, 244, 238), (23, 21, 15)
"""Colors of the two ends of an error map, the same in both themes."""
RANGE = 2.0
"""Range of a pixel's value in the unit of errors, like that of metrics such as `mixed_l1`."""

Tile = NDArray[np.uint8]
"""(H, W, 3) pixels of one tile."""


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


@dataclass(frozen=True)
class Case:
    """One mixed image: a pair of images, and which of the two gives the class.

    Attributes:
        pair: number of the pair, counted from 0.
        side: 0 if the first image gives the class, 1 if the second does.
    """

    pair: int
    side: int

    @property
    def own(self) -> int:
        """The column of the image that gives the class, and of what was made of it."""
        return 2 * self.pair + self.side

    @property
    def partner(self) -> int:
        """The column of the image that gives the content."""
        return 2 * self.pair + 1 - self.side


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


@lru_cache(maxsize=48)
def tiles(shot: Shot) -> dict[str, NDArray[Any]]:
    """Return row -> (columns, H, W, 3) pixels of a figure; empty if it can't be read."""
    try:
        with Image.open(shot.path) as opened:
            whole = np.asarray(opened.convert("RGB"))
    except OSError:
        return {}
    down, across = whole.shape[0] // max(len(shot.rows), 1), whole.shape[1] // max(shot.columns, 1)
    if min(down, across) < 1:
        return {}
    return {
        name: np.stack(
            [
                whole[row * down : (row + 1) * down, at * across : (at + 1) * across]
                for at in range(shot.columns)
            ]
        )
        for row, name in enumerate(shot.rows)
    }


def cases(shot: Shot) -> tuple[Case, ...]:
    """Return all mixed images of a figure."""
    return tuple(Case(pair, side) for pair in range(shot.columns // 2) for side in (0, 1))


def error(one: Tile, other: Tile) -> float:
    """Return the mean absolute difference of two tiles, where the range of a pixel is `RANGE`."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean() * RANGE / 255)


def error_map(one: Tile, other: Tile) -> Tile:
    """Return where two tiles differ: light for not at all, black from `FULL_ERROR` on."""
    share = np.abs(one.astype(float) - other.astype(float)).mean(axis=2) / 255 / FULL_ERROR
    share = np.clip(share, 0, 1)[..., None]
    # 32 shades keep the file small
    share = np.round(share * 31) / 31
    mixed = (1 - share) * np.array(NO_ERROR) + share * np.array(MOST_ERROR)
    pixels: Tile = mixed.round().astype(np.uint8)
    return pixels


def picture(parts: Sequence[Tile], alt: str) -> Picture:
    """Return tiles next to each other as one picture; large ones are made smaller.

    Args:
        parts: at least one tile; all have the same shape.
        alt: the alternative text.
    """
    image = Image.fromarray(np.concatenate(list(parts), axis=1))
    side = parts[0].shape[0]
    if side > LARGEST_TILE:
        size = (LARGEST_TILE * len(parts), LARGEST_TILE)
        image = image.resize(size, resample=Image.Resampling.LANCZOS)
    return Picture(_encoded(image, side <= LOSSLESS_TILE), image.width, image.height, alt)


def _encoded(image: Image.Image, lossless: bool) -> bytes:
    """Return an image as the bytes of a PNG file, or of a JPEG file if loss is allowed."""
    buffer = io.BytesIO()
    if lossless:
        few = image.getcolors(256)
        small = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256) if few else image
        small.save(buffer, "PNG", optimize=True)
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
