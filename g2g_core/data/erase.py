"""Erase the regions of a face that reveal who it is, so that the content encoder can't see them.

The papers suggest this in their outlook (section VI).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from g2g_core.data.pairs import DataError, shown

ERASURES: dict[str, tuple[str, ...]] = {
    "none": (),
    "eyes": ("eyes",),
    "eyes_nose": ("eyes", "nose"),
    "eyes_nose_mouth": ("eyes", "nose", "mouth"),
}
"""Value of the option `erase` -> regions that are erased."""

Points = NDArray[np.float64]
"""Five points of a face, (5, 2).

Left eye, right eye, tip of the nose, left and right corner of the mouth, as seen in the image.
x and y are shares of the width and the height of the image.
"""

USUAL_POINTS = (0.352, 0.4375, 0.648, 0.4375, 0.5, 0.61, 0.39, 0.75, 0.61, 0.75)
"""Points of a face in a square crop around the eyes, used without landmarks or options."""

CELEBA_POINTS = (0.390, 0.510, 0.610, 0.510, 0.497, 0.617, 0.410, 0.703, 0.590, 0.703)
"""Points of CelebA's mean face."""


def face_mask(height: int, width: int, points: Points, erasure: str) -> NDArray[np.uint8]:
    """Return a mask that is 1 in the boxes of an erasure.

    The sizes of the boxes follow the distance between the eyes.

    Args:
        height: of the image, pixels.
        width: of the image, pixels.
        points: (5, 2) points of the face, as shares of width and height.
        erasure: key of `ERASURES`.

    Returns:
        (height, width, 1) in {0, 1}.
    """
    eyes, nose, mouth = points[:2], points[2], points[3:]
    scale = np.array([width, height])
    unit = float(np.hypot(*((eyes[1] - eyes[0]) * scale)))
    boxes = {
        "eyes": [(eye, 0.5 * unit, 0.36 * unit) for eye in eyes],
        "nose": [(nose - np.array([0, 0.12 * unit / height]), 0.38 * unit, 0.42 * unit)],
        "mouth": [
            (mouth.mean(0), 0.3 * unit + abs(mouth[1] - mouth[0])[0] * width / 2, 0.34 * unit)
        ],
    }

    mask = np.zeros((height, width, 1), dtype=np.uint8)
    for region in ERASURES[erasure]:
        for center, half_width, half_height in boxes[region]:
            x, y = center * scale
            top, bottom = (max(0, round(y + sign * half_height)) for sign in (-1, 1))
            left, right = (max(0, round(x + sign * half_width)) for sign in (-1, 1))
            mask[top:bottom, left:right] = 1

    return mask


def fixed_points(shares: Sequence[float]) -> Points:
    """Return the points of a face from ten shares, for datasets whose faces are all aligned alike.

    Args:
        shares: x and y of each point, in [0, 1].

    Raises:
        DataError: there are not ten shares, or one is outside [0, 1].
    """
    if len(shares) != 10 or not all(0 <= share <= 1 for share in shares):
        raise DataError(
            "data.face_points must be ten shares in [0, 1]: "
            "x and y of eyes, nose and corners of the mouth"
        )
    return np.array(shares, dtype=np.float64).reshape(5, 2)


def read_landmarks(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return the landmarks in CelebA's landmark file: file name -> (5, 2) pixels.

    The file starts with a line for the count and a line for the names.

    Raises:
        DataError: the file cannot be read, or a line is not a name and ten numbers.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{shown(path)}: not readable: {error}") from error

    landmarks = {}
    for number, line in enumerate(lines[2:], start=3):
        name, *values = line.split() or [""]
        if not name:
            continue
        try:
            landmarks[name] = np.array([float(value) for value in values]).reshape(5, 2)
        except ValueError as error:
            raise DataError(
                f"{shown(path)}:{number}: {line[:80]!r} is not a file name and ten numbers"
            ) from error

    return landmarks
