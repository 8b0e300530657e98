"""Distances between two sets of feature vectors: kernel (unbiased) and Fréchet."""

import torch
from torch import Tensor


def kernel_distance(first: Tensor, second: Tensor) -> float:
    """Return the squared maximum mean discrepancy of two (n, d) sets, unbiased.

    The kernel is (x.y / d + 1)^3 (KID, arXiv 1801.01401). The distance is 0 on average for
    identical distributions, so single values may be below 0. All n vectors are used at once,
    whereas the published KID averages over random subsets.

    Raises:
        ValueError: sets of different sizes, or fewer than 2 vectors.
    """
    n, d = _common_shape(first, second)
    x, y = first.double(), second.double()

    within = sum(
        float(kernel.sum() - kernel.trace()) for kernel in (_cubic(x, x, d), _cubic(y, y, d))
    )
    return within / (n * (n - 1)) - 2 * float(_cubic(x, y, d).mean())


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Return the squared Fréchet distance of Gaussians fitted to two (n, d) sets.

    It is 0 for identical sets (arXiv 1706.08500), and biased upwards, the more so the smaller n is.
    Let A and B be the centered sets over sqrt(n - 1). The trace of the root of the covariances'
    product is the sum of the singular values of A B^T. This avoids the root of a d × d matrix and
    allows n < d.

    Raises:
        ValueError: sets of different sizes, or fewer than 2 vectors.
    """
    n, _ = _common_shape(first, second)
    x, y = first.double(), second.double()

    a, b = ((values - values.mean(dim=0)) / (n - 1) ** 0.5 for values in (x, y))
    shared = torch.linalg.svdvals(a @ b.T).sum()
    return float(
        (x.mean(dim=0) - y.mean(dim=0)).square().sum()
        + a.square().sum()
        + b.square().sum()
        - 2 * shared
    )


def _cubic(x: Tensor, y: Tensor, d: int) -> Tensor:
    return (x @ y.T / d + 1) ** 3


def _common_shape(first: Tensor, second: Tensor) -> tuple[int, int]:
    """Return the (n, d) that both sets must have."""
    if len(first) != len(second):
        raise ValueError(
            f"sets of {len(first)} and {len(second)} images: a set distance needs equal numbers"
        )
    if len(first) < 2:
        raise ValueError("a set distance needs at least 2 images a set")
    return len(first), first.shape[1]
