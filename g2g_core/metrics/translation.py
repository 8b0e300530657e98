"""FUNIT's metrics (arXiv 1905.01723): class and content of the mixed images.

Each metric takes an evaluation and returns a number.
"""

from functools import partial
from math import nan
from typing import cast

from torch import Tensor
from torch.nn.functional import instance_norm, normalize

from g2g_core.metrics.images import rms
from g2g_core.metrics.metric import Metric, Need
from g2g_core.metrics.networks import NETWORKS
from g2g_core.passes.cross import swap
from g2g_core.passes.evaluation import Evaluation

CONTENT_MAP = -3
"""Position of the map at 1/16 of the side in what `Lite0.look` returns."""


def translation_accuracy(evaluation: Evaluation) -> float:
    """Return the share of mixed images that are classified as the class they should have."""
    return _share(evaluation, "mixed", evaluation.labels)


def mixed_as_content_class(evaluation: Evaluation) -> float:
    """Return the share of mixed images that are classified as their content image's class."""
    return _share(evaluation, "mixed", swap(evaluation.labels))


def real_accuracy(evaluation: Evaluation) -> float:
    """Return the share of original images that are classified correctly."""
    return _share(evaluation, "real", evaluation.labels)


def classifier_accuracy(evaluation: Evaluation) -> float:
    """Return the classifier's accuracy on held-out images; nan if it has none."""
    accuracy = evaluation.references.judgement.accuracy
    return nan if accuracy is None else accuracy


def content_distance_lite0(evaluation: Evaluation) -> float:
    """Return the distance of mixed and content images in instance-normalized features.

    The value is relative to the distance of the pair's two originals.
    """
    mixed, real = _normalized(evaluation, "mixed"), _normalized(evaluation, "real")
    return rms(mixed, swap(real)) / rms(real, swap(real))


def perceptual(network: str, stack: str, target: str, evaluation: Evaluation) -> float:
    """Return the squared distance of channel-normalized features.

    It is the mean over places and images, summed over the maps.

    Args:
        network: name of the feature network.
        stack: name of the images in the evaluation, for example `mixed`.
        target: name of the images that they should match.
        evaluation: the evaluation with both stacks.
    """
    maps = zip(
        evaluation.seen(stack, network)[:-1], evaluation.seen(target, network)[:-1], strict=True
    )
    return sum(float((_unit(x) - _unit(y)).square().sum(dim=1).mean()) for x, y in maps)


def _share(evaluation: Evaluation, stack: str, labels: Tensor) -> float:
    """Return the share of a stack that is classified as these labels."""
    logits = evaluation.references.classifier.logits(evaluation.seen(stack, "classifier")[-1])
    return float((logits.argmax(dim=1) == labels).double().mean())


def _normalized(evaluation: Evaluation, stack: str) -> Tensor:
    """Return the 112 maps of EfficientNet-Lite0 at 1/16 of the side, normalized per image.

    This removes the channels' means and spreads, which carry the look of the image.
    """
    return instance_norm(evaluation.seen(stack, "lite0")[CONTENT_MAP])


def _unit(maps: Tensor) -> Tensor:
    """Return the maps with the feature vector of each place at length 1."""
    return normalize(maps, eps=1e-10)


def _perceptual_metrics(network: str, features: str) -> tuple[Metric, ...]:
    """Return the metrics of perceptual distances in the features of a network."""
    spans: tuple[tuple[str, str, str, str, tuple[Need, ...]], ...] = (
        ("short", "self_recon", "real", "short reconstructions and originals", ()),
        ("long", "full_recon", "real", "full reconstructions and originals", ()),
        ("mixed", "mixed", "truth", "mixed images and their exact truth", ("truth",)),
    )
    return tuple(
        Metric(
            f"{span}_perceptual_{network}",
            partial(perceptual, network, stack, target),
            "lower",
            "0 is equal; uncalibrated",
            f"squared distance of channel-normalised features of {features}, mean over places, "
            f"sum over maps: {of}",
            "how people see it: no human judgements went in",
            "the form of arXiv 1801.03924 without its learned weights",
            frozenset((cast(Need, network), *more)),
        )
        for span, stack, target, of, more in spans
    )


TRANSLATION = (
    Metric(
        "translation_accuracy",
        translation_accuracy,
        "higher",
        "share of images; chance is 1 / classes; its ceiling is real_accuracy",
        "share of mixed images that the classifier (see below) takes for the class they should "
        "have",
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
        "share of the original images that the classifier takes for their class: the ceiling of "
        "translation_accuracy",
        "nothing of the generator: it is a yardstick, and the classifier may have been trained on "
        "some of these images",
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
        "root mean square distance of mixed and content images in instance-normalised features of "
        "EfficientNet-Lite0 (at 1/16 of its side), over that of the two originals",
        "whether the class has changed: a copy of the content image is perfect",
        "FUNIT's domain-invariant perceptual distance (arXiv 1905.01723) in another network, as a "
        "ratio",
        frozenset({"lite0"}),
    ),
    *(
        metric
        for network, features in NETWORKS.items()
        for metric in _perceptual_metrics(network, features)
    ),
)
