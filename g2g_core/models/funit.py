"""FUNIT's generator: the content of one image in the class of another (arXiv 1905.01723)."""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from g2g_core.models.blocks import (
    ConvBlock,
    LinearBlock,
    ResidualBlocks,
    kaiming_start,
    stop_where_flat,
)
from g2g_core.models.options import GeneratorSizes


class ClassEncoder(nn.Module):
    """The network from image to class code.

    It has no normalization, so that colors and contrasts reach the code.

    Args:
        filters: channels after the first convolution.
        downs: halvings before the average.
        class_dim: size of the code.
    """

    def __init__(self, filters: int, downs: int, class_dim: int) -> None:
        super().__init__()
        widths = [filters * min(2**i, 4) for i in range(downs + 1)]
        layers: list[nn.Module] = [ConvBlock(3, filters, 7, 1, 3)]
        layers += [ConvBlock(narrow, wide, 4, 2, 1) for narrow, wide in pairwise(widths)]
        self.model = nn.Sequential(
            *layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], class_dim, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return codes (B, class_dim, 1, 1) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.model(images)
        return code


class ContentEncoder(nn.Module):
    """The network from image to content code.

    Instance norm removes the colors and contrasts of each image.

    Args:
        filters: channels after the first convolution; each halving doubles them.
        downs: halvings of the code's sides.
        blocks: residual blocks at the end.
    """

    def __init__(self, filters: int, downs: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvBlock(3, filters, 7, 1, 3, "instance")]
        layers += [
            ConvBlock(filters * 2**i, filters * 2 ** (i + 1), 4, 2, 1, "instance")
            for i in range(downs)
        ]
        self.model = nn.Sequential(*layers, ResidualBlocks(blocks, filters * 2**downs, "instance"))

    def forward(self, images: Tensor) -> Tensor:
        """Return the content codes of images (B, 3, H, W) in [-1, 1].

        Returns:
            (B, filters * 2**downs, H / 2**downs, W / 2**downs).
        """
        code: Tensor = self.model(images)
        return code


class Decoder(nn.Module):
    """The network from content code and AdaIN parameters to image.

    AdaIN is in the residual blocks; instance norm follows each up-sampling.

    Args:
        filters: channels before the last convolution.
        ups: doublings of the code's sides.
        blocks: residual blocks at the start.
    """

    def __init__(self, filters: int, ups: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [ResidualBlocks(blocks, filters * 2**ups, "adain")]
        for i in range(ups, 0, -1):
            half = filters * 2 ** (i - 1)
            # The identity stands for the doubling, which is a layer in FUNIT's state dict.
            layers += [nn.Identity(), ConvBlock(2 * half, half, 5, 1, 2, "instance", doubled=True)]
        self.model = nn.ModuleList([*layers, ConvBlock(filters, 3, 7, 1, 3, activation="tanh")])

    def forward(self, content: Tensor, adain: Tensor) -> Tensor:
        """Return images (B, 3, H, W) in [-1, 1].

        Args:
            content: (B, filters * 2**ups, h, w).
            adain: (B, 4 * blocks * channels), see `ResidualBlocks`.
        """
        blocks, *rest = self.model
        values: Tensor = blocks(content, adain)
        for layer in rest:
            values = layer(values)
        return values


class FunitGenerator(nn.Module):
    """Encoders and decoder; 29,866,435 parameters at the default options.

    Forward passes have no side effects: the AdaIN parameters are an argument of the decoder.
    Parameters have the names of FUNIT's state dict.

    Args:
        options: sizes of the networks.
        start: sets the initial weights of each module; None keeps torch's, as CycleFUNIT does.
        class_encoder: replaces FUNIT's; from (B, 3, H, W) to (B, `options.class_dim`).
    """

    def __init__(
        self,
        options: GeneratorSizes,
        start: Callable[[nn.Module], None] | None = kaiming_start,
        class_encoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        filters, downs, blocks = options.filters, options.content_downs, options.residual_blocks
        self.enc_class_model = (
            ClassEncoder(filters, options.class_downs, options.class_dim)
            if class_encoder is None
            else class_encoder
        )
        self.enc_content = ContentEncoder(filters, downs, blocks)
        self.dec = Decoder(filters, downs, blocks)

        # A bias and a scale for each channel of the two norms of each block.
        adain_parameters = 4 * blocks * filters * 2**downs
        widths = [options.class_dim, *(options.mlp_filters,) * (options.mlp_blocks - 1)]
        hidden = [LinearBlock(narrow, wide) for narrow, wide in pairwise(widths)]
        self.mlp = Mlp([*hidden, LinearBlock(widths[-1], adain_parameters, "none")])

        if start is not None:
            self.apply(start)

    def content_code(self, images: Tensor) -> Tensor:
        """Return content codes (B, C, h, w) of images (B, 3, H, W) in [-1, 1]."""
        return stop_where_flat(self.enc_content(images), images)

    def class_code(self, images: Tensor) -> Tensor:
        """Return class codes (B, class_dim, 1, 1) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.enc_class_model(images)
        return code

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        """Return images (B, 3, H, W) in [-1, 1] of content codes and as many class codes."""
        return stop_where_flat(self.dec(content, self.mlp(class_code.flatten(1))), content)


class Mlp(nn.Module):
    """The network from class code to AdaIN parameters."""

    def __init__(self, layers: list[LinearBlock]) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, code: Tensor) -> Tensor:
        """Return parameters (B, A) for class codes (B, class_dim)."""
        parameters: Tensor = self.model(code)
        return parameters


def mean_class_code(generator: nn.Module, images: Tensor) -> Tensor:
    """Return the class code that k images of a class share: the mean of their codes (k-shot).

    Args:
        generator: a generator with `class_code`.
        images: (k, 3, H, W) in [-1, 1], or (B, k, 3, H, W) for B classes at once.

    Returns:
        (1, class_dim, 1, 1), or (B, class_dim, 1, 1).
    """
    shots = images if images.dim() == 5 else images[None]
    codes: Tensor = generator.class_code(shots.flatten(0, 1))  # type: ignore[operator]
    return codes.view(*shots.shape[:2], *codes.shape[1:]).mean(1)
