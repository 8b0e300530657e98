"""Use a trained generator without its trial.

Get the generator of a checkpoint, and make the paper's figure of two images.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from g2g_core.checkpoints.checkpoint_file import CheckpointError, Saved
from g2g_core.config import TrialConfig
from g2g_core.data.decode import BadImage, read_image
from g2g_core.data.pairs import Batch, DataError
from g2g_core.data.transforms import centre, crop, to_tensor
from g2g_core.models import all_models
from g2g_core.models.funit import FunitGenerator, mean_class_code
from g2g_core.models.options import FunitOptions
from g2g_core.passes.cross import CrossPass, Lazy
from g2g_core.systems.translating import is_system, mixing_generator

TRIAL_SIDE = 64
"""Side of the images that memory is measured with, pixels."""


def generator_of(saved: Saved, which: str | None = None) -> nn.Module:
    """Return the generator of a checkpoint in evaluation mode, without gradients.

    For checkpoints of G2G-Ablate, the generator is built from the config in the file. FUNIT's files
    contain no config, so the sizes are derived from the shapes of the tensors.

    Args:
        saved: see `g2g_core.checkpoints.checkpoint.read`.
        which: `generator` (the raw weights) or `average`; None: the average if the file has one, as
            in FUNIT's code.

    Raises:
        CheckpointError: the file lacks this part, or its sizes are not those of a FUNIT generator.
    """
    if is_system(saved):
        return mixing_generator(saved)
    part = which or ("average" if "average" in saved.parts else "generator")
    if part not in saved.parts:
        raise CheckpointError(f"{saved.path}: it holds no {part} ({saved.layout})")

    state = saved.parts[part]
    if "config" in saved.facts:
        # A file of an earlier version may contain options that no longer exist.
        known = {field.name for field in fields(TrialConfig)}
        config = TrialConfig.from_dict(
            {name: item for name, item in saved.facts["config"].items() if name in known}
        )
        generator = all_models()[config.model](config, int(saved.facts["n_classes"])).generator
    else:
        generator = FunitGenerator(options_by_shape(saved, state))

    try:
        generator.load_state_dict(dict(state))
    except RuntimeError as error:
        raise CheckpointError(
            f"{saved.path}: {part} does not fit: {' '.join(str(error).split())[:200]}"
        ) from error

    return generator.float().eval().requires_grad_(False)


def options_by_shape(saved: Saved, state: Mapping[str, Tensor]) -> FunitOptions:
    """Return the sizes of a FUNIT generator, derived from its state dict.

    Args:
        saved: the checkpoint, for messages.
        state: name -> tensor of the generator.

    Raises:
        CheckpointError: the names are not those of a FUNIT generator.
    """

    def count(prefix: str, suffix: str) -> int:
        """Return the number of names with a prefix and a suffix."""
        return sum(name.startswith(prefix) and name.endswith(suffix) for name in state)

    class_downs = count("enc_class_model.model.", ".conv.weight") - 1
    # A residual block has two convolutions.
    blocks = count("dec.model.0.model.", ".conv.weight") // 2
    try:
        return FunitOptions(
            filters=len(state["enc_content.model.0.conv.weight"]),
            residual_blocks=blocks,
            mlp_filters=state["mlp.model.0.fc.weight"].shape[0],
            class_dim=len(state[f"enc_class_model.model.{class_downs + 2}.weight"]),
            mlp_blocks=count("mlp.model.", ".fc.weight"),
            content_downs=count("enc_content.model.", ".conv.weight") - 1 - 2 * blocks,
            class_downs=class_downs,
        )
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{saved.path}: not the generator of a FUNIT: {error}") from error


def open_image(path: Path, size: int) -> Tensor:
    """Read the center square of an image file, resized as for evaluation.

    Args:
        path: file of any format that the datasets read.
        size: side of the square, pixels.

    Returns:
        (3, size, size) in [-1, 1].

    Raises:
        DataError: the file cannot be used.
    """
    try:
        pixels = read_image(path, size)
    except BadImage as error:
        raise DataError(f"{path}: {error}") from None
    return to_tensor(crop([pixels], size, centre(1)))[0]


@torch.no_grad()
def memory_of(generator: nn.Module, size: int, images: int) -> int:
    """Return about how many bytes of memory `g2g` takes for one pair, from a small trial.

    Args:
        generator: as for `g2g`.
        size: side of the images, pixels.
        images: number of images, two or more.
    """
    small = min(size, TRIAL_SIDE)
    largest = 0

    def measure(_module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal largest
        if isinstance(output, Tensor):
            largest = max(largest, output.nbytes)

    handles = [module.register_forward_hook(measure) for module in generator.modules()]
    try:
        g2g(generator, *torch.zeros(2, 3, small, small))
    except (RuntimeError, ValueError):
        largest = 0  # a network for images of another size, which `g2g` refuses
    finally:
        for handle in handles:
            handle.remove()
    # A norm or a convolution reads one map, writes another, and makes copies in between.
    maps = 4 * largest * max(2, images) // 2
    return int((maps + 4 * 3 * images * small**2) * (size / small) ** 2)


@torch.no_grad()
def g2g(
    generator: nn.Module, first: Tensor, second: Tensor, shots: Tensor | None = None
) -> dict[str, Tensor]:
    """Run the two-stage forward pass on pairs: the three rows of the paper's Figure 7.

    Args:
        generator: module with `content_code`, `class_code`, and `decode`.
        first: (3, H, W) or (P, 3, H, W) in [-1, 1].
        second: the same shape.
        shots: (k, 3, H, W) in [-1, 1]: images of the class of `second`. Their mean class code
            replaces the code of `second` (k-shot). None: one-shot.

    Returns:
        `real`, `mixed`, `full_recon` -> (2P, 3, H, W). Entries 0..P-1 belong to `first`; `mixed[i]`
        has the class of `real[i]` and the content of its partner.
    """
    content_images, class_images = (
        images if images.dim() == 4 else images[None] for images in (first, second)
    )
    # No discriminator judges the images, so their labels don't matter.
    labels: Any = torch.zeros(len(content_images), dtype=torch.int64)
    batch = Batch(content_images, labels, class_images, labels)

    cross = (
        CrossPass(generator, None, batch) if shots is None else _ShotsPass(generator, batch, shots)
    )
    return {"real": cross.real, "mixed": cross.mixed, "full_recon": cross.full_recon}


class _ShotsPass(CrossPass):
    """The pass of one pair whose second class is given by k images."""

    def __init__(self, generator: nn.Module, batch: Batch, shots: Tensor) -> None:
        super().__init__(generator, None, batch)
        self.shots = shots

    @Lazy
    def class_(self) -> Tensor:
        """Return the first image's class code and the shots' mean class code: (2, ...)."""
        return torch.cat(
            [
                self.generator.class_code(self.batch.content_images),
                mean_class_code(self.generator, self.shots),
            ]
        )
