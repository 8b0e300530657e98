"""Face identity by dlib's face ResNet.

The weights are the quantized ones of the npm package `@vladmandic/face-api`. torchvision has no
network with these layers.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from g2g_core.features.manifest import convolution, read_manifest

MEAN = (122.782, 117.001, 104.298)
"""Mean RGB value in [0, 255] of the images that the face networks were trained on."""

UNITS = (
    *((f"conv32_{i}", 32, 32) for i in (1, 2, 3)),
    ("conv64_down", 32, 64),
    *((f"conv64_{i}", 64, 64) for i in (1, 2, 3)),
    ("conv128_down", 64, 128),
    *((f"conv128_{i}", 128, 128) for i in (1, 2)),
    ("conv256_down", 128, 256),
    *((f"conv256_{i}", 256, 256) for i in (1, 2)),
    ("conv256_down_out", 256, 256),
)
"""(name in the package's file, channels in, channels out) of each residual unit.

Units with `down` in their names halve the map.
"""


class FaceResNet(nn.Module):
    """A network from a face image to an identity code of 128 numbers.

    Codes of the same person have a Euclidean distance below about 0.5 to 0.6. The network is
    differentiable and has 5.6 million parameters. It was trained on tight, upright face crops of
    150 pixels; images of other sizes are resized bilinearly.
    """

    dim = 128

    def __init__(self) -> None:
        super().__init__()
        self.conv32_down = _ScaledConv(3, 32, 7, 2, 0)
        self.units = nn.ModuleDict(
            {name: _Unit(narrow, wide, "down" in name) for name, narrow, wide in UNITS}
        )
        self.fc = nn.Linear(256, self.dim, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the codes (B, 128) of RGB images (B, 3, H, W) in [-1, 1]."""
        if images.shape[-2:] != (150, 150):
            images = functional.interpolate(images, (150, 150), mode="bilinear", antialias=True)
        pixels = (images * 0.5 + 0.5) * 255 - images.new_tensor(MEAN).view(1, 3, 1, 1)
        x = functional.max_pool2d(functional.relu(self.conv32_down(pixels / 256)), 3, 2)
        for unit in self.units.values():
            x = unit(x)
        code: Tensor = self.fc(x.mean((2, 3)))
        return code

    @classmethod
    def load(cls, manifest: Path) -> "FaceResNet":
        """Return the frozen network with the weights of the package.

        Args:
            manifest: the package's `face_recognition_model-weights_manifest.json`.
        """
        tensors = read_manifest(manifest)
        state = {"fc.weight": tensors.pop("fc").T}
        for name, value in tensors.items():
            unit, *inside = name.split("/")
            layer = ".".join((unit if unit == "conv32_down" else f"units.{unit}", *inside))
            layer = layer.replace("conv.filters", "conv.weight")
            layer = layer.replace("scale.weights", "weight").replace("scale.biases", "bias")
            state[layer] = convolution(value) if value.dim() == 4 else value

        net = cls()
        net.load_state_dict(state)
        return net.requires_grad_(False).eval()


class _ScaledConv(nn.Module):
    """A convolution, then a scale and an offset per channel."""

    def __init__(
        self, narrow: int, wide: int, kernel: int = 3, stride: int = 1, padding: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(narrow, wide, kernel, stride, padding)
        self.weight = nn.Parameter(torch.ones(wide))
        self.bias = nn.Parameter(torch.zeros(wide))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, scale, and shift the input."""
        out: Tensor = self.conv(x) * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)
        return out


class _Unit(nn.Module):
    """A residual unit of two convolutions; if it halves the map, its shortcut averages 2x2."""

    def __init__(self, narrow: int, wide: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.conv1 = _ScaledConv(narrow, wide, 3, 2, 0) if halves else _ScaledConv(narrow, wide)
        self.conv2 = _ScaledConv(wide, wide)

    def forward(self, x: Tensor) -> Tensor:
        """Return the rectified sum of the convolutions and the shortcut."""
        out = self.conv2(functional.relu(self.conv1(x)))
        return functional.relu(
            _sum_filled(out, functional.avg_pool2d(x, 2, 2) if self.halves else x)
        )


def _sum_filled(a: Tensor, b: Tensor) -> Tensor:
    """Return the sum of two (B, C, H, W) tensors of different sizes.

    The smaller one is filled with zeros after its last channels, rows, and columns.
    """
    if a.shape == b.shape:
        return a + b

    sizes = [max(pair) for pair in zip(a.shape[1:], b.shape[1:], strict=True)]
    filled = []
    for x in (a, b):
        pads: list[int] = []
        for size, side in zip(reversed(sizes), reversed(x.shape), strict=False):
            pads += [0, size - side]
        filled.append(functional.pad(x, pads))

    return filled[0] + filled[1]
