"""FUNIT's generator: an image from the content of one image and the class of another (arXiv
1905.01723)."""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from g2g_core.models.blocks import ConvBlock, LinearBlock, ResidualBlocks, kaiming_start
from g2g_core.models.options import GeneratorSizes


class ClassEncoder(nn.Module):
    """Image to class code; no normalisation, so that colours and contrasts reach the code."""

    def __init__(self, filters: int, downs: int, class_dim: int) -> None:
        super().__init__()
        widths = [filters * min(2**i, 4) for i in range(downs + 1)]
        layers: list[nn.Module] = [ConvBlock(3, filters, 7, 1, 3)]
        layers += [ConvBlock(a, b, 4, 2, 1) for a, b in pairwise(widths)]
        self.model = nn.Sequential(
            *layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], class_dim, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, class_dim, 1, 1) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.model(images)
        return code


class ContentEncoder(nn.Module):
    """Image to content code; instance norm takes each image's colours and contrasts away."""

    def __init__(self, filters: int, downs: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvBlock(3, filters, 7, 1, 3, "instance")]
        layers += [
            ConvBlock(filters * 2**i, filters * 2 ** (i + 1), 4, 2, 1, "instance")
            for i in range(downs)
        ]
        self.model = nn.Sequential(*layers, ResidualBlocks(blocks, filters * 2**downs, "instance"))

    def forward(self, images: Tensor) -> Tensor:
        """(B, filters * 2**downs, H / 2**downs, W / 2**downs) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.model(images)
        return code


class Decoder(nn.Module):
    """Content code and AdaIN parameters to image; AdaIN in the residual blocks, instance norm after
    up-sampling."""

    def __init__(self, filters: int, ups: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [ResidualBlocks(blocks, filters * 2**ups, "adain")]
        for i in range(ups, 0, -1):
            half = filters * 2 ** (i - 1)
            # FUNIT's state dict counts the doubling as a layer of its own.
            layers += [nn.Identity(), ConvBlock(2 * half, half, 5, 1, 2, "instance", doubled=True)]
        self.model = nn.ModuleList([*layers, ConvBlock(filters, 3, 7, 1, 3, activation="tanh")])

    def forward(self, content: Tensor, adain: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1]; `adain`: (B, 4 * blocks * channels), see `ResidualBlocks`."""
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
        options: sizes.
        start: gives each module its initial weights; None leaves torch's, as CycleFUNIT does.
        class_encoder: in the place of FUNIT's, (B, 3, H, W) to (B, `options.class_dim`).
    """

    def __init__(
        self,
        options: GeneratorSizes,
        start: Callable[[nn.Module], None] | None = kaiming_start,
        class_encoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        o = options
        encoder = (
            ClassEncoder(o.filters, o.class_downs, o.class_dim)
            if class_encoder is None
            else class_encoder
        )
        self.enc_class_model = encoder
        self.enc_content = ContentEncoder(o.filters, o.content_downs, o.residual_blocks)
        self.dec = Decoder(o.filters, o.content_downs, o.residual_blocks)
        adain = 4 * o.residual_blocks * o.filters * 2**o.content_downs
        widths = [o.class_dim, *(o.mlp_filters,) * (o.mlp_blocks - 1)]
        hidden = [LinearBlock(a, b) for a, b in pairwise(widths)]
        self.mlp = Mlp([*hidden, LinearBlock(widths[-1], adain, "none")])
        if start is not None:
            self.apply(start)

    def content_code(self, images: Tensor) -> Tensor:
        """(B, C, h, w) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.enc_content(images)
        return code

    def class_code(self, images: Tensor) -> Tensor:
        """(B, class_dim, 1, 1) of images (B, 3, H, W) in [-1, 1]."""
        code: Tensor = self.enc_class_model(images)
        return code

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of content codes and as many class codes."""
        image: Tensor = self.dec(content, self.mlp(class_code.flatten(1)))
        return image


class Mlp(nn.Module):
    """Class code to AdaIN parameters."""

    def __init__(self, layers: list[LinearBlock]) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, code: Tensor) -> Tensor:
        """(B, class_dim) to (B, A)."""
        parameters: Tensor = self.model(code)
        return parameters


def mean_class_code(generator: nn.Module, images: Tensor) -> Tensor:
    """The class code that k images of one class share: the mean of theirs (k-shot).

    Args:
        generator: with `class_code`.
        images: (k, 3, H, W) in [-1, 1], or (B, k, 3, H, W) for B classes at once.

    Returns:
        (1, class_dim, 1, 1), or (B, class_dim, 1, 1).
    """
    shots = images if images.dim() == 5 else images[None]
    codes: Tensor = generator.class_code(shots.flatten(0, 1))  # type: ignore[operator]
    return codes.view(*shots.shape[:2], *codes.shape[1:]).mean(1)
