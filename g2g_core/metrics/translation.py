"""FUNIT's measures (arXiv 1905.01723): is the mixed image of the intended class, and is its content kept."""

from functools import partial
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import instance_norm, normalize

from g2g_core.evaluation import Evaluation, swap
from g2g_core.metrics.images import rms
from g2g_core.metrics.metric import Metric, Need
from g2g_core.metrics.networks import NETWORKS
from g2g_core.metrics.reconstruction import Span, long, mixed, short
from g2g_core.metrics.references import CHUNK


def translation_accuracy(evaluation: Evaluation) -> float:
    """Share of mixed images that the classifier takes for the class they should have."""
    return _share(evaluation, evaluation.mixed, evaluation.labels)


def mixed_as_content_class(evaluation: Evaluation) -> float:
    """Share of mixed images that the classifier takes for the class of their content image."""
    return _share(evaluation, evaluation.mixed, swap(evaluation.labels))


def real_accuracy(evaluation: Evaluation) -> float:
    """Share of the original images that the classifier takes for their class."""
    return _share(evaluation, evaluation.real, evaluation.labels)


def classifier_accuracy(evaluation: Evaluation) -> float:
    """The classifier's accuracy on held-out images."""
    return evaluation.references.judgement.accuracy


def content_distance_lite0(evaluation: Evaluation) -> float:
    """Distance of mixed and content image in instance-normalised features, over that of the pair's two originals."""
    mixed, real = _normalised(evaluation, "mixed"), _normalised(evaluation, "real")
    return rms(mixed, swap(real)) / rms(real, swap(real))


def perceptual(network: str, span: Span, evaluation: Evaluation) -> float:
    """Squared distance of channel-normalised features, mean over places and images, summed over the maps."""
    images, targets = span(evaluation)
    net = evaluation.references.network(network).to(images.device)
    total = 0.0
    with torch.no_grad():
        for pair in zip(torch.split(images, CHUNK), torch.split(targets, CHUNK), strict=True):
            maps = (map(_unit, net.maps(chunk)) for chunk in pair)
            apart = [(x - y).square().sum(dim=1).mean(dim=(1, 2)) for x, y in zip(*maps, strict=True)]
            total += float(torch.stack(apart).sum())
    return total / len(images)


def _share(evaluation: Evaluation, images: Tensor, labels: Tensor) -> float:
    classifier = evaluation.references.classifier.to(images.device)
    with torch.no_grad():
        judged = torch.cat([classifier(chunk).argmax(dim=1) for chunk in torch.split(images, CHUNK)])
    return float((judged == labels).double().mean())


def _normalised(evaluation: Evaluation, stack: str) -> Tensor:
    """The last map but one of EfficientNet-Lite0, with each image's channel means and spreads (the look) removed."""

    def look(images: Tensor) -> Tensor:
        net = evaluation.references.network("lite0").to(images.device)
        with torch.no_grad():
            return torch.cat([instance_norm(net.maps(chunk)[-2]) for chunk in torch.split(images, CHUNK)])

    return evaluation.seen(stack, "lite0/content", look)


def _unit(maps: Tensor) -> Tensor:
    """Each place's feature vector at length 1."""
    return normalize(maps, eps=1e-10)


def _perceptual_metrics(network: str, features: str) -> tuple[Metric, ...]:
    """Perceptual distances in the features of one network."""
    spans: tuple[tuple[Span, str, tuple[Need, ...]], ...] = (
        (short, "short reconstructions and originals", ()),
        (long, "full reconstructions and originals", ()),
        (mixed, "mixed images and their exact truth", ("truth",)),
    )
    return tuple(
        Metric(
            f"{span.__name__}_perceptual_{network}",
            partial(perceptual, network, span),
            "lower",
            "0 is equal; uncalibrated",
            f"squared distance of channel-normalised features of {features}, mean over places, sum over maps: {of}",
            "how people see it: no human judgements went in",
            "the form of arXiv 1801.03924 without its learned weights",
            frozenset((cast(Need, network), *more)),
        )
        for span, of, more in spans
    )


TRANSLATION = (
    Metric(
        "translation_accuracy",
        translation_accuracy,
        "higher",
        "share of images; chance is 1 / classes; its ceiling is real_accuracy",
        "share of mixed images that the classifier (see below) takes for the class they should have",
        "whether the content is kept: a copy of the class image is perfect",
        "arXiv 1905.01723",
        frozenset({"classifier"}),
    ),
    Metric(
        "mixed_as_content_class",
        mixed_as_content_class,
        "lower",
        "share of images; near real_accuracy: copied through",
        "share of mixed images that the classifier takes for the class of their content image",
        "what the others are taken for",
        "",
        frozenset({"classifier"}),
    ),
    Metric(
        "real_accuracy",
        real_accuracy,
        None,
        "share of images",
        "share of the original images that the classifier takes for their class: the ceiling of translation_accuracy",
        "nothing of the generator: it is a yardstick, and the classifier may have been trained on some of these images",
        "",
        frozenset({"classifier"}),
    ),
    Metric(
        "classifier_accuracy",
        classifier_accuracy,
        None,
        "share of images",
        "the classifier's accuracy on real images held out from its training",
        "nothing of the generator: it is a yardstick",
        "",
        frozenset({"classifier"}),
    ),
    Metric(
        "content_distance_lite0",
        content_distance_lite0,
        "lower",
        "0: the same content; 1: as far apart as the pair's two originals",
        "root mean square distance of mixed and content images in instance-normalised features of EfficientNet-Lite0 "
        "(at 1/16 of its side), over that of the two originals",
        "whether the class has changed: a copy of the content image is perfect",
        "FUNIT's domain-invariant perceptual distance (arXiv 1905.01723) in another network, as a ratio",
        frozenset({"lite0"}),
    ),
    *(metric for network, features in NETWORKS.items() for metric in _perceptual_metrics(network, features)),
)
