"""VGG16 features for perceptual losses (arXiv 1409.1556), in torchvision's numbering."""

from torch import Tensor, nn

LAYERS = {"relu1_2": 3, "relu2_2": 8, "relu3_3": 15, "relu4_3": 22}
"""Name of a feature map -> index of its ReLU in torchvision's `vgg16().features`."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's RGB values in [0, 1]."""

_WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512)
"""Output channels of the convolutions up to relu4_3; 0 means a 2x2 max pool."""


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
        layers: list[nn.Module] = []
        channels = 3
        for width in _WIDTHS:
            layers += (
                [nn.Conv2d(channels, width, 3, 1, 1), nn.ReLU()] if width else [nn.MaxPool2d(2)]
            )
            channels = width or channels
        self.features = nn.Sequential(*layers)

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
    mean, deviation = (images.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    return (images * 0.5 + 0.5 - mean) / deviation
