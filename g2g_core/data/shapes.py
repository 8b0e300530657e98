"""Outlines of the synthetic dataset's shapes, and distances to them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Outline = Callable[[], NDArray[np.float64]]


def _regular(corners: int, start: float = 90.0) -> NDArray[np.float64]:
    """Return (corners, 2) points on the unit circle, the first at `start` degrees."""
    angles = np.deg2rad(start) + 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def square() -> NDArray[np.float64]:
    """Return the outline of a square."""
    return _regular(4, start=45.0)


def triangle() -> NDArray[np.float64]:
    """Return the outline of an equilateral triangle.

    It is larger than the unit circle, so that it covers about as much area as the other shapes.
    """
    return 1.2 * _regular(3)


def star() -> NDArray[np.float64]:
    """Return the outline of a star with five points."""
    points = _regular(10) * 1.2
    points[1::2] *= 0.46
    return points


def cross() -> NDArray[np.float64]:
    """Return the outline of a plus sign."""
    a, b = 0.38, 1.05
    quarter = np.array([[a, a], [a, b], [-a, b]])
    turned = [quarter, quarter @ [[0, 1], [-1, 0]], -quarter, quarter @ [[0, -1], [1, 0]]]
    return np.concatenate(turned)


def heart() -> NDArray[np.float64]:
    """Return the outline of a heart."""
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, y + 2.0], axis=1) / 15.5


def crescent() -> NDArray[np.float64]:
    """Return the outline of a crescent moon."""
    outer = np.deg2rad(np.linspace(52, 308, 20))
    inner = np.deg2rad(np.linspace(285, 75, 12))
    points = np.concatenate(
        [
            1.1 * np.stack([np.cos(outer), np.sin(outer)], axis=1),
            np.stack([0.52 + 0.82 * np.cos(inner), 0.82 * np.sin(inner)], axis=1),
        ]
    )
    moon: NDArray[np.float64] = points + np.array([0.25, 0.0])
    return moon


SHAPES: dict[str, tuple[Outline, int]] = {
    outline.__name__: (outline, symmetry)
    for outline, symmetry in (
        (square, 4),
        (triangle, 3),
        (star, 5),
        (cross, 4),
        (heart, 1),
        (crescent, 1),
    )
}
"""Shape -> its outline and its symmetry.

The outline has (n, 2) corners and about the size of the unit circle. The symmetry is the number of
turns that leave the shape unchanged.
"""


def signed_distance(points: Floats, outline: NDArray[np.float64]) -> Floats:
    """Return the distances of points to a closed outline, negative inside.

    Args:
        points: (..., 2).
        outline: (n, 2) corners, in the unit of the points.

    Returns:
        (...), in the same unit.
    """
    nearest = np.full(points.shape[:-1], np.inf, dtype=np.float32)
    inside = np.zeros(points.shape[:-1], dtype=bool)
    corners = outline.astype(np.float32)

    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        edge, offset = end - start, points - start
        along = np.clip((offset @ edge) / np.float32(edge @ edge), 0, 1)
        gap = offset - along[..., None] * edge
        nearest = np.minimum(nearest, np.einsum("...i,...i->...", gap, gap))

        # A point is inside if a ray to its right crosses an odd number of edges. An edge crosses
        # the ray if it passes the height of the point on that side.
        passes = (start[1] > points[..., 1]) != (end[1] > points[..., 1])
        if edge[1] != 0:
            inside ^= passes & (offset[..., 0] < edge[0] * offset[..., 1] / edge[1])

    return np.where(inside, -np.sqrt(nearest), np.sqrt(nearest)).astype(np.float32)
