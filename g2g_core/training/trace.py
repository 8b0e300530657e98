"""What a divergence leaves for people: the images of its batch, and where it began."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from g2g_core.data.pairs import Batch, Data, printable, shown
from g2g_core.models.networks import Networks
from g2g_core.training.divergence import Bad

NAMED = 4
"""Number of images that the message of a divergence names."""

GRADIENT = "the gradient at the output of"
"""Start of the words for a gradient."""


@dataclass(frozen=True)
class Traced:
    """What is known of a divergence.

    Attributes:
        step: the step, counted from 1.
        cause: the recorded number that isn't finite.
        first: the first tensor of the step that isn't finite, in words; None if it isn't known.
        images: names of the images of the batch, content images first, each once; empty if the
            dataset doesn't name its images.
        blank: those of the images that show a single color.
    """

    step: int
    cause: str
    first: str | None
    images: tuple[str, ...]
    blank: tuple[str, ...]

    @property
    def facts(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {
            "step": self.step,
            "cause": self.cause,
            "first": self.first,
            "images": list(self.images),
            "blank": list(self.blank),
        }

    @property
    def words(self) -> str:
        """The same as the end of a message, which names blank images before others."""
        parts = [] if self.first is None else [f"it begins with {self.first}"]
        if self.images:
            rest = [name for name in self.images if name not in self.blank]
            names = [f"{shown(name)} (blank)" for name in self.blank] + [shown(n) for n in rest]
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            parts.append(f"the batch has {', '.join(names[:NAMED])}{more}")
        return "; ".join(parts)


def trace(
    bad: Bad,
    networks: Networks,
    data: Data,
    batch: Batch,
    step: Callable[[Batch, int], object],
) -> Traced:
    """Return what is known of a divergence; repeats the step if the weights are still finite.

    Args:
        bad: what isn't finite.
        networks: the networks after that step.
        data: the dataset, which may name its images.
        batch: the batch of that step, on the networks' device.
        step: the training step; it may change weights, so training must not continue.
    """
    known = getattr(data, "names_of", None)
    names = [printable(name) for name in known(bad.step - 1)] if known is not None else []
    images = torch.cat([batch.content_images, batch.class_images])
    flat = (images.amax((2, 3)) == images.amin((2, 3))).all(1).tolist()
    blank = [name for name, is_flat in zip(names, flat, strict=False) if is_flat]
    return Traced(
        bad.step,
        bad.cause,
        _first(networks, bad.cause, lambda: step(batch, bad.step - 1)),
        tuple(dict.fromkeys(names)),
        tuple(dict.fromkeys(blank)),
    )


def _first(networks: Networks, cause: str, repeat: Callable[[], object]) -> str | None:
    """Return the first tensor that isn't finite when a step is repeated, in words, or None.

    On a GPU, the weights are spoiled by the time that the divergence is noticed, so nothing that a
    repetition shows would be the first.
    """
    if next(networks.generator.parameters()).device.type != "cpu":
        return None
    parts = {"generator": networks.generator, "discriminator": networks.discriminator}
    networks_by_part = {part: network for part, network in parts.items() if network is not None}
    for part, network in networks_by_part.items():
        for name, value in network.named_parameters():
            if not torch.isfinite(value).all():
                return f"the parameter {part}.{name}"

    modules = {
        f"{part}.{name}": module
        for part, network in networks_by_part.items()
        for name, module in network.named_modules()
        if name
    }
    with _watched(modules) as seen:
        repeat()
    if cause.startswith("loss/") and (not seen or seen[0].startswith(GRADIENT)):
        return f"the loss {cause.removeprefix('loss/')}"  # no output before it went wrong
    return seen[0] if seen else None


@contextmanager
def _watched(modules: dict[str, nn.Module]) -> Iterator[list[str]]:
    """Note the modules whose output, or the gradient of it, isn't finite, the first one first."""
    seen: list[str] = []

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def look(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                return
            if not torch.isfinite(output.detach()).all():
                seen.append(f"the output of {name}")
            elif output.requires_grad:
                output.register_hook(gradient)  # type: ignore[no-untyped-call]

        def gradient(value: Tensor) -> None:
            if not torch.isfinite(value).all():
                seen.append(f"{GRADIENT} {name}")

        return look

    handles = [module.register_forward_hook(watch(name)) for name, module in modules.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
