"""Quality of the mixed images as a set: its distance from real images of the same classes."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias, cast

import torch
from torch import Tensor

from g2g_core.metrics.distances import frechet_distance, kernel_distance
from g2g_core.metrics.metric import Metric, Need
from g2g_core.metrics.networks import NETWORKS
from g2g_core.passes.evaluation import Evaluation

SetDistance: TypeAlias = Callable[[Tensor, Tensor], float]


def set_distance(network: str, distance: SetDistance, evaluation: Evaluation) -> float:
    """Return the distance of all mixed images from as many real images of the same classes.

    Args:
        network: key of `NETWORKS`, whose codes are compared.
        distance: distance of two (n, d) sets.
        evaluation: the evaluation with the mixed images.
    """
    return distance(*_features(network, evaluation))


def classwise_distance(network: str, distance: SetDistance, evaluation: Evaluation) -> float:
    """Return the mean over classes of the distance within the class.

    Classes with a single image don't count; nan means that no class has two images.

    Args:
        network: as for `set_distance`.
        distance: as for `set_distance`.
        evaluation: as for `set_distance`.
    """
    mixed, real = _features(network, evaluation)
    values = []
    for label in torch.unique(evaluation.labels):
        of_class = evaluation.labels == label
        if int(of_class.sum()) > 1:
            values.append(distance(mixed[of_class], real[of_class]))
    return sum(values) / len(values) if values else float("nan")


def _features(network: str, evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    mixed = evaluation.seen("mixed", network)[-1]
    return mixed, evaluation.references.real_codes(network, mixed.device)


KERNEL = "unbiased squared maximum mean discrepancy, cubic kernel, all images at once"
FRECHET = "squared Fréchet distance of fitted Gaussians"
SAME = "copies of the content images look good here; small n makes single values noisy"
BIASED = (
    "biased upwards, the more so the fewer images, by an amount that depends on the model: read "
    "the kernel distance"
)


def _network_metrics(network: str, features: str) -> tuple[Metric, ...]:
    """Return the metrics of set distances between the codes of a network."""
    needs: frozenset[Need] = frozenset({cast(Need, network), "reference"})
    against = (
        f"mixed images against as many real ones of the same classes, pooled features of {features}"
    )
    per_class = "within each class, mean over classes"

    rows: tuple[
        tuple[str, Callable[[str, SetDistance, Evaluation], float], SetDistance, str, str, str], ...
    ] = (
        ("kid", set_distance, kernel_distance, f"{KERNEL}: {against}", SAME, "arXiv 1801.01401"),
        (
            "frechet",
            set_distance,
            frechet_distance,
            f"{FRECHET}: {against}",
            BIASED,
            "arXiv 1706.08500",
        ),
        (
            "classwise_kid",
            classwise_distance,
            kernel_distance,
            f"{KERNEL}, {per_class}: {against}",
            "which classes are bad; noisy with few images a class",
            "arXiv 1905.01723 with arXiv 1801.01401",
        ),
        (
            "classwise_frechet",
            classwise_distance,
            frechet_distance,
            f"{FRECHET}, {per_class}: {against}",
            BIASED,
            "arXiv 1905.01723 with arXiv 1706.08500",
        ),
    )
    return tuple(
        Metric(
            f"{name}_{network}",
            partial(function, network, distance),
            "lower",
            "0 is equal; the scale is the network's own",
            description,
            cannot,
            f"{source}, in another network than theirs",
            needs,
        )
        for name, function, distance, description, cannot, source in rows
    )


SETS = tuple(
    metric
    for network, features in NETWORKS.items()
    for metric in _network_metrics(network, features)
)
