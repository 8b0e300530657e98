"""The naive approach: two encoders and LORD's generator, trained by cycle losses (Sec. IV-A)."""

from dataclasses import dataclass
from itertools import pairwise
from math import log2

from torch import Tensor, nn

from g2g_core.config import TrialConfig
from g2g_core.models.lord import LordGenerator, LordModulation, Output, check_sizes
from g2g_core.models.networks import Model, Networks, averaged
from g2g_core.models.options import options_of, require
from g2g_core.models.paired_norm import PairedBatchNorm2d
from g2g_core.seeding import seeded_init


@dataclass(frozen=True)
class NaiveOptions:
    """Sizes of the naive networks; the defaults are the paper's at 128 px (89,122,947 parameters).

    Attributes:
        encoder_filters: channels after the first convolution of an encoder; each further
            convolution doubles them.
        encoder_downs: convolutions of stride 2; None takes as many as lead to a map of 4 × 4: 5 for
            images of 128 pixels, 4 for 64, 3 for 32.
        code_dim: size of the content code and of the class code.
        adain_layers: up-sampling stages of the generator.
        adain_dim: channels of the stages, a multiple of 8.
        output: `tanh`, or `sigmoid` as in the authors' code, which can't reproduce pixels below
            mid-gray.
    """

    encoder_filters: int = 32
    encoder_downs: int | None = None
    code_dim: int = 256
    adain_layers: int = 4
    adain_dim: int = 256
    output: Output = "tanh"

    def __post_init__(self) -> None:
        require(self, {"encoder_filters": 1, "code_dim": 1, "adain_layers": 1, "adain_dim": 8})

    def downs(self, side: int) -> int:
        """Return the number of convolutions of stride 2 for images of this side, pixels."""
        return self.encoder_downs if self.encoder_downs is not None else round(log2(side / 4))

    def check_side(self, side: int) -> None:
        """Check that images of this side, pixels, fit the encoders and the generator.

        Raises:
            ValueError: the side does not fit.
        """
        downs = self.downs(side)
        if downs < 1 or side != 4 * 2**downs:
            raise ValueError(
                f"network.encoder_downs: {downs} does not bring image_size {side} down to 4 pixels"
            )
        check_sizes((side, side), self.adain_layers, self.adain_dim, self.output)


class NaiveEncoder(nn.Module):
    """The network from image to code: strided convolutions with batch norm.

    Both encoders of the naive approach are of this kind.

    Args:
        filters: channels after the first convolution.
        downs: number of convolutions of stride 2.
        code_dim: size of the code.
    """

    def __init__(self, filters: int, downs: int, code_dim: int) -> None:
        super().__init__()
        widths = [3, *(filters * 2**i for i in range(downs))]
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [
                nn.Conv2d(narrow, wide, 4, 2, 1, bias=False),
                PairedBatchNorm2d(wide),
                nn.LeakyReLU(0.2),
            ]

        layers += [
            nn.Conv2d(widths[-1], code_dim, 4, bias=False),
            PairedBatchNorm2d(code_dim),
            nn.LeakyReLU(0.2),
        ]
        self.net = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return codes (2B, code_dim) of stacked images (2B, 3, H, W) in [-1, 1].

        In training mode, batch norm sees each half of the stack alone, so B must be at least 2.
        """
        code: Tensor = self.net(images).flatten(1)
        return code


class NaiveGenerator(nn.Module):
    """Encoders, modulation, and LORD's generator.

    Parameters have the names of the authors' state dict. In the authors' code, encoder A feeds
    AdaIN and encoder B the dense layers. As in LORD and in CycleFUNIT, AdaIN carries the class
    here: the class code comes from A and the content code from B. The paper calls A the rest and B
    the class. This is only a matter of names, because nothing gives a code a meaning without class
    labels.

    Args:
        image_size: side of the images, pixels.
        options: sizes of the networks.
    """

    def __init__(self, image_size: int, options: NaiveOptions) -> None:
        super().__init__()
        sizes = (options.encoder_filters, options.downs(image_size), options.code_dim)
        self.encoder_a = NaiveEncoder(*sizes)
        self.encoder_b = NaiveEncoder(*sizes)
        self.modulation = LordModulation(options.code_dim, options.adain_layers, options.adain_dim)
        self.generator = LordGenerator(
            options.code_dim,
            (image_size, image_size),
            options.adain_layers,
            options.adain_dim,
            options.output,
        )

    def content_code(self, images: Tensor) -> Tensor:
        """Return content codes (2B, code_dim) of stacked images (2B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.encoder_b(images)
        return code

    def class_code(self, images: Tensor) -> Tensor:
        """Return class codes (2B, code_dim) of stacked images (2B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.encoder_a(images)
        return code

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        """Return images (B, 3, H, W) of content and class codes, each (B, code_dim).

        The option `output` decides the range of the images.
        """
        image: Tensor = self.generator(content, self.modulation(class_code))
        return image


def naive(config: TrialConfig, n_classes: int) -> Networks:  # noqa: ARG001
    """Two encoders and LORD's generator, no discriminator: the paper's first system (Sec. IV-A).

    Raises:
        ValueError: sizes that do not go together, or a batch of one pair.
    """
    options = options_of(NaiveOptions, config.network)
    options.check_side(config.image_size)
    if config.batch_size < 2:
        raise ValueError(
            f"batch_size: {config.batch_size} is less than 2, "
            "which the naive encoders' batch norm needs"
        )
    with seeded_init(config.seed_of("init"), "init/generator"):
        generator = NaiveGenerator(config.image_size, options)
    return Networks(generator, None, averaged(generator, config))


MODELS = {"naive": Model(naive, NaiveOptions)}
"""Models of this module, for the menu."""
