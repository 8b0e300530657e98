"""The networks of mask-based content transfer (Mokady et al., arXiv 1906.06558)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

SLOPE = 0.2
"""Slope of the leaky ReLUs."""
HALVINGS = 6
"""Convolutions of stride 2 in each encoder, so images are multiples of 64 pixels."""


class MokadyEncoder(nn.Module):
    """The network from an image to a flat code: six strided convolutions with batch norm.

    Args:
        widths: channels after each convolution, six of them.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for narrow, wide in pairwise((3, *widths)):
            layers += [nn.Conv2d(narrow, wide, 4, 2, 1), nn.BatchNorm2d(wide), nn.LeakyReLU(SLOPE)]
        self.full = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return flat codes (B, width * s * s) of images (B, 3, 64 s, 64 s) in [-1, 1]."""
        code: Tensor = self.full(images).flatten(1)
        return code


class MokadyDecoder(nn.Module):
    """Six transposed convolutions, with batch norm except in the last.

    Args:
        widths: channels of the code, then after each layer but the last, six of them.
        channels: of the result.
        side: of the code's map.
    """

    def __init__(self, widths: Sequence[int], channels: int, side: int) -> None:
        super().__init__()
        self.start = (widths[0], side, side)
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(narrow, wide, 4, 2, 1),
                nn.BatchNorm2d(wide),
                nn.LeakyReLU(SLOPE),
            ]
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1))

    def forward(self, code: Tensor) -> Tensor:
        """Return maps (B, channels, H, W) of flat codes, without an activation at the end."""
        maps: Tensor = self.main(code.view(-1, *self.start))
        return maps


class MokadyTranslator(nn.Module):
    """Two encoders, and two decoders, of which one makes a mask as well.

    Args:
        image_size: side of the images, a multiple of 64.
        widths: channels after the first five convolutions; the authors have 32 to 512.
        separate: channels of the separate code, which describes the thing that is moved.
    """

    def __init__(self, image_size: int, widths: Sequence[int], separate: int) -> None:
        super().__init__()
        first, second, third, fourth, fifth = widths
        common = fifth - separate
        side = image_size // 2**HALVINGS
        self.separate_size = separate * side * side
        self.e1 = MokadyEncoder((first, second, third, fourth, common, common))
        self.e2 = MokadyEncoder((first, second, third, third, third, separate))
        decoder = (fifth, fifth, fourth, third, second, first)
        self.d_a = MokadyDecoder(decoder, 3, side)
        self.d_b = MokadyDecoder(decoder, 4, side)
        self.common_size = common * side * side

    def without(self, common: Tensor, separate: Tensor | None = None) -> Tensor:
        """Return images (B, 3, H, W) in [-1, 1] of common codes, without the thing.

        Args:
            common: (B, common size).
            separate: (B, separate size); None: zeros, as in training.
        """
        return torch.tanh(self.d_a(self._joined(common, separate)))

    def laid_over(
        self, base: Tensor, common: Tensor, separate: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return images with the thing laid over a base, and the mask.

        Args:
            base: (B, 3, H, W) in [-1, 1], which shows where the mask is 0.
            common: (B, common size).
            separate: (B, separate size); None: zeros.

        Returns:
            (B, 3, H, W) in [-1, 1], and (B, 1, H, W) in [0, 1].
        """
        maps = self.d_b(self._joined(common, separate))
        mask, thing = torch.sigmoid(maps[:, :1]), torch.tanh(maps[:, 1:])
        return mask * thing + (1 - mask) * base, mask

    def _joined(self, common: Tensor, separate: Tensor | None) -> Tensor:
        if separate is None:
            separate = common.new_zeros(len(common), self.separate_size)
        return torch.cat([common, separate], dim=1)


class MokadyJudge(nn.Module):
    """The judge that reads from a common code which domain an image is of.

    Args:
        size: of the common code.
        hidden: units of its hidden layer.
    """

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.classify = nn.Sequential(
            nn.Linear(size, hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, 1)
        )

    def forward(self, common: Tensor) -> Tensor:
        """Return the probability (B,) that an image has the thing."""
        probability: Tensor = torch.sigmoid(self.classify(common)).flatten()
        return probability
