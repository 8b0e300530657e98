"""Feature networks of metrics: what they give, and which are there."""

from typing import Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from g2g_core.features.efficientnet_lite0 import EfficientNetLite0
from g2g_core.features.face_landmarks import FaceLandmarks
from g2g_core.features.face_resnet import FaceResNet
from g2g_core.features.weights import (
    EFFICIENTNET_LITE0,
    FACE_LANDMARKS,
    FACE_RESNET,
    MissingWeights,
    WeightFile,
    find_weights,
    load_state,
)

NETWORKS = {
    "classifier": "the classifier of the evaluation classes",
    "lite0": "EfficientNet-Lite0 (ImageNet)",
}
"""Network that image sets are compared in -> what it is, in words."""

WEIGHTS: dict[str, WeightFile] = {
    "lite0": EFFICIENTNET_LITE0,
    "face_resnet": FACE_RESNET,
    "face_landmarks": FACE_LANDMARKS,
}
"""Network -> the file that its weights come from."""


SMALLEST_PX, LARGEST_PX = 128, 224
"""Of the images that EfficientNet-Lite0 gets here."""


class Judge(Protocol):
    """A frozen network that metrics look through.

    Attributes:
        resize: how images are brought to its size.
        input_px: that size.
    """

    resize: str
    input_px: int

    def to(self, device: torch.device) -> Self:
        """The network on a device."""
        ...

    def look(self, images: Tensor) -> list[Tensor]:
        """Feature maps, shallow to deep, each (N, c, h, w), and last of all one (N, ...) code an
        image.

        Args:
            images: (N, 3, H, W) in [-1, 1].
        """
        ...


class Lite0(nn.Module):
    """EfficientNet-Lite0: a 1280-d average, and the maps after five of its stages.

    It was trained at 224 px. Images up to 128 px are brought to 128 px: nearest neighbours of
    animal heads are then of the same breed as often (0.87) as at 224 px (0.88), for a quarter of
    the time.

    Args:
        image_size: side of the images, pixels.

    Raises:
        MissingWeights: they are not there.
    """

    def __init__(self, image_size: int) -> None:
        super().__init__()
        self.input_px = min(max(image_size, SMALLEST_PX), LARGEST_PX)
        self.resize = (
            "none"
            if image_size == self.input_px
            else f"bilinear, anti-aliased, to {self.input_px} px"
        )
        self.network = EfficientNetLite0()
        self.network.load_state_dict(load_state(find_weights(EFFICIENTNET_LITE0)))
        self.requires_grad_(False).to(memory_format=torch.channels_last)  # a sixth faster on a CPU

    def look(self, images: Tensor) -> list[Tensor]:
        """Maps of 24 channels at 1/4 of the side, 40 at 1/8, 112 at 1/16, 320 at 1/32, and (N,
        1280)."""
        maps = self.network.maps(self._fitted(images))
        return [*maps[1:], self.network.pooled_of(maps[-1])]

    def _fitted(self, images: Tensor) -> Tensor:
        if images.shape[-1] != self.input_px:
            images = interpolate(images, size=(self.input_px,) * 2, mode="bilinear", antialias=True)
        return images.contiguous(memory_format=torch.channels_last)


class FaceJudge(nn.Module):
    """A face network, as a judge: it gives one code an image and no maps.

    Raises:
        MissingWeights: they are not there.
    """

    def __init__(self, network: FaceResNet | FaceLandmarks, input_px: int) -> None:
        super().__init__()
        self.network = network
        self.input_px = input_px
        self.resize = f"bilinear, anti-aliased, to {input_px} px"

    def look(self, images: Tensor) -> list[Tensor]:
        """One code an image: (N, 128) of identity, or 68 points (N, 68, 2) in [0, 1]."""
        return [self.network(images)]


def face_resnet() -> FaceJudge:
    """Identity codes."""
    return FaceJudge(FaceResNet.load(find_weights(FACE_RESNET)), 150)


def face_landmarks() -> FaceJudge:
    """Face points."""
    return FaceJudge(FaceLandmarks.load(find_weights(FACE_LANDMARKS)), 112)


def absent(network: str) -> str | None:
    """Why a network cannot be used here and how to get its weights; None when it can."""
    try:
        find_weights(WEIGHTS[network])
    except MissingWeights as error:
        return str(error)
    return None
