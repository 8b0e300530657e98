"""Distances between two sets of feature vectors: kernel (unbiased) and Fréchet."""

import torch
from torch import Tensor


def kernel_distance(first: Tensor, second: Tensor) -> float:
    """Squared maximum mean discrepancy of two (n, d) sets, unbiased; kernel (x.y / d + 1)^3 (KID,
    arXiv 1801.01401).

    0 on average for equal distributions, so single values may be below 0. All n vectors are used at
    once, where KID as published averages over random subsets.

    Raises:
        ValueError: sets of different sizes, or fewer than 2 vectors.
    """
    n, d = _checked(first, second)
    x, y = first.double(), second.double()
    within = sum(
        float(kernel.sum() - kernel.trace()) for kernel in (_cubic(x, x, d), _cubic(y, y, d))
    )
    return within / (n * (n - 1)) - 2 * float(_cubic(x, y, d).mean())


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Squared Fréchet distance of Gaussians fitted to two (n, d) sets (arXiv 1706.08500); 0 for
    equal sets.

    Biased upwards, the more so the smaller n. With A, B the centred sets over sqrt(n - 1), the
    trace of the root of the covariances' product is the sum of the singular values of A B^T: no d x
    d root, and n < d is no problem.

    Raises:
        ValueError: sets of different sizes, or fewer than 2 vectors.
    """
    n, _ = _checked(first, second)
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


def _checked(first: Tensor, second: Tensor) -> tuple[int, int]:
    """The (n, d) that both sets must have."""
    if len(first) != len(second):
        raise ValueError(
            f"sets of {len(first)} and {len(second)} images: a set distance needs equal numbers"
        )
    if len(first) < 2:
        raise ValueError("a set distance needs at least 2 images a set")
    return len(first), first.shape[1]
