"""The identity encoder of CycleFUNIT: ResNet-50 in the Caffe layout, trained on VGGFace2.

Source: arXiv 1710.08092.
"""

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((2, 3, 64), (3, 4, 128), (4, 6, 256), (5, 3, 512))
"""(number in the layers' names, bottlenecks, inner channels) of each stage."""

MEAN = (131.0912, 103.8827, 91.4953)
"""Mean RGB value of VGGFace2, in [0, 255]."""


def vggface_range(images: Tensor) -> Tensor:
    """Return images (B, 3, H, W) in [-1, 1] as RGB in [0, 255] minus VGGFace2's mean."""
    return (images * 0.5 + 0.5) * 255 - images.new_tensor(MEAN).view(1, 3, 1, 1)


class ResNet50(nn.Module):
    """A network from a face image to a code of 2048 non-negative numbers.

    This is not torchvision's ResNet-50, because the codes must be those of the Caffe model: the
    stride of 2 is in the first 1x1 convolution of a stage, and the first pool has no padding. With
    the weights of the tests, the codes of torchvision's network differ by 7%. With other strides
    and pools, they would be the same, but layers would lose the names of the converted Caffe model,
    which the weight file and checkpoints use.

    The network has 23,508,032 parameters, without the classifier. Images must have 195 to 224
    pixels, so that the last map is 7x7.
    """

    dim = 2048

    def __init__(self) -> None:
        super().__init__()
        self._layer("conv1_7x7_s2", 3, 64, 7, 2, 3)
        channels = 64
        for stage, blocks, inner in STAGES:
            for block in range(1, blocks + 1):
                stride = 2 if block == 1 and stage > 2 else 1
                name = f"conv{stage}_{block}_"
                self._layer(name + "1x1_reduce", channels, inner, 1, stride)
                self._layer(name + "3x3", inner, inner, 3, 1, 1)
                self._layer(name + "1x1_increase", inner, 4 * inner, 1)
                if block == 1:
                    self._layer(name + "1x1_proj", channels, 4 * inner, 1, stride)
                channels = 4 * inner

    def forward(self, images: Tensor) -> Tensor:
        """Return the codes of face images.

        Args:
            images: (B, 3, H, W) RGB in [-1, 1], H and W from 195 to 224.

        Returns:
            (B, 2048).

        Raises:
            ValueError: the images have another size.
        """
        if not all(195 <= side <= 224 for side in images.shape[-2:]):
            height, width = images.shape[-2:]
            raise ValueError(
                "image_size: the ResNet-50 identity encoder takes 195 to 224 px, "
                f"not {height}x{width}"
            )
        return self.encode(vggface_range(images))

    def encode(self, pixels: Tensor) -> Tensor:
        """Return the codes of images in the network's own range (0 to 255 minus the mean)."""
        x = functional.relu(self._norm_of("conv1_7x7_s2", pixels))
        x = functional.max_pool2d(x, 3, 2, ceil_mode=True)

        for stage, blocks, _ in STAGES:
            for block in range(1, blocks + 1):
                name = f"conv{stage}_{block}_"
                inner = functional.relu(self._norm_of(name + "1x1_reduce", x))
                inner = functional.relu(self._norm_of(name + "3x3", inner))
                shortcut = self._norm_of(name + "1x1_proj", x) if block == 1 else x
                x = functional.relu(self._norm_of(name + "1x1_increase", inner) + shortcut)

        return functional.avg_pool2d(x, 7, 1).flatten(1)

    def _layer(
        self, name: str, narrow: int, wide: int, kernel: int, stride: int = 1, padding: int = 0
    ) -> None:
        """Add a convolution and its batch norm."""
        self.add_module(name, nn.Conv2d(narrow, wide, kernel, stride, padding, bias=False))
        self.add_module(name + "_bn", nn.BatchNorm2d(wide))

    def _norm_of(self, name: str, x: Tensor) -> Tensor:
        """Apply a convolution and its batch norm, by the name of the convolution."""
        out: Tensor = self.get_submodule(name + "_bn")(self.get_submodule(name)(x))
        return out
