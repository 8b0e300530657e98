"""The networks of Fader Networks (arXiv 1706.00409): autoencoder, and the judges that train it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from g2g_core.systems.randomness import Dropout, Randomness

SLOPE = 0.2
"""Slope of the leaky ReLUs."""

Deconvolution = Literal["convtranspose", "upsampling", "pixelshuffle"]
"""How a layer of the decoder doubles the side of its map."""


@dataclass(frozen=True)
class FaderSizes:
    """Sizes of the networks; the defaults are the authors'.

    Attributes:
        image_size: side of the images, pixels; a power of two.
        categories: number of categories of each attribute, at least 2 each.
        channels: of the images.
        filters: channels after the first convolution; each further one doubles them.
        max_filters: largest number of channels.
        layers: convolutions of the encoder, each of which halves the side.
        skips: encoder maps that the decoder gets besides the code.
        hidden: units of the dense layer of the judges.
        deconvolution: how the decoder doubles the side.
        instance_norm: whether the autoencoder has instance norm in place of batch norm.
        decoder_dropout: dropout of the first two layers of the decoder, at most three.
        judge_dropout: dropout of the latent discriminator.
    """

    image_size: int = 256
    categories: tuple[int, ...] = (2,)
    channels: int = 3
    filters: int = 32
    max_filters: int = 512
    layers: int = 6
    skips: int = 0
    hidden: int = 512
    deconvolution: Deconvolution = "convtranspose"
    instance_norm: bool = False
    decoder_dropout: float = 0.0
    judge_dropout: float = 0.3

    @property
    def entries(self) -> int:
        """Length of the attribute vector: one entry per category of each attribute."""
        return sum(self.categories)

    @property
    def halvings(self) -> int:
        """Number of convolutions that lead from the image to a single pixel."""
        return self.image_size.bit_length() - 1

    def width(self, layer: int) -> int:
        """Return the channels after a layer, counted from 0; -1 is the image."""
        return self.channels if layer < 0 else min(self.filters * 2**layer, self.max_filters)


class FaderAutoencoder(nn.Module):
    """Encoder, and a decoder that gets the attributes in every layer.

    Args:
        sizes: of the networks.
        randomness: for dropout.
    """

    def __init__(self, sizes: FaderSizes, randomness: Randomness) -> None:
        super().__init__()
        self.sizes = sizes
        norm = (
            (lambda width: nn.InstanceNorm2d(width, affine=True))
            if sizes.instance_norm
            else nn.BatchNorm2d
        )
        self.enc_layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(sizes.width(layer - 1), sizes.width(layer), 4, 2, 1),
                *([norm(sizes.width(layer))] if layer else []),
                nn.LeakyReLU(SLOPE),
            )
            for layer in range(sizes.layers)
        )

        decoder = []
        for step in range(sizes.layers):
            layer = sizes.layers - 1 - step
            narrow = sizes.width(layer) * (2 if 1 <= step <= sizes.skips else 1) + sizes.entries
            wide = sizes.width(layer - 1)
            layers = _doubling(sizes.deconvolution, narrow, wide)
            if layer == 0:
                layers += [nn.Tanh()]
            else:
                layers += [norm(wide)]
                if sizes.decoder_dropout and layer >= sizes.layers - 3:
                    layers += [Dropout(sizes.decoder_dropout, randomness)]
                layers += [nn.ReLU()]
            decoder.append(nn.Sequential(*layers))
        self.dec_layers = nn.ModuleList(decoder)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return the map of each layer for images (B, C, H, W) in [-1, 1]; the last is the code."""
        maps = [images]
        for layer in self.enc_layers:
            maps.append(layer(maps[-1]))
        return maps[1:]

    def decode(self, maps: Sequence[Tensor], attributes: Tensor) -> list[Tensor]:
        """Return the map of each layer of the decoder; the last is the image in [-1, 1].

        Args:
            maps: of the encoder; only the code and those of the skips are used.
            attributes: (B, entries): each attribute's categories as one-hot, or faded.
        """
        made: list[Tensor] = []
        for step, layer in enumerate(self.dec_layers):
            before = made[-1] if made else maps[-1]
            repeated = attributes[:, :, None, None].expand(-1, -1, *before.shape[2:])
            skip = [maps[-1 - step]] if 1 <= step <= self.sizes.skips else []
            made.append(layer(torch.cat([before, repeated, *skip], dim=1)))
        return made

    def judged(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the map that the latent discriminator judges: the one of the outermost skip."""
        return maps[-1 - self.sizes.skips]


class FaderClassifier(nn.Module):
    """The network from a map or an image to the logits of all attributes.

    It is the latent discriminator if it starts at the code, and the classifier of images if it
    starts at layer 0. Norms are batch norms, except in layer 0, which has none.

    Args:
        sizes: of the networks.
        first: the first layer, counted as in the encoder.
        dropout: after each convolution.
        randomness: for dropout.
    """

    def __init__(
        self, sizes: FaderSizes, first: int, dropout: float, randomness: Randomness
    ) -> None:
        super().__init__()
        self.conv_layers = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(sizes.width(layer - 1), sizes.width(layer), 4, 2, 1),
                    *([nn.BatchNorm2d(sizes.width(layer))] if layer else []),
                    nn.LeakyReLU(SLOPE),
                    Dropout(dropout, randomness),
                )
                for layer in range(first, sizes.halvings)
            )
        )
        self.proj_layers = nn.Sequential(
            nn.Linear(sizes.width(sizes.halvings - 1), sizes.hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(sizes.hidden, sizes.entries),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Return logits (B, entries) of maps or images."""
        logits: Tensor = self.proj_layers(self.conv_layers(values).flatten(1))
        return logits


def latent_discriminator(sizes: FaderSizes, randomness: Randomness) -> FaderClassifier:
    """Return the judge that reads attributes from the code."""
    return FaderClassifier(sizes, sizes.layers - sizes.skips, sizes.judge_dropout, randomness)


class FaderPatch(nn.Module):
    """The judge of realism, off by default: the mean of a map of probabilities (PatchGAN).

    Args:
        sizes: of the networks; images need at least 32 pixels.
    """

    def __init__(self, sizes: FaderSizes) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for layer, stride in enumerate((2, 2, 2, 1)):
            layers.append(nn.Conv2d(sizes.width(layer - 1), sizes.width(layer), 4, stride, 1))
            layers += [nn.BatchNorm2d(sizes.width(layer))] if layer else []
            layers.append(nn.LeakyReLU(SLOPE))
        layers += [nn.Conv2d(sizes.width(3), 1, 4, 1, 1), nn.Sigmoid()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return one probability of being real per image, (B,)."""
        probability: Tensor = self.layers(images).mean((1, 2, 3))
        return probability


def attribute_loss(logits: Tensor, attributes: Tensor, categories: Sequence[int]) -> Tensor:
    """Return the cross entropy of each attribute, summed over attributes, averaged over images.

    Args:
        logits: (B, entries).
        attributes: (B, entries); the largest entry of an attribute is its category.
        categories: number of categories of each attribute.
    """
    losses = [
        functional.cross_entropy(guess, truth.argmax(1))
        for guess, truth in zip(
            torch.split(logits, list(categories), 1),
            torch.split(attributes, list(categories), 1),
            strict=True,
        )
    ]
    return torch.stack(losses).sum()


def one_hot(numbers: Sequence[Tensor], categories: Sequence[int]) -> Tensor:
    """Return attribute vectors (B, entries), float32, from the category of each attribute (B,)."""
    parts = [
        functional.one_hot(number, count) for number, count in zip(numbers, categories, strict=True)
    ]
    return torch.cat(parts, dim=1).float()


def category_of(attributes: Tensor, categories: Sequence[int]) -> list[Tensor]:
    """Return the category (B,) of each attribute of attribute vectors (B, entries)."""
    return [part.argmax(1) for part in torch.split(attributes, list(categories), 1)]


def offsets(categories: Sequence[int]) -> list[int]:
    """Return where each attribute starts in the attribute vector."""
    return [0, *accumulate(categories)][:-1]


def _doubling(kind: Deconvolution, narrow: int, wide: int) -> list[nn.Module]:
    """Return the layers that double the side of a map."""
    if kind == "convtranspose":
        return [nn.ConvTranspose2d(narrow, wide, 4, 2, 1, bias=False)]
    if kind == "upsampling":
        return [nn.Upsample(scale_factor=2), nn.Conv2d(narrow, wide, 3, 1, 1)]
    return [nn.Conv2d(narrow, 4 * wide, 3, 1, 1), nn.PixelShuffle(2)]
