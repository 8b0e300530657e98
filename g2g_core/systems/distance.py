"""Distances between images that reconstruction losses are made of: pixels, and maps of networks."""

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from g2g_core.features.efficientnet_lite0 import EfficientNetLite0
from g2g_core.features.weights import EFFICIENTNET_LITE0, VGG16, find_weights, load_state

Perceptual = Literal["pixels", "vgg16", "efficientnet_lite0"]
"""Name of a distance."""

VGG_LAYERS = {"relu1_2": 3, "relu2_2": 8, "relu3_2": 13, "relu4_3": 22, "pool5": 30}
"""Maps that LORD compares -> their index in torchvision's `vgg16().features`.

The authors' list names the convolutions before the first four, but the ReLU that follows changes
their output in place, so these are the maps that their code compares.
"""


class VggMaps(nn.Module):
    """The five feature maps of VGG16 that LORD compares.

    Images enter in [0, 1], without ImageNet's normalization, as in the authors' code.
    """

    def __init__(self) -> None:
        super().__init__()
        # This imports torchvision, which takes seconds that only users of VGG16 should wait.
        from torchvision.models.vgg import cfgs, make_layers

        self.features: nn.Sequential = make_layers(cfgs["D"])
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> Iterator[Tensor]:
        """Yield the maps of images (B, 3, H, W) in [0, 1], from shallow to deep."""
        maps = images
        for index, layer in enumerate(self.features):
            maps = layer(maps)
            if index in VGG_LAYERS.values():
                yield maps


class Lite0Maps(nn.Module):
    """Feature maps of EfficientNet-Lite0, after four of its stages."""

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNetLite0()
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> Iterator[Tensor]:
        """Yield the maps of images (B, 3, H, W) in [0, 1], from shallow to deep."""
        yield from self.network.maps(2 * images - 1)[1:]


class ImageDistance(nn.Module):
    """Mean absolute difference of pixels, plus that of each feature map of a frozen network.

    This is LORD's perceptual loss (arXiv 1906.11796) as its PyTorch code has it: every term has
    weight 1. The paper's own code averages the maps and has no term on pixels.

    Args:
        maps: yields the feature maps of images in [0, 1]; None compares pixels only.
    """

    def __init__(self, maps: nn.Module | None = None) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, images: Tensor, targets: Tensor) -> Tensor:
        """Return the distance of images (B, 3, H, W) in [0, 1] from their targets, a scalar."""
        return torch.stack(list(self.terms(images, targets))).sum()

    def terms(self, images: Tensor, targets: Tensor) -> Iterator[Tensor]:
        """Yield the distance of pixels, then that of each map."""
        yield (images - targets).abs().mean()
        if self.maps is not None:
            with torch.no_grad():
                wanted = list(self.maps(targets))
            for map_, target in zip(self.maps(images), wanted, strict=True):
                yield (map_ - target).abs().mean()


def _vgg16() -> VggMaps:
    """Return VGG16's maps with torchvision's ImageNet weights."""
    maps = VggMaps()
    state = load_state(find_weights(VGG16))
    # The file also contains the classifier.
    maps.load_state_dict({name: state[name] for name in maps.state_dict()})
    return maps


def _lite0() -> Lite0Maps:
    """Return EfficientNet-Lite0's maps with its ImageNet weights."""
    maps = Lite0Maps()
    maps.network.load_state_dict(load_state(find_weights(EFFICIENTNET_LITE0)))
    return maps


MAPS: dict[str, Callable[[], nn.Module] | None] = {
    "pixels": None,
    "vgg16": _vgg16,
    "efficientnet_lite0": _lite0,
}
"""Name of a distance -> function that returns its network; None: pixels only."""


def image_distance(name: Perceptual) -> ImageDistance:
    """Return the distance of this name.

    Raises:
        MissingWeights: the weights of its network are not installed.
    """
    make = MAPS[name]
    return ImageDistance(None if make is None else make().eval())
