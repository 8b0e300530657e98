"""VGG16 features for perceptual losses (arXiv 1409.1556), with torchvision's layers and numbering.

Importing torchvision takes seconds. Therefore, `g2g_core.features.perceptual` imports this module
only when a trial uses the network.
"""

from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers
from torchvision.transforms.v2.functional import normalize

LAYERS = {"relu1_2": 3, "relu2_2": 8, "relu3_3": 15, "relu4_3": 22}
"""Name of a feature map -> index of its ReLU in torchvision's `vgg16().features`."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's RGB values in [0, 1]."""


class Vgg16(nn.Module):
    """The convolutions of VGG16 up to relu4_3.

    A call runs only as deep as the requested layer.

    Args:
        normalise: whether to convert images in [-1, 1] to the range that the network was trained on
            (ImageNet's mean and deviation). False feeds them unchanged, as in one branch of the
            authors' code.
    """

    def __init__(self, normalise: bool = True) -> None:
        super().__init__()
        self.normalise = normalise
        # Configuration D is VGG16, and its first 13 entries end with relu4_3. torchvision's
        # `vgg16()` would also create the classifier, which takes 500 MB and seconds.
        self.features: nn.Sequential = make_layers(cfgs["D"][:13])

    def forward(self, images: Tensor, layer: str = "relu2_2") -> Tensor:
        """Return one feature map.

        Args:
            images: (B, 3, H, W) in [-1, 1].
            layer: key of `LAYERS`.

        Returns:
            (B, C, h, w); for `relu2_2`, (B, 128, H/2, W/2).
        """
        x = imagenet_range(images) if self.normalise else images
        for module in self.features[: LAYERS[layer] + 1]:
            x = module(x)
        return x


def imagenet_range(images: Tensor) -> Tensor:
    """Normalize images (B, 3, H, W) in [-1, 1] by ImageNet's mean and deviation per channel."""
    normalized: Tensor = normalize(images * 0.5 + 0.5, MEAN, DEVIATION)
    return normalized
