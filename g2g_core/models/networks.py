"""The parts of a model, and the FUNIT models."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from torch import nn

from g2g_core.config import TrialConfig
from g2g_core.models.discriminator import FunitDiscriminator
from g2g_core.models.funit import FunitGenerator
from g2g_core.models.narrow_content import NarrowContent
from g2g_core.models.options import FunitOptions, GeneratorSizes, options_of
from g2g_core.passes.cross import CrossPass, TranslationPass
from g2g_core.seeding import seeded_init


@dataclass
class Networks:
    """The networks of a model.

    Frozen networks that only a loss term uses belong to that term.

    Attributes:
        generator: has `content_code(images)`, `class_code(images)`, and `decode(content,
            class_code)`, none with side effects.
        discriminator: `forward(images, labels)` returns (verdict map, features or None); None if
            the model has no discriminator.
        average: the generator whose weights are a running average; None if the config keeps none.
        make_pass: the pass that the loss terms work on.
        generator_first: whether a step updates the generator before the discriminator (CycleFUNIT)
            or after it (FUNIT).
        image_by_image: whether decoder and discriminator treat each image alone, so that images of
            several kinds may share a call.
    """

    generator: nn.Module
    discriminator: nn.Module | None
    average: nn.Module | None
    make_pass: type[CrossPass] = CrossPass
    generator_first: bool = False
    image_by_image: bool = False


@dataclass(frozen=True)
class Model:
    """A model that study files can name.

    Called with a config and the number of training classes, it returns float32 networks on the CPU,
    with the initial weights of the config's seed.

    Attributes:
        make: the function that makes the networks; the first line of its docstring is shown by
            `g2g-ablate list models`.
        options: dataclass of the keys of `network:` in a study file. A method `check_side(side)`
            may refuse images of a side, pixels, by a ValueError.
    """

    make: Callable[[TrialConfig, int], Networks]
    options: type

    def __call__(self, config: TrialConfig, n_classes: int) -> Networks:
        """Return the networks of a config."""
        return self.make(config, n_classes)


def funit2funit(config: TrialConfig, n_classes: int) -> Networks:
    """FUNIT trained by cross-training on pairs: the paper's third system (Sec. IV-C)."""
    return _funit(config, n_classes, CrossPass)


def funit(config: TrialConfig, n_classes: int) -> Networks:
    """Plain FUNIT: content of one image, class of another, one direction (arXiv 1905.01723)."""
    return _funit(config, n_classes, TranslationPass)


def averaged(generator: nn.Module, config: TrialConfig) -> nn.Module | None:
    """Return a copy of the generator for its running average, or None if the config keeps none.

    The average starts from the generator's initial weights, as in FUNIT's code.
    """
    return None if config.ema_decay is None else deepcopy(generator).requires_grad_(False)


def narrowed(generator: nn.Module, options: GeneratorSizes, config: TrialConfig) -> nn.Module:
    """Return the generator, with a narrower content code if the options ask for one."""
    if not options.narrows():
        return generator
    with seeded_init(config.seed_of("init"), "init/narrow_content"):
        return NarrowContent(
            generator, options.filters * 2**options.content_downs, options, config.seed
        )


def _funit(config: TrialConfig, n_classes: int, make_pass: type[CrossPass]) -> Networks:
    """Return FUNIT's networks, for one of its two passes."""
    options = options_of(FunitOptions, config.network)
    classes = n_classes if options.d_classes is None else options.d_classes
    if classes < n_classes:
        raise ValueError(
            f"network.d_classes: {classes} is less than the {n_classes} classes of the training set"
        )
    options.check_side(config.image_size)

    # Each network has its own random numbers, so its weights don't depend on the other's size.
    with seeded_init(config.seed_of("init"), "init/generator"):
        generator: nn.Module = FunitGenerator(options)
    generator = narrowed(generator, options, config)
    with seeded_init(config.seed_of("init"), "init/discriminator"):
        discriminator = FunitDiscriminator(options.d_filters, options.d_blocks, classes)
    return Networks(
        generator, discriminator, averaged(generator, config), make_pass, image_by_image=True
    )


MODELS = {
    "funit2funit": Model(funit2funit, FunitOptions),
    "funit": Model(funit, FunitOptions),
}
"""Models of this module, for the menu."""
