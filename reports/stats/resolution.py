"""Step of a metric that moves in steps, and the least variance that its steps imply."""

import numpy as np

_TOLERANCE = 1e-4
"""How far from a multiple of the step a value may lie, in steps (for 32-bit shares)."""

_SAME = 1e-9
"""Values closer than this, relative to the largest, count as one."""


def resolution(values: np.ndarray) -> float | None:
    """Return the step of a metric that takes only multiples of a step, else None.

    The candidates are the smallest gap between distinct values, its half, and its third. The one
    with most values on its grid counts; if several have equally many, the coarsest one. A grid
    consists of all multiples of the step. It is accepted if it holds at least half of all values
    and at least three distinct values other than 0, or two if some values are equal. So a few
    continuous values have no step, and neither have continuous values that are equal in pairs
    because a factor does nothing.

    A number of decimals looks like a step too.

    Args:
        values: Outcomes of all trials, any shape; nan and infinite ones are left out.
    """
    values = np.asarray(values, dtype=float)
    values = np.sort(values[np.isfinite(values)])
    if not len(values):
        return None

    gaps = np.diff(values)
    is_new = np.concatenate([[True], gaps > _SAME * np.abs(values).max()])
    distinct = values[is_new]
    if len(distinct) < 2:
        return None

    smallest = float(np.diff(distinct).min())
    steps = [smallest, smallest / 2, smallest / 3]
    step = max(steps, key=lambda candidate: int(_on_grid(values, candidate).sum()))
    step = _refined(values[_on_grid(values, step)], step)

    least = 2 if len(distinct) < len(values) else 3
    on_grid = int((_on_grid(distinct, step) & (distinct != 0)).sum())
    return step if on_grid >= least and 2 * _on_grid(values, step).sum() >= len(values) else None


def as_share(step: float) -> int | None:
    """Return K if the step is 1/K for a whole number K of at least 2, else None.

    The caller knows whether the metric is a share of K things: its values lie between 0 and 1, and
    the step doesn't come from rounding (0.01 is 1/100 as well).
    """
    parts = round(1 / step)
    return parts if parts >= 2 and abs(parts * step - 1) < 1e-6 else None


def variance_floor(weights: np.ndarray, means: np.ndarray, step: float, k: int | None) -> float:
    """Return the least variance of one seed's contrast that the metric's steps allow.

    Seeds may agree by chance when a metric has few steps. Their spread is then too small to be
    true. A share of K independent things has at least the variance p (1 - p) / K. For another
    metric with steps the least variance is that of rounding, step^2 / 12.

    Args:
        weights: (cells,) weights of the contrast.
        means: (cells,) mean of each cell; for shares in [0, 1]. Cells without weight may be nan.
        step: The step of the metric, see `resolution`.
        k: Number of things that the metric is a share of; None if it isn't a share.
    """
    used = np.asarray(weights, dtype=float) != 0
    squares = np.square(np.asarray(weights, dtype=float)[used])
    if k is None:
        return float(squares.sum()) * step**2 / 12
    shares = np.clip(np.asarray(means, dtype=float)[used], 0, 1)
    return float((squares * shares * (1 - shares)).sum()) / k


def _on_grid(values: np.ndarray, step: float) -> np.ndarray:
    """Return whether each value is a multiple of the step."""
    return np.asarray(np.abs(values / step - np.round(values / step)) < _TOLERANCE)


def _refined(values: np.ndarray, step: float) -> float:
    """Return the step by least squares, since a gap has lost digits that the values still have."""
    counts = np.round(values / step)
    return float(counts @ values / (counts @ counts)) if counts.any() else step
