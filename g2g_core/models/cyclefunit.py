"""CycleFUNIT: FUNIT's generator without its losses, cycles instead, and CycleGAN's discriminator
(Sec. IV-B)."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from g2g_core.config import TrialConfig
from g2g_core.features import identity_encoder
from g2g_core.models.funit import FunitGenerator
from g2g_core.models.networks import Networks, averaged, narrowed
from g2g_core.models.options import GeneratorSizes, options_of, require
from g2g_core.models.patchgan import Kind, Norm, PatchGan, check_kind
from g2g_core.seeding import seeded_init

ClassEncoderName = Literal["funit", "identity"]
CLASS_ENCODERS: tuple[str, ...] = get_args(ClassEncoderName)


@dataclass(frozen=True)
class CycleFunitOptions(GeneratorSizes):
    """Sizes and choices of CycleFUNIT; the paper has `class_dim` 1024, or 2048 with the identity
    encoder.

    Attributes:
        class_encoder: `funit`, or `identity`: the network that `identity` names makes the class
            code (Sec. V-B). `class_dim` must then be the size of its codes.
        d_kind: `basic`, `n_layers` or `pixel` patches.
        d_filters: channels of the discriminator's first layer.
        d_layers: strided layers of `n_layers`.
        d_norm: `instance`, `batch`, `none`, or `none_without_bias` as in CycleGAN's code.
    """

    class_encoder: ClassEncoderName = "funit"
    d_kind: Kind = "basic"
    d_filters: int = 64
    d_layers: int = 3
    d_norm: Norm = "instance"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, {"d_filters": 1, "d_layers": 1})
        if self.class_encoder not in CLASS_ENCODERS:
            raise ValueError(
                f"network.class_encoder: {self.class_encoder!r} is not one of {', '.join(CLASS_ENCODERS)}"
            )
        check_kind(self.d_kind, self.d_norm)


def cyclefunit(config: TrialConfig, n_classes: int) -> Networks:  # noqa: ARG001
    """FUNIT's encoders and decoder with CycleGAN's discriminator: the paper's second system (Sec.

    IV-B).

    The generator keeps torch's initial weights, and a step updates it before the discriminator, as
    the authors do.
    """
    options = options_of(CycleFunitOptions, config.network)
    options.check_side(config.image_size)
    with seeded_init(config.seed, "init/generator"):
        generator: nn.Module = FunitGenerator(
            options, start=None, class_encoder=_class_encoder(options)
        )
    generator = narrowed(generator, options, config)
    with seeded_init(config.seed, "init/discriminator"):
        discriminator = PatchGan(
            options.d_kind, options.d_filters, options.d_layers, options.d_norm
        )
    return Networks(generator, discriminator, averaged(generator, config), generator_first=True)


def _class_encoder(options: CycleFunitOptions) -> nn.Module | None:
    """The identity encoder where it is asked for; None: FUNIT's own."""
    if options.class_encoder == "funit":
        return None
    encoder = identity_encoder(options)
    if encoder.dim != options.class_dim:
        raise ValueError(
            f"network.class_dim: {options.class_dim} is not {encoder.dim}, the size of {options.identity}'s codes"
        )
    return encoder
