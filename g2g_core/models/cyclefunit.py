"""CycleFUNIT: FUNIT's generator with cycle losses and CycleGAN's discriminator (Sec. IV-B)."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from g2g_core.config import TrialConfig
from g2g_core.features import identity_encoder
from g2g_core.models.funit import FunitGenerator
from g2g_core.models.networks import Model, Networks, averaged, narrowed
from g2g_core.models.options import GeneratorSizes, options_of, require
from g2g_core.models.patchgan import Kind, Norm, PatchGan, check_kind
from g2g_core.seeding import seeded_init

ClassEncoderName = Literal["funit", "identity"]
CLASS_ENCODERS: tuple[str, ...] = get_args(ClassEncoderName)


@dataclass(frozen=True)
class CycleFunitOptions(GeneratorSizes):
    """Sizes and choices of CycleFUNIT.

    The paper has `class_dim` 1024, or 2048 with the identity encoder.

    Attributes:
        class_encoder: `funit`, or `identity`: the network that `identity` names makes the class
            code (Sec. V-B). `class_dim` must then be the size of its codes.
        d_kind: patches of the discriminator: `basic`, `n_layers`, or `pixel`.
        d_filters: channels of the discriminator's first layer.
        d_layers: strided layers of `n_layers`.
        d_norm: norm of the discriminator: `instance`, `batch`, `none`, or `none_without_bias` as in
            CycleGAN's code.
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
                f"network.class_encoder: {self.class_encoder!r} is not one of "
                f"{', '.join(CLASS_ENCODERS)}"
            )
        check_kind(self.d_kind, self.d_norm)


def cyclefunit(config: TrialConfig, n_classes: int) -> Networks:  # noqa: ARG001
    """FUNIT's generator with CycleGAN's discriminator: the paper's second system (Sec. IV-B).

    As in the authors' code, the generator keeps torch's initial weights, and a step updates it
    before the discriminator.

    Raises:
        ValueError: sizes or choices that do not go together.
        MissingWeights: the weights of the identity encoder are not installed.
    """
    options = options_of(CycleFunitOptions, config.network)
    options.check_side(config.image_size)

    # Each network has its own random numbers, so its weights don't depend on the other's size.
    with seeded_init(config.seed_of("init"), "init/generator"):
        generator: nn.Module = FunitGenerator(
            options, start=None, class_encoder=_class_encoder(options)
        )
    generator = narrowed(generator, options, config)
    with seeded_init(config.seed_of("init"), "init/discriminator"):
        discriminator = PatchGan(
            options.d_kind, options.d_filters, options.d_layers, options.d_norm
        )
    return Networks(generator, discriminator, averaged(generator, config), generator_first=True)


def _class_encoder(options: CycleFunitOptions) -> nn.Module | None:
    """Return the identity encoder if the options name it; None means FUNIT's own."""
    if options.class_encoder == "funit":
        return None
    encoder = identity_encoder(options)
    if encoder.dim != options.class_dim:
        raise ValueError(
            f"network.class_dim: {options.class_dim} is not {encoder.dim}, "
            f"the size of {options.identity}'s codes"
        )
    return encoder


MODELS = {"cyclefunit": Model(cyclefunit, CycleFunitOptions)}
"""Models of this module, for the menu."""
