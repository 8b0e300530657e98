"""Feature networks of metrics, and whether their weights are installed."""

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
"""Network that compares image sets -> its description."""

WEIGHTS: dict[str, WeightFile] = {
    "lite0": EFFICIENTNET_LITE0,
    "face_resnet": FACE_RESNET,
    "face_landmarks": FACE_LANDMARKS,
}
"""Network -> the file of its weights."""

SMALLEST_PX, LARGEST_PX = 128, 224
"""Limits for the side of the images that EfficientNet-Lite0 gets, pixels."""


class Judge(Protocol):
    """A frozen network whose features metrics compare.

    Attributes:
        resize: how images are brought to the input size.
        input_px: side of the input images, pixels.
    """

    resize: str
    input_px: int

    def to(self, device: torch.device) -> Self:
        """Return the network on a device."""
        ...

    def look(self, images: Tensor) -> list[Tensor]:
        """Return feature maps and a code of each image.

        Args:
            images: (N, 3, H, W) in [-1, 1].

        Returns:
            Maps (N, c, h, w) from shallow to deep, and last one code per image, (N, ...).
        """
        ...


class Lite0(nn.Module):
    """EfficientNet-Lite0: a 1280-dimensional average, and the maps after four of its stages.

    The network was trained at 224 pixels. Images up to 128 pixels are enlarged to 128 pixels only.
    The nearest neighbors of animal heads are then of the same breed as often (0.87) as at 224
    pixels (0.88), in a quarter of the time.

    Args:
        image_size: side of the images, pixels.

    Raises:
        MissingWeights: the weights of the network are not installed.
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
        # This memory layout is a sixth faster on a CPU.
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    def look(self, images: Tensor) -> list[Tensor]:
        """Return the maps at 1/4 to 1/32 of the side, and their average.

        The maps have 24 channels at 1/4 of the side, 40 at 1/8, 112 at 1/16, and 320 at 1/32. The
        average is (N, 1280).
        """
        maps = self.network.maps(self._fitted(images))
        return [*maps[1:], self.network.pooled_of(maps[-1])]

    def _fitted(self, images: Tensor) -> Tensor:
        if images.shape[-1] != self.input_px:
            images = interpolate(images, size=(self.input_px,) * 2, mode="bilinear", antialias=True)
        return images.contiguous(memory_format=torch.channels_last)


class FaceJudge(nn.Module):
    """A face network as a judge: one code per image, and no maps.

    Args:
        network: the frozen face network.
        input_px: side of the images that it takes, pixels.
    """

    def __init__(self, network: FaceResNet | FaceLandmarks, input_px: int) -> None:
        super().__init__()
        self.network = network
        self.input_px = input_px
        self.resize = f"bilinear, anti-aliased, to {input_px} px"

    def look(self, images: Tensor) -> list[Tensor]:
        """Return one code per image: (N, 128) of identity, or 68 points (N, 68, 2) in [0, 1]."""
        return [self.network(images)]


def face_resnet() -> FaceJudge:
    """Return the network of identity codes.

    Raises:
        MissingWeights: its weights are not installed.
    """
    return FaceJudge(FaceResNet.load(find_weights(FACE_RESNET)), 150)


def face_landmarks() -> FaceJudge:
    """Return the network of the 68 face points.

    Raises:
        MissingWeights: its weights are not installed.
    """
    return FaceJudge(FaceLandmarks.load(find_weights(FACE_LANDMARKS)), 112)


def absent(network: str) -> str | None:
    """Return why a network can't be used, with advice on how to get its weights, or None.

    Args:
        network: key of `WEIGHTS`.
    """
    try:
        find_weights(WEIGHTS[network])
    except MissingWeights as error:
        return str(error)
    return None
