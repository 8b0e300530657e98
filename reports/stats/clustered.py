"""Contrasts of cell means when trials are missing: least squares with seeds as blocks.

On complete data each contrast equals the t statistic of its per-seed values.
"""

import math
from dataclasses import dataclass

import numpy as np

ROUNDING = 64 * float(np.finfo(float).eps)
"""Relative size below which a mean or a standard error is only rounding."""

LEAST_SEEN = 0.5
"""Share of a contrast's variance that the residuals must show; with less there is no interval."""

_TINY = 1e-9


@dataclass(frozen=True)
class CellMeans:
    """Least-squares fit of a two-way model: one mean per cell and one block per seed.

    The variance of a contrast is cluster-robust by seed, with the CR2 correction and the
    Satterthwaite degrees of freedom of Bell & McCaffrey (2002, Survey Methodology 28:169), in the
    form for absorbed blocks of Pustejovsky & Tipton (2018, doi:10.1080/07350015.2016.1247004).

    Attributes:
        means: (cells,) mean of each cell if every seed had a value there; nan without a value.
        seeds: Number of seeds with at least two cells; the others contribute nothing.
        scale: Largest absolute value, against which rounding is measured.
        totals: (cells,) sum over seeds of a cell's values less the mean of the seed.
        inverse: (cells, cells) pseudo-inverse of the normal equations.
        blocks: (seeds, cells, cells) projections that subtract a seed's mean from its own cells.
        adjustments: (seeds, cells, cells) CR2 matrices, one per seed.
        residuals: (seeds, cells) adjusted residuals; 0 where a trial is missing.
    """

    means: np.ndarray
    seeds: int
    scale: float
    totals: np.ndarray
    inverse: np.ndarray
    blocks: np.ndarray
    adjustments: np.ndarray
    residuals: np.ndarray

    def contrast(self, weights: np.ndarray) -> tuple[float, float, float, int]:
        """Return the mean, standard error, degrees of freedom, and number of seeds of a contrast.

        A cell with a single seed fits that seed's value perfectly, so the residuals don't show its
        noise. The variance is then divided by the share of it that the residuals show if noise is
        equal everywhere. Below `LEAST_SEEN` the error and the degrees of freedom are nan.

        Args:
            weights: (cells,) finite weights that sum to 0.

        Returns:
            `(mean, se, df, seeds)`: test `mean / se` by t with `df` degrees of freedom, unless
            `df` is below 2. `seeds` counts those with weight in the contrast. Mean, se and df are
            nan, and all seeds of the fit count, when the data don't determine the contrast.

        Raises:
            ValueError: The weights have another shape, are all 0, or don't sum to 0.
        """
        weights = np.asarray(weights, dtype=float)
        size = float(np.abs(weights).sum())
        if weights.shape != self.means.shape or not 0 < size < math.inf:
            raise ValueError(f"a contrast needs {self.means.size} finite weights, not all 0")
        if abs(weights.sum()) > _TINY * size:
            raise ValueError(f"the weights of a contrast sum to 0, not {weights.sum():g}")

        # A contrast is determined if it lies in the span of the rows that were run.
        influence = self.inverse @ weights
        if np.abs(self.blocks.sum(axis=0) @ influence - weights).max() > _TINY * size:
            return math.nan, math.nan, math.nan, self.seeds

        rounding = ROUNDING * size * self.scale
        mean = _without_rounding(float(influence @ self.totals), rounding)
        own = np.linalg.norm(self.blocks @ influence, axis=1)
        seeds = int((own > _TINY * np.linalg.norm(influence)).sum())

        # The squared scores sum to a quadratic form in the noise. Its matrix has the same trace
        # and squares as this one with a row per seed, by which its distribution is matched.
        adjusted = self.adjustments @ influence
        form = np.diag((adjusted**2).sum(axis=1)) - adjusted @ self.inverse @ adjusted.T
        trace, variance = float(np.trace(form)), float(weights @ influence)
        if trace < LEAST_SEEN * variance:
            return mean, math.nan, math.nan, seeds
        scores = self.residuals @ influence
        se = math.sqrt(float(scores @ scores) * variance / trace)
        return mean, _without_rounding(se, rounding), trace**2 / float((form**2).sum()), seeds


def fit_cells(y: np.ndarray) -> CellMeans:
    """Fit a mean for each cell, and a block for each seed, by least squares.

    Args:
        y: (seeds, cells) outcomes; nan where a trial has none.

    Returns:
        The fit, of the seeds that have at least two cells.

    Raises:
        ValueError: `y` is not a matrix, or has fewer than two cells.
    """
    y = np.asarray(y, dtype=float)
    if y.ndim != 2 or y.shape[1] < 2:
        raise ValueError(f"outcomes need the shape (seeds, cells >= 2), not {y.shape}")

    y = y[np.isfinite(y).sum(axis=1) >= 2]
    known = np.isfinite(y)
    values, present = np.where(known, y, 0.0), known.astype(float)

    # Each seed's block subtracts its mean from its own cells; other cells stay 0 throughout.
    counts = present.sum(axis=1)
    blocks = present[:, :, None] * np.eye(y.shape[1])
    blocks -= present[:, :, None] * present[:, None, :] / counts[:, None, None]
    normal = blocks.sum(axis=0)
    inverse = np.linalg.pinv(normal, rcond=_TINY, hermitian=True)
    centered = np.where(known, values - (values.sum(axis=1) / counts)[:, None], 0.0)
    totals = centered.sum(axis=0)
    effects = inverse @ totals

    adjustments = _inverse_roots(blocks - blocks @ inverse @ blocks)
    residuals = np.einsum("sij,sj->si", adjustments, centered - present * effects)
    levels = (values - present * effects).sum(axis=1) / counts
    level = float(levels.mean()) if len(levels) else math.nan
    means = np.where(np.diag(normal) > 0, effects + level, np.nan)
    scale = float(np.abs(values).max(initial=0.0))
    return CellMeans(means, len(y), scale, totals, inverse, blocks, adjustments, residuals)


def _inverse_roots(matrices: np.ndarray) -> np.ndarray:
    """Return the inverse square roots of (n, m, m) matrices; directions without noise stay 0."""
    sizes, vectors = np.linalg.eigh(matrices)
    inverse = np.where(sizes > _TINY, sizes.clip(_TINY) ** -0.5, 0.0)
    roots: np.ndarray = (vectors * inverse[:, None, :]) @ vectors.transpose(0, 2, 1)
    return roots


def _without_rounding(value: float, rounding: float) -> float:
    """Return the value, or 0 if it is smaller than rounding errors."""
    return 0.0 if abs(value) < rounding else value
