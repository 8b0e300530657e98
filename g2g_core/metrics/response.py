"""What mixed images respond to: content, class, or nothing at all.

Each metric takes an evaluation and returns a number. None of them needs the true mixed images.
"""

from torch import Tensor

from g2g_core.metrics.images import edges, l1, rms
from g2g_core.metrics.metric import Metric
from g2g_core.passes.cross import swap
from g2g_core.passes.evaluation import Evaluation


def mixed_diversity(evaluation: Evaluation) -> float:
    """Return the spread of the mixed images relative to that of the originals."""
    return _spread(evaluation.mixed) / _spread(evaluation.real)


def content_effect(evaluation: Evaluation) -> float:
    """Return the L1 distance of two images with the same class code and two contents.

    The value is relative to the distance of the two originals.
    """
    return l1(evaluation.mixed, evaluation.self_recon) / l1(evaluation.real, swap(evaluation.real))


def class_effect(evaluation: Evaluation) -> float:
    """Return the L1 distance of two images with the same content code and two classes.

    The value is relative to the distance of the two originals.
    """
    return l1(evaluation.mixed, swap(evaluation.self_recon)) / l1(
        evaluation.real, swap(evaluation.real)
    )


def content_distance_edges(evaluation: Evaluation) -> float:
    """Return the distance between the contours of mixed and content images.

    The value is relative to the distance of the pair's two originals.
    """
    real = edges(evaluation.real)
    return rms(edges(evaluation.mixed), swap(real)) / rms(real, swap(real))


def mixed_content_l1(evaluation: Evaluation) -> float:
    """Return the L1 distance of the mixed images from their content images."""
    return l1(evaluation.mixed, swap(evaluation.real))


def mixed_class_l1(evaluation: Evaluation) -> float:
    """Return the L1 distance of the mixed images from their class images."""
    return l1(evaluation.mixed, evaluation.real)


def _spread(images: Tensor) -> float:
    """Return the root mean square distance per pixel of (N, 3, H, W) images from their mean."""
    return float(images.var(dim=0).mean().sqrt())


RESPONSE = (
    Metric(
        "mixed_diversity",
        mixed_diversity,
        None,
        "0 is collapse, 1 is as diverse as the originals",
        "root mean square distance between mixed images over that between originals",
        "whether the diversity is the right one",
    ),
    Metric(
        "content_effect",
        content_effect,
        None,
        "0: the content image is ignored; about 1: it matters as much as in originals",
        "L1(G(c_a, s_b), G(c_b, s_b)) / L1(x_a, x_b)",
        "whether the content changes in the right way",
    ),
    Metric(
        "class_effect",
        class_effect,
        None,
        "0: the class image is ignored (a copy of the content); about 1: it matters as much as in "
        "originals",
        "L1(G(c_a, s_b), G(c_a, s_a)) / L1(x_a, x_b)",
        "whether the class changes in the right way",
    ),
    Metric(
        "content_distance_edges",
        content_distance_edges,
        "lower",
        "0: the contours of the content image; 1: as far from them as the class image's",
        "root mean square distance of the contours (local size of the colour gradient, normalised "
        "per image) of mixed and content images, over that of the pair's two originals",
        "whether the class has changed: a copy of the content image is perfect",
        "the idea of FUNIT's domain-invariant perceptual distance (arXiv 1905.01723) without a "
        "network",
    ),
    Metric(
        "mixed_content_l1",
        mixed_content_l1,
        None,
        "image range is 2; 0 is a copy of the content image",
        "mean absolute difference of mixed images and their content images",
        "how near the truth is: a right mixed image has some distance too",
    ),
    Metric(
        "mixed_class_l1",
        mixed_class_l1,
        None,
        "image range is 2; 0 is a copy of the class image",
        "mean absolute difference of mixed images and their class images",
        "how near the truth is: a right mixed image has some distance too",
    ),
)
