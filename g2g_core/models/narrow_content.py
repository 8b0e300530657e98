"""Content codes with less room for the class: the paper's outlook.

Any generator with FUNIT's kind of content code can have these options.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from g2g_core.features.face_landmarks import REGIONS, FaceLandmarks
from g2g_core.features.weights import FACE_LANDMARKS, find_weights
from g2g_core.seeding import generator as seeded
from g2g_core.transfer import to_device

LEFT_EYE = (0.25, 0.35, 0.46, 0.50)
RIGHT_EYE = (0.53, 0.35, 0.74, 0.50)
NOSE = (0.40, 0.46, 0.60, 0.68)
MOUTH = (0.32, 0.66, 0.68, 0.84)
FACE_BOXES = (*LEFT_EYE, *RIGHT_EYE, *NOSE, *MOUTH)
"""Boxes of an upright face that fills its image: x0, y0, x1, y1 of each, in [0, 1]."""

Eraser = Literal["none", "fixed", "landmarks"]
ERASERS: tuple[str, ...] = get_args(Eraser)

MARGIN = 0.04
"""Width erased around the landmarks of a region, as a fraction of the image's side."""


@dataclass(frozen=True)
class ContentOptions:
    """How much of the image the content code may carry; the defaults are plain FUNIT.

    Attributes:
        content_channels: channels of the code after a narrowing convolution; None keeps the
            encoder's channels.
        content_kernel: side of the narrowing convolution's kernel, in pixels of the code.
        content_stride: stride of the narrowing convolution; it divides the code's sides.
        content_noise: standard deviation of the normal noise that is added to the code in training;
            LORD has 1.0.
        content_erase: `none`; `fixed` grays out `content_boxes` before the content encoder;
            `landmarks` grays out eyes, nose, and mouth where a landmark network finds them.
        content_boxes: x0, y0, x1, y1 of each box, as fractions of width and height.
    """

    content_channels: int | None = None
    content_kernel: int = 1
    content_stride: int = 1
    content_noise: float = 0.0
    content_erase: Eraser = "none"
    content_boxes: tuple[float, ...] = FACE_BOXES

    def check_narrowing(self) -> None:
        """Check that the options go together.

        Raises:
            ValueError: they don't, or a value is out of range.
        """
        kernel, stride = self.content_kernel, self.content_stride
        if stride < 1 or kernel < stride or (stride == 1 and kernel % 2 == 0):
            raise ValueError(
                f"network.content_kernel: {kernel} does not go with content_stride {stride}"
            )
        if self.content_channels is not None and self.content_channels < 1:
            raise ValueError(f"network.content_channels: {self.content_channels} is less than 1")
        if self.content_noise < 0:
            raise ValueError(f"network.content_noise: {self.content_noise} is less than 0")
        if self.content_erase not in ERASERS:
            raise ValueError(
                f"network.content_erase: {self.content_erase!r} is not one of {', '.join(ERASERS)}"
            )
        if len(self.content_boxes) % 4:
            raise ValueError(
                f"network.content_boxes: {len(self.content_boxes)} numbers are not boxes of four"
            )

    def narrows(self) -> bool:
        """Return whether anything differs from plain FUNIT."""
        return bool(
            self.content_channels is not None
            or self.content_stride > 1
            or self.content_noise
            or self.content_erase != "none"
        )


