"""The probe: ridge regression, cross-validated in 5 fixed folds.

The solution has a closed form, so nothing is random.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from g2g_core.seeding import generator

FOLDS = 5
STRENGTH = 0.1


def probe(codes: Tensor, factors: Mapping[str, Tensor], stratify: str) -> dict[str, float]:
    """Return how well a linear probe reads each factor from codes: 1 always right, 0 by chance.

    Args:
        codes: (n, d).
        factors: name -> (n,) int64 for a category, (n,) or (n, k) float for a quantity (its k
            columns count together).
        stratify: name of the factor, a category, that the folds are balanced by.

    Returns:
        Score by name. A category has (accuracy - share of the commonest) / (1 - that share), a
        quantity R^2. Scores are those of held-out folds, so a value slightly below 0 is chance,
        too. A factor that never varies has nan.
    """
    targets = {name: _targets(values) for name, values in factors.items()}

    # One regression for all factors, whose columns are then separated again.
    predicted = held_out(
        codes, torch.cat(list(targets.values()), dim=1), stratified(factors[stratify])
    )
    widths = [columns.shape[1] for columns in targets.values()]
    predictions = dict(zip(targets, torch.split(predicted, widths, dim=1), strict=True))

    return {
        name: (r_squared if factors[name].is_floating_point() else above_chance)(
            predictions[name], targets[name]
        )
        for name in factors
    }


def above_chance(predicted: Tensor, truth: Tensor) -> float:
    """Return the accuracy of the largest column, rescaled so that chance is 0.

    0 is the share of the commonest category, 1 is always right, and nan means that there is only
    one category.

    Args:
        predicted: (n, k).
        truth: (n, k) one-hot.
    """
    chance = float(truth.mean(dim=0).max())
    accuracy = float((predicted.argmax(dim=1) == truth.argmax(dim=1)).double().mean())
    return (accuracy - chance) / (1 - chance) if chance < 1 else float("nan")


def r_squared(predicted: Tensor, truth: Tensor) -> float:
    """Return the share of the (n, k) truth's variance that is predicted.

    The value is nan if the truth does not vary.
    """
    total = float((truth - truth.mean(dim=0)).square().sum())
    return 1 - float((predicted - truth).square().sum()) / total if total > 0 else float("nan")


def _targets(values: Tensor) -> Tensor:
    """Return (n, k) float64 columns: one-hot of a category, or a quantity as it is."""
    if values.is_floating_point():
        return values.double().reshape(len(values), -1)
    return one_hot(torch.unique(values, return_inverse=True)[1]).double()


def held_out(codes: Tensor, targets: Tensor, folds: Tensor) -> Tensor:
    """Return predictions for each (n, k) target by a ridge that has not seen its fold.

    The training folds standardize the codes. The penalty is 0.1 × d on standardized codes, a tenth
    of a typical diagonal element of the dual's kernel matrix.

    Args:
        codes: (n, d).
        targets: (n, k) float64.
        folds: (n,) number of each sample's fold.
    """
    predictions = torch.empty_like(targets)
    x = codes.double().cpu()
    for fold in range(FOLDS):
        test = folds == fold
        if bool(test.any()) and not bool(test.all()):
            predictions[test] = _ridge(x[~test], targets[~test], x[test])
    return predictions


def _ridge(train: Tensor, targets: Tensor, test: Tensor) -> Tensor:
    """Return (m, k) predictions for (m, d) test codes by a dual ridge with an intercept."""
    spread = train.std(dim=0, correction=0)
    varies = spread > 1e-8 * spread.max().clamp(min=1e-30)
    mean = train.mean(dim=0)
    a, b = (((values - mean) / spread)[:, varies] for values in (train, test))

    width = max(a.shape[1], 1)
    kernel = a @ a.T / width + STRENGTH * torch.eye(len(a), dtype=a.dtype)
    center = targets.mean(dim=0)
    weights: Tensor = torch.linalg.solve(kernel, targets - center)
    return b @ a.T / width @ weights + center


def stratified(labels: Tensor) -> Tensor:
    """Return the (n,) fold of each sample.

    The samples of a label take turns in a fixed shuffled order. So each label is spread evenly over
    the folds, and a regular order of the data can't coincide with the folds.
    """
    order = torch.randperm(len(labels), generator=generator(0, "metrics/probe_folds", len(labels)))
    by_label = order[torch.argsort(labels[order], stable=True)]
    folds = torch.empty(len(labels), dtype=torch.int64)
    folds[by_label] = torch.arange(len(labels)) % FOLDS
    return folds
