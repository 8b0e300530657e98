"""Uses a trained generator without its run: the generator of a checkpoint, and the paper's figure
of two images."""

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
from g2g_core.models import MODELS
from g2g_core.models.funit import FunitGenerator, mean_class_code
from g2g_core.models.options import FunitOptions
from g2g_core.passes.cross import CrossPass, Lazy


def generator_of(saved: Saved, which: str | None = None) -> nn.Module:
    """The generator of a checkpoint, ready for use: evaluation mode, no gradients.

    Ours are made from the config that the file holds; FUNIT's files hold none, so the sizes are
    read off the shapes.

    Args:
        saved: see `g2g_core.checkpoints.checkpoint.read`.
        which: `generator` (the raw weights) or `average`; None: the average where the file has one,
            as FUNIT does.

    Raises:
        CheckpointError: the file lacks it, or its sizes are not those of a FUNIT generator.
    """
    part = which or ("average" if "average" in saved.parts else "generator")
    if part not in saved.parts:
        raise CheckpointError(f"{saved.path}: it holds no {part} ({saved.layout})")
    state = saved.parts[part]
    if "config" in saved.facts:
        known = {
            field.name for field in fields(TrialConfig)
        }  # a file of an earlier version may name what is gone
        config = TrialConfig.from_dict(
            {name: item for name, item in saved.facts["config"].items() if name in known}
        )
        generator = MODELS[config.model](config, int(saved.facts["n_classes"])).generator
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
    """The sizes of a FUNIT generator, read off its state dict.

    Raises:
        CheckpointError: the names are not those of a FUNIT generator.
    """

    def count(prefix: str, suffix: str) -> int:
        return sum(name.startswith(prefix) and name.endswith(suffix) for name in state)

    class_downs = count("enc_class_model.model.", ".conv.weight") - 1
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
    """The centre square of an image file, resized as for evaluation.

    Args:
        path: any format that the data sets read.
        size: side, pixels.

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
def g2g(
    generator: nn.Module, first: Tensor, second: Tensor, shots: Tensor | None = None
) -> dict[str, Tensor]:
    """The two-stage forward pass on a pair: the three rows of the paper's Fig. 7.

    Args:
        generator: with `content_code`, `class_code`, `decode`.
        first: (3, H, W) or (P, 3, H, W) in [-1, 1].
        second: the same shape.
        shots: (k, 3, H, W) in [-1, 1]: images of the class of `second`; their mean class code
            stands for it (k-shot); None: its own code (one-shot).

    Returns:
        `real`, `mixed`, `full_recon` -> (2P, 3, H, W): entries 0..P-1 belong to `first`; `mixed[i]`
        has the class of `real[i]` and the content of its partner.
    """
    one, other = (images if images.dim() == 4 else images[None] for images in (first, second))
    labels: Any = torch.zeros(len(one), dtype=torch.int64)
    batch = Batch(one, labels, other, labels)
    cross = (
        CrossPass(generator, None, batch) if shots is None else _ShotsPass(generator, batch, shots)
    )
    return {"real": cross.real, "mixed": cross.mixed, "full_recon": cross.full_recon}


class _ShotsPass(CrossPass):
    """The pass of one pair whose second class is known by k images."""

    def __init__(self, generator: nn.Module, batch: Batch, shots: Tensor) -> None:
        super().__init__(generator, None, batch)
        self.shots = shots

    @Lazy
    def class_(self) -> Tensor:
        """The first image's class code and the mean of the shots': (2, ...)."""
        return torch.cat(
            [
                self.generator.class_code(self.batch.content_images),
                mean_class_code(self.generator, self.shots),
            ]
        )
