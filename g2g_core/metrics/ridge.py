"""The probe: ridge regression, cross-validated in 5 fixed folds; a closed form, so nothing is random."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from g2g_core.seeding import generator

FOLDS = 5
STRENGTH = 0.1


def category_score(codes: Tensor, labels: Tensor) -> float:
    """How well a linear probe tells the category: 1 always right, 0 no better than the commonest category.

    Args:
        codes: (n, d).
        labels: (n,) int64, at least two values.

    Returns:
        (accuracy - share of the commonest) / (1 - that share), on held-out folds; a little below 0 is chance too.
        nan where only one category occurs.
    """
    values, targets = torch.unique(labels, return_inverse=True)
    chance = float(targets.bincount().max()) / len(targets)
    if len(values) < 2:
        return float("nan")
    predicted = held_out(codes, one_hot(targets).double(), stratified(targets)).argmax(dim=1)
    return (float((predicted == targets).double().mean()) - chance) / (1 - chance)


def quantity_score(codes: Tensor, quantity: Tensor) -> float:
    """R^2 of a linear probe on held-out folds: 1 exact, 0 no better than the mean, below 0 worse.

    Args:
        codes: (n, d).
        quantity: (n,) or (n, k); the k columns count together. nan where it never varies.
    """
    targets = quantity.double().reshape(len(quantity), -1)
    residual = (held_out(codes, targets, stratified(torch.zeros(len(targets)))) - targets).square().sum()
    total = (targets - targets.mean(dim=0)).square().sum()
    return float(1 - residual / total) if total > 0 else float("nan")


def held_out(codes: Tensor, targets: Tensor, folds: Tensor) -> Tensor:
    """Predictions for each (n, k) target by a ridge that has not seen its fold.

    Codes are standardised by the training folds. The penalty is 0.1 x d on standardised codes, that is a tenth of a
    typical diagonal of the dual's kernel matrix.
    """
    predictions = torch.empty_like(targets)
    x = codes.double().cpu()
    for fold in range(FOLDS):
        test = folds == fold
        if bool(test.any()) and not bool(test.all()):
            predictions[test] = _ridge(x[~test], targets[~test], x[test])
    return predictions


def _ridge(train: Tensor, targets: Tensor, test: Tensor) -> Tensor:
    """Dual ridge with an intercept: (m, k) predictions for (m, d) test codes."""
    spread = train.std(dim=0, correction=0)
    varies = spread > 1e-8 * spread.max().clamp(min=1e-30)
    mean = train.mean(dim=0)
    a, b = (((values - mean) / spread)[:, varies] for values in (train, test))
    width = max(a.shape[1], 1)
    kernel = a @ a.T / width + STRENGTH * torch.eye(len(a), dtype=a.dtype)
    centre = targets.mean(dim=0)
    weights: Tensor = torch.linalg.solve(kernel, targets - centre)
    return b @ a.T / width @ weights + centre


def stratified(labels: Tensor) -> Tensor:
    """(n,) fold of each sample: in a fixed shuffled order those of one label take turns, so that each label is spread
    evenly and no rhythm of the data meets the folds."""
    order = torch.randperm(len(labels), generator=generator(0, "metrics/probe_folds", len(labels)))
    by_label = order[torch.argsort(labels[order], stable=True)]
    folds = torch.empty(len(labels), dtype=torch.int64)
    folds[by_label] = torch.arange(len(labels)) % FOLDS
    return folds
