"""LORD's networks: tables of codes, and encoders that replace them (arXiv 1906.11796)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from g2g_core.models.lord import LordGenerator, LordModulation

START = 0.05
"""Codes of the tables start uniform in [-START, START]."""

SHAPES = ((7, 1, 3), (4, 2, 1), (4, 2, 1), (4, 2, 1), (4, 2, 1))
"""(kernel, stride, padding) of each convolution of an encoder."""


class LordEncoder(nn.Module):
    """The network from an image to a code: five convolutions and three dense layers, without norm.

    The authors' PyTorch code works for images of 64 pixels only, because it fixes the size of the
    first dense layer. Here it is computed, as in their first code.

    Args:
        image_size: height and width of the images, pixels; multiples of 16.
        code_dim: size of the code.
        filters: channels after the first convolution; the authors have 64.
    """

    def __init__(self, image_size: tuple[int, int], code_dim: int, filters: int = 64) -> None:
        super().__init__()
        widths = (3, filters, 2 * filters, 4 * filters, 4 * filters, 4 * filters)
        convolutions: list[nn.Module] = []
        for (narrow, wide), shape in zip(pairwise(widths), SHAPES, strict=True):
            convolutions += [nn.Conv2d(narrow, wide, *shape), nn.LeakyReLU()]
        self.conv_layers = nn.Sequential(*convolutions)

        height, width = (side // 16 for side in image_size)
        hidden = 4 * filters
        self.fc_layers = nn.Sequential(
            nn.Linear(hidden * height * width, hidden),
            nn.LeakyReLU(),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(),
            nn.Linear(hidden, code_dim),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return codes (B, code_dim) of images (B, 3, H, W) in [0, 1]."""
        code: Tensor = self.fc_layers(self.conv_layers(images).flatten(1))
        return code


class LordLatent(nn.Module):
    """The latent stage: a content code per training image, a class code per class, and a generator.

    Args:
        images: number of training images, which is that of the content codes.
        classes: number of class codes.
        content_dim: size of a content code.
        class_dim: size of a class code.
        generator: from content code and AdaIN parameters to an image in [0, 1].
        modulation: from class code to AdaIN parameters.
    """

    def __init__(
        self,
        images: int,
        classes: int,
        content_dim: int,
        class_dim: int,
        generator: LordGenerator,
        modulation: LordModulation,
    ) -> None:
        super().__init__()
        self.content_rows = nn.Embedding(images, content_dim)
        self.class_rows = nn.Embedding(classes, class_dim)
        for table in (self.content_rows, self.class_rows):
            nn.init.uniform_(table.weight, -START, START)
        self.modulation = modulation
        self.generator = generator

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        """Return images (B, 3, H, W) in [0, 1]."""
        images: Tensor = self.generator(content, self.modulation(class_code))
        return images


class LordAmortized(nn.Module):
    """The amortized stage: encoders of content and class, and a generator.

    It works on images in [-1, 1], so it can be used wherever a generator of G2G can.

    Args:
        content_encoder: from images in [0, 1] to content codes.
        class_encoder: from images in [0, 1] to class codes.
        generator: from content code and AdaIN parameters to an image in [0, 1].
        modulation: from class code to AdaIN parameters.
    """

    def __init__(
        self,
        content_encoder: LordEncoder,
        class_encoder: LordEncoder,
        generator: LordGenerator,
        modulation: LordModulation,
    ) -> None:
        super().__init__()
        self.content_encoder = content_encoder
        self.class_encoder = class_encoder
        self.modulation = modulation
        self.generator = generator

    def content_code(self, images: Tensor) -> Tensor:
        """Return content codes (B, content_dim) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.content_encoder(unit_range(images))
        return code

    def class_code(self, images: Tensor) -> Tensor:
        """Return class codes (B, class_dim) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.class_encoder(unit_range(images))
        return code

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        """Return images (B, 3, H, W) in [-1, 1]."""
        images: Tensor = self.generator(content, self.modulation(class_code))
        return 2 * images - 1


def unit_range(images: Tensor) -> Tensor:
    """Return images in [-1, 1] as images in [0, 1], the range that LORD works in."""
    return torch.add(0.5, images, alpha=0.5)
