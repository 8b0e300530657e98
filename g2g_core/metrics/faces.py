"""Metrics of faces: identity of the mixed image, and positions of eyes, nose, and mouth.

Each metric takes an evaluation and returns a mean over its images.
"""

from torch import Tensor

from g2g_core.features.face_landmarks import REGIONS
from g2g_core.metrics.metric import Metric, Need
from g2g_core.passes.cross import swap
from g2g_core.passes.evaluation import Evaluation

SMALLEST_EYE_DISTANCE = 1e-3
"""Share of the image's side. It prevents a division by zero for images without a face."""


def identity_distance_class(evaluation: Evaluation) -> float:
    """Return the distance between the identity codes of mixed and class images."""
    return _mean(_distances(_code(evaluation, "mixed"), _code(evaluation, "real")))


def identity_distance_content(evaluation: Evaluation) -> float:
    """Return the distance between the identity codes of mixed and content images."""
    return _mean(_distances(_code(evaluation, "mixed"), swap(_code(evaluation, "real"))))


def identity_distance_pairs(evaluation: Evaluation) -> float:
    """Return the distance between the identity codes of the two originals of a pair."""
    real = _code(evaluation, "real")
    return _mean(_distances(real, swap(real)))


def identity_swapped(evaluation: Evaluation) -> float:
    """Return the share of mixed images whose identity code is nearer to that of the class image.

    The code of the content image is the other candidate.
    """
    mixed, real = _code(evaluation, "mixed"), _code(evaluation, "real")
    return _mean((_distances(mixed, real) < _distances(mixed, swap(real))).double())


def landmark_distance(evaluation: Evaluation) -> float:
    """Return the distance between the 68 face points of mixed and content images."""
    return points_distance(_points(evaluation, "mixed"), swap(_points(evaluation, "real")))


def landmark_distance_pairs(evaluation: Evaluation) -> float:
    """Return the distance between the 68 face points of the two originals of a pair."""
    real = _points(evaluation, "real")
    return points_distance(real, swap(real))


def points_distance(points: Tensor, targets: Tensor) -> float:
    """Return the mean distance of (N, 68, 2) points, in units of the targets' eye distance."""
    eyes = _distances(
        targets[:, REGIONS["left_eye"]].mean(dim=1), targets[:, REGIONS["right_eye"]].mean(dim=1)
    )
    return _mean(_distances(points, targets).mean(dim=1) / eyes.clamp(min=SMALLEST_EYE_DISTANCE))


def _code(evaluation: Evaluation, stack: str) -> Tensor:
    return evaluation.seen(stack, "face_resnet")[-1]


def _points(evaluation: Evaluation, stack: str) -> Tensor:
    return evaluation.seen(stack, "face_landmarks")[-1]


def _distances(first: Tensor, second: Tensor) -> Tensor:
    """Return Euclidean distances along the last axis."""
    return (first - second).square().sum(dim=-1).sqrt()


def _mean(values: Tensor) -> float:
    return float(values.mean())


ENCODER: frozenset[Need] = frozenset({"face_resnet"})
POINTS: frozenset[Need] = frozenset({"face_landmarks"})
IDENTITY_UNIT = "Euclidean; one person is below about 0.5 to 0.6, two people lie about 0.75 apart"
EYES = "distances between the content image's eyes; the network's own error is about 0.07"
CODES = "identity codes (dlib's face ResNet, whole image resized to 150 px)"
DLIB = "dlib's face recognition network"
IBUG = "68 points of the npm package @vladmandic/face-api"
CROPS = "faces that are not tight, upright crops; people that the encoder knows badly"

FACES = (
    Metric(
        "identity_distance_class",
        identity_distance_class,
        "lower",
        IDENTITY_UNIT,
        f"distance of mixed and class images in {CODES}",
        CROPS,
        DLIB,
        ENCODER,
    ),
    Metric(
        "identity_distance_content",
        identity_distance_content,
        "higher",
        IDENTITY_UNIT,
        f"distance of mixed and content images in {CODES}; near 0: copied through",
        f"whether the image shows a face at all; {CROPS}",
        DLIB,
        ENCODER,
    ),
    Metric(
        "identity_distance_pairs",
        identity_distance_pairs,
        None,
        IDENTITY_UNIT,
        f"distance of the two originals of a pair in {CODES}",
        "nothing of the generator: it is a yardstick",
        DLIB,
        ENCODER,
    ),
    Metric(
        "identity_swapped",
        identity_swapped,
        "higher",
        "share of images; 0.5 is chance",
        "share of mixed images that are nearer to the class image than to the content image "
        f"in {CODES}",
        f"how near; {CROPS}",
        DLIB,
        ENCODER,
    ),
    Metric(
        "landmark_distance",
        landmark_distance,
        "lower",
        EYES,
        "mean distance of 68 face points of mixed and content images",
        "whether the image is of the right person: a copy of the content image is perfect; "
        "faces that are not frontal",
        IBUG,
        POINTS,
    ),
    Metric(
        "landmark_distance_pairs",
        landmark_distance_pairs,
        None,
        EYES,
        "mean distance of 68 face points of the two originals of a pair",
        "nothing of the generator: it is a yardstick",
        IBUG,
        POINTS,
    ),
)