class NarrowContent(nn.Module):
    """A generator whose content code is squeezed, disturbed, or taken from a partly erased image.

    Args:
        inner: the generator; its content code is (B, C, h, w).
        channels: C.
        options: the changes to the content code.
        seed: seed of the noise.

    Raises:
        ValueError: an unknown `content_erase`, boxes that are not in fours, or a kernel that does
            not fit its stride.
        MissingWeights: the weights of the landmark network are not installed.
    """

    def __init__(self, inner: nn.Module, channels: int, options: ContentOptions, seed: int) -> None:
        super().__init__()
        options.check_narrowing()
        self.inner = inner
        self.erase = _eraser(options)
        self.noise = options.content_noise
        self.seed = seed
        self.noises_drawn: Tensor
        self.register_buffer("noises_drawn", torch.zeros((), dtype=torch.int64))

        kernel, stride = options.content_kernel, options.content_stride
        narrow = options.content_channels or channels
        self.squeeze: nn.Module = nn.Identity()
        self.expand: nn.Module = nn.Identity()
        if options.content_channels is not None or stride > 1:
            self.squeeze = nn.Conv2d(channels, narrow, kernel, stride, (kernel - stride + 1) // 2)
            self.expand = nn.Sequential(
                nn.Upsample(scale_factor=stride), nn.Conv2d(narrow, channels, 3, 1, 1)
            )

    def _apply(self, *args: Any, **kwargs: Any) -> "NarrowContent":
        """Move or convert the module, but keep the number of draws on the CPU that draws."""
        drawn = self.noises_drawn
        super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.noises_drawn = drawn
        return self

    def content_code(self, images: Tensor) -> Tensor:
        """Return narrow codes (B, c, h / stride, w / stride) of images (B, 3, H, W) in [-1, 1].

        Noise is added in training mode only. Each draw depends on the seed and on the number of
        draws so far. That number is a buffer, so that a resumed run draws the same noise. The CPU
        draws for every device, so that all get the same noise.
        """
        code: Tensor = self.squeeze(self.inner.content_code(self.erase(images)))  # type: ignore[operator]
        if not (self.training and self.noise):
            return code

        noise = torch.randn(
            code.shape,
            generator=seeded(self.seed, "content_noise", int(self.noises_drawn)),
            dtype=torch.float64,
        )
        self.noises_drawn += 1
        return code + self.noise * to_device(noise, code.device, code.dtype)

    def class_code(self, images: Tensor) -> Tensor:
        """Return the inner generator's class code, which depends on the whole image."""
        code: Tensor = self.inner.class_code(images)  # type: ignore[operator]
        return code

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        """Return images (B, 3, H, W) of narrow content codes and class codes."""
        image: Tensor = self.inner.decode(self.expand(content), class_code)  # type: ignore[operator]
        return image


class ErasedBoxes(nn.Module):
    """Erasure of boxes at fixed places, for images that are aligned.

    Args:
        boxes: x0, y0, x1, y1 of each, as fractions of width and height.
    """

    def __init__(self, boxes: tuple[float, ...]) -> None:
        super().__init__()
        self.boxes: Tensor
        places = torch.tensor(boxes, dtype=torch.float64).view(1, -1, 4)
        self.register_buffer("boxes", places, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the images (B, 3, H, W) with 0, mid-gray, in the boxes."""
        return images * outside(self.boxes.to(_dtype(images)), images)


class ErasedLandmarks(nn.Module):
    """Erasure of eyes, nose, and mouth where a landmark network finds them.

    Raises:
        MissingWeights: the weights of the landmark network are not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        # The tuple hides the network from torch, which would train and save its frozen weights.
        self.network = (FaceLandmarks.load(find_weights(FACE_LANDMARKS)),)

    def forward(self, images: Tensor) -> Tensor:
        """Return the images (B, 3, H, W) with 0, mid-gray, in the regions of `REGIONS`."""
        with torch.no_grad():
            dtype = _dtype(images)
            points = self.network[0].to(images.device, dtype)(images.to(dtype))
            regions = [points[:, which] for which in REGIONS.values()]
            boxes = [torch.cat([r.amin(1) - MARGIN, r.amax(1) + MARGIN], dim=1) for r in regions]
        return images * outside(torch.stack(boxes, dim=1), images)


def outside(boxes: Tensor, images: Tensor) -> Tensor:
    """Return a mask (B or 1, 1, H, W): 1 outside the boxes, 0 inside.

    A pixel is inside if its center is.

    Args:
        boxes: (B or 1, N, 4) as x0, y0, x1, y1, as fractions of width and height.
        images: (B, 3, H, W), for size, device, and dtype.
    """
    height, width = images.shape[-2:]
    x = (torch.arange(width, device=images.device) + 0.5) / width
    y = (torch.arange(height, device=images.device) + 0.5) / height

    x0, y0, x1, y1 = boxes.unbind(-1)
    across = (x >= x0[..., None]) & (x < x1[..., None])
    down = (y >= y0[..., None]) & (y < y1[..., None])
    inside = (down[..., :, None] & across[..., None, :]).any(1)
    return (~inside).to(images.dtype).unsqueeze(1)


def _dtype(images: Tensor) -> torch.dtype:
    """Return the dtype of images, but at least float32.

    In mixed precision, images have fewer bits, and weights that were rounded to them would stay so.
    """
    return torch.promote_types(images.dtype, torch.float32)


def _eraser(options: ContentOptions) -> nn.Module:
    if options.content_erase == "none":
        return nn.Identity()
    if options.content_erase == "fixed":
        return ErasedBoxes(options.content_boxes)
    return ErasedLandmarks()
