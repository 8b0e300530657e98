"""Sizes of FUNIT's networks, as a study file names them under `network`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from g2g_core.config import Option
from g2g_core.features.options import FeatureOptions
from g2g_core.models.narrow_content import ContentOptions

Options = TypeVar("Options")


@dataclass(frozen=True)
class GeneratorSizes(ContentOptions, FeatureOptions):
    """Sizes of FUNIT's generator; the defaults are FUNIT's, for images of 128 pixels.

    Attributes:
        filters: channels after the first convolution of the generator (FUNIT's nf).
        residual_blocks: residual blocks at the end of the content encoder and at the start of the
            decoder.
        mlp_filters: width of the MLP that makes the AdaIN parameters.
        class_dim: size of the class code.
        mlp_blocks: dense layers of the MLP.
        content_downs: halvings of the content code's sides.
        class_downs: halvings in the class encoder before its average; at least 2.
    """

    filters: int = 64
    residual_blocks: int = 2
    mlp_filters: int = 256
    class_dim: int = 64
    mlp_blocks: int = 3
    content_downs: int = 3
    class_downs: int = 4

    def __post_init__(self) -> None:
        self.check_narrowing()
        at_least = {
            "filters": 1,
            "residual_blocks": 1,
            "mlp_filters": 1,
            "class_dim": 1,
            "mlp_blocks": 2,
        }
        require(self, at_least | {"content_downs": 0, "class_downs": 2})

    def check_side(self, side: int) -> None:
        """Check that images of this side, pixels, can be halved `content_downs` times.

        Raises:
            ValueError: they can't, or the content code can't be divided by `content_stride`.
        """
        factor = 2**self.content_downs
        if side % factor or side // factor < 2:
            raise ValueError(
                f"network.content_downs: {self.content_downs} does not go with image_size {side}"
            )
        if side // factor % self.content_stride:
            code = f"the content code's side, {side // factor}"
            raise ValueError(
                f"network.content_stride: {self.content_stride} does not go with {code}"
            )


@dataclass(frozen=True)
class FunitOptions(GeneratorSizes):
    """Sizes of FUNIT's networks; the defaults are FUNIT's.

    Attributes:
        d_filters: channels after the first convolution of the discriminator.
        d_blocks: residual blocks of the discriminator, an even number; they halve its map d_blocks
            / 2 - 1 times.
        d_classes: classes of the discriminator; None means those of the training set. The official
            discriminators have 119.
    """

    d_filters: int = 64
    d_blocks: int = 10
    d_classes: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, {"d_filters": 1, "d_blocks": 2})
        if self.d_blocks % 2:
            raise ValueError(f"network.d_blocks: {self.d_blocks} is not an even number")


def require(options: object, at_least: Mapping[str, int]) -> None:
    """Check that sizes are not less than the smallest that makes sense.

    Args:
        options: the options.
        at_least: name of an option -> smallest value.

    Raises:
        ValueError: a size is too small.
    """
    for name, least in at_least.items():
        if (value := getattr(options, name)) < least:
            raise ValueError(f"network.{name}: {value} is less than {least}")


def options_of(kind: type[Options], network: Mapping[str, Option]) -> Options:
    """Return the options of a model from the `network` of a config.

    Args:
        kind: dataclass of the model's options.
        network: the entries of the config.

    Raises:
        ValueError: a key that the model does not have.
    """
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in network:
        if name not in known:
            raise ValueError(f"network.{name}: no such option; there are {', '.join(known)}")
    return kind(**network)
