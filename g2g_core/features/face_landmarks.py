"""68 points of a face, with the weights of the npm package `@vladmandic/face-api`."""

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from g2g_core.features.face_resnet import MEAN
from g2g_core.features.manifest import convolution, read_manifest

REGIONS = {
    "left_eye": slice(36, 42),
    "right_eye": slice(42, 48),
    "nose": slice(27, 36),
    "mouth": slice(48, 68),
}
"""Region of the face -> its points among the 68; left is the left of the image."""


class FaceLandmarks(nn.Module):
    """A network from a face image to 68 points.

    Points 0-16 are the jaw, 17-26 the brows, 27-35 the nose, 36-47 the eyes, and 48-67 the mouth.
    The network is differentiable and has 357,000 parameters. It takes square face crops of 112
    pixels; images of other sizes are resized bilinearly. The mean error on frontal photographs is
    about 7% of the distance between the eyes.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 256)
        self.blocks = nn.ModuleDict(
            {f"dense{i}": _Dense(widths[i], widths[i + 1], plain_first=i == 0) for i in range(4)}
        )
        self.fc = nn.Linear(256, 136)

    def forward(self, images: Tensor) -> Tensor:
        """Return the points of face images.

        Args:
            images: (B, 3, H, W) RGB in [-1, 1].

        Returns:
            (B, 68, 2): (x, y) in [0, 1] of the width and the height.
        """
        if images.shape[-2:] != (112, 112):
            images = functional.interpolate(images, (112, 112), mode="bilinear", antialias=True)
        x = ((images * 0.5 + 0.5) * 255 - images.new_tensor(MEAN).view(1, 3, 1, 1)) / 255
        for block in self.blocks.values():
            x = block(x)
        points: Tensor = self.fc(functional.avg_pool2d(x, 7, 2).flatten(1))
        return points.view(-1, 68, 2)

    @classmethod
    def load(cls, manifest: Path) -> "FaceLandmarks":
        """Return the frozen network with the weights of the package.

        Args:
            manifest: the package's `face_landmark_68_model-weights_manifest.json`.
        """
        state: dict[str, Tensor] = {}
        for name, value in read_manifest(manifest).items():
            if name.startswith("fc/"):
                state["fc.weight" if name == "fc/weights" else "fc.bias"] = (
                    value.T if value.dim() == 2 else value
                )
                continue

            # The package's names, with PyTorch's names for the two convolutions of `_Separable`.
            layer = "blocks." + name.replace("/", ".")
            for package_name, module_name in (
                ("filters", "pointwise.weight"),
                ("depthwise_filter", "depthwise.weight"),
                ("pointwise_filter", "pointwise.weight"),
            ):
                if layer.endswith("." + package_name):
                    layer = layer.removesuffix(package_name) + module_name
            state[
                layer.removesuffix(".bias") + ".pointwise.bias"
                if layer.endswith(".bias")
                else layer
            ] = convolution(value) if value.dim() == 4 else value

        net = cls()
        net.load_state_dict(state)
        return net.requires_grad_(False).eval()


class _Separable(nn.Module):
    """A 3x3 convolution of each channel, then a 1x1 convolution, with TensorFlow's padding.

    With `plain`, it is one full 3x3 convolution instead.
    """

    def __init__(self, narrow: int, wide: int, stride: int, plain: bool = False) -> None:
        super().__init__()
        self.stride = stride
        if not plain:
            self.depthwise = nn.Conv2d(narrow, narrow, 3, stride, groups=narrow, bias=False)
        self.pointwise = nn.Conv2d(narrow, wide, 3 if plain else 1, stride if plain else 1)

    def forward(self, x: Tensor) -> Tensor:
        """Pad the input and convolve it."""
        # The maps have even sides, so a stride of 2 needs only one pixel, after the image.
        x = functional.pad(x, (0, 1, 0, 1) if self.stride == 2 else (1, 1, 1, 1))
        out: Tensor = self.pointwise(self.depthwise(x) if hasattr(self, "depthwise") else x)
        return out


class _Dense(nn.Module):
    """Four convolutions, each of the sum of all before it; the first one halves the map."""

    def __init__(self, narrow: int, wide: int, plain_first: bool) -> None:
        super().__init__()
        self.conv0 = _Separable(narrow, wide, 2, plain_first)
        self.conv1 = _Separable(wide, wide, 1)
        self.conv2 = _Separable(wide, wide, 1)
        self.conv3 = _Separable(wide, wide, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the four convolutions, rectified."""
        total = functional.relu(self.conv0(x))
        total = total + self.conv1(total)
        total = total + self.conv2(functional.relu(total))
        total = total + self.conv3(functional.relu(total))
        return functional.relu(total)
