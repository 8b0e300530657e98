"""The probe: ridge regression, cross-validated in 5 fixed folds; a closed form, so nothing is
random."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from g2g_core.seeding import generator

FOLDS = 5
STRENGTH = 0.1


def probe(codes: Tensor, factors: Mapping[str, Tensor], stratify: str) -> dict[str, float]:
    """How well a linear probe reads each factor from codes: 1 always right, 0 no better than not
    looking.

    Args:
        codes: (n, d).
        factors: name -> (n,) int64 for a category, (n,) or (n, k) float for a quantity (its k
            columns count together).
        stratify: the factor, a category, that the folds are balanced by.

    Returns:
        Of a category: (accuracy - share of the commonest) / (1 - that share); of a quantity: R^2.
        On held-out folds, so a little below 0 is chance too. nan where the factor never varies.
    """
    targets = {name: _targets(values) for name, values in factors.items()}
    predicted = held_out(
        codes, torch.cat(list(targets.values()), dim=1), stratified(factors[stratify])
    )
    columns = dict(
        zip(
            targets,
            torch.split(predicted, [part.shape[1] for part in targets.values()], dim=1),
            strict=True,
        )
    )
    return {
        name: (r_squared if factors[name].is_floating_point() else above_chance)(
            columns[name], targets[name]
        )
        for name in factors
    }


def above_chance(predicted: Tensor, truth: Tensor) -> float:
    """Accuracy of the largest column, from 0 (share of the commonest category) to 1; truth is (n,
    k) one-hot."""
    chance = float(truth.mean(dim=0).max())
    accuracy = float((predicted.argmax(dim=1) == truth.argmax(dim=1)).double().mean())
    return (accuracy - chance) / (1 - chance) if chance < 1 else float("nan")


def r_squared(predicted: Tensor, truth: Tensor) -> float:
    """Share of the (n, k) truth's variance that is predicted."""
    total = float((truth - truth.mean(dim=0)).square().sum())
    return 1 - float((predicted - truth).square().sum()) / total if total > 0 else float("nan")


def _targets(values: Tensor) -> Tensor:
    """(n, k) float64 columns: one-hot of a category, a quantity as it is."""
    if values.is_floating_point():
        return values.double().reshape(len(values), -1)
    return one_hot(torch.unique(values, return_inverse=True)[1]).double()


def held_out(codes: Tensor, targets: Tensor, folds: Tensor) -> Tensor:
    """Predictions for each (n, k) target by a ridge that has not seen its fold.

    Codes are standardised by the training folds. The penalty is 0.1 x d on standardised codes, that
    is a tenth of a typical diagonal of the dual's kernel matrix.
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
    """(n,) fold of each sample: in a fixed shuffled order those of one label take turns, so that
    each label is spread evenly and no rhythm of the data meets the folds."""
    order = torch.randperm(len(labels), generator=generator(0, "metrics/probe_folds", len(labels)))
    by_label = order[torch.argsort(labels[order], stable=True)]
    folds = torch.empty(len(labels), dtype=torch.int64)
    folds[by_label] = torch.arange(len(labels)) % FOLDS
    return folds
