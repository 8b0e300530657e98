"""Evaluation: what a generator makes of the fixed pairs, each image and code computed once, on
first use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from g2g_core.data.pairs import EvaluationPairs
from g2g_core.passes.cross import swap

if TYPE_CHECKING:
    from g2g_core.metrics.references import References
    from g2g_core.models.networks import Networks

Which = Literal["raw", "average"]
T = TypeVar("T")


class Evaluation:
    """Images and codes of P pairs under one generator, stacked as in `CrossPass`: (2P, ...), the
    pair's halves.

    Entry i of `mixed` has the class of entry i of `real` and the content of its partner (`swap`).
    Everything is computed in chunks, without gradients, in evaluation mode; the modes of all
    modules and the state of torch's random generators are put back, so that evaluating more often,
    or more metrics, never changes the training.

    Args:
        networks: the model.
        which: `raw` weights or their running `average`.
        pairs: the fixed evaluation pairs.
        references: judges and reference images; only metrics that compare with them need it.
        chunk: images per forward pass; bounds the memory.

    Raises:
        ValueError: the average is asked for and the model keeps none.
    """

    def __init__(
        self,
        networks: "Networks",
        which: Which,
        pairs: EvaluationPairs,
        references: "References | None" = None,
        *,
        chunk: int = 64,
    ) -> None:
        generator = networks.generator if which == "raw" else networks.average
        if generator is None:
            raise ValueError("no averaged generator to evaluate: ema_decay is None")
        self.networks = networks
        self.which = which
        self.pairs = pairs
        self.generator: nn.Module = generator
        self._references = references
        self._memory: dict[str, Any] = {}
        self._chunk = chunk
        parameter = next(generator.parameters())
        self._device, self._dtype = parameter.device, parameter.dtype

    @cached_property
    def real(self) -> Tensor:
        """The pairs' images: (2P, 3, H, W) in [-1, 1], float32."""
        return self._here(torch.cat([self.pairs.first, self.pairs.second])).float()

    @cached_property
    def labels(self) -> Tensor:
        """Their classes: (2P,) int64, indices into `pairs.class_names`."""
        return self._here(torch.cat([self.pairs.first_labels, self.pairs.second_labels]))

    @cached_property
    def truth(self) -> Tensor:
        """The exact mixed images: (2P, 3, H, W) in [-1, 1]; raises ValueError where nobody knows
        them."""
        if self.pairs.truth is None:
            raise ValueError("the true mixed images of this data set are not known")
        return self._here(self.pairs.truth).float()

    @property
    def references(self) -> "References":
        """Judges and reference images; raises ValueError where none were given."""
        if self._references is None:
            raise ValueError("this evaluation was made without references")
        return self._references

    @cached_property
    def content(self) -> Tensor:
        """Content codes of `real` (of its visible part, where the set erases regions): (2P,
        ...)."""
        visible = (
            self.real
            if self.pairs.erase is None
            else self.real * (1 - self._here(self.pairs.erase))
        )
        return self._run("content_code", visible)

    @cached_property
    def class_code(self) -> Tensor:
        """Class codes of `real`: (2P, ...)."""
        return self._run("class_code", self.real)

    @cached_property
    def shared_class_code(self) -> Tensor:
        """The class code that mixing uses, (2P, ...): that of `real`, or the mean over its class's
        shots (k-shot)."""
        if self.pairs.shots is None:
            return self.class_code
        further = self._here(self.pairs.shots)
        codes = self._run("class_code", further.flatten(0, 1)).view(
            *further.shape[:2], *self.class_code.shape[1:]
        )
        return torch.cat([self.class_code[:, None], codes], dim=1).mean(1)

    @cached_property
    def mixed(self) -> Tensor:
        """Content of the partner, class of the image: (2P, 3, H, W), float32."""
        return self._run("decode", swap(self.content), self.shared_class_code).float()

    @cached_property
    def self_recon(self) -> Tensor:
        """Content and class of the same image (short reconstruction): (2P, 3, H, W), float32."""
        return self._run("decode", self.content, self.class_code).float()

    @cached_property
    def mixed_content(self) -> Tensor:
        """Content codes of `mixed`: (2P, ...)."""
        return self._run("content_code", self.mixed)

    @cached_property
    def mixed_class(self) -> Tensor:
        """Class codes of `mixed`: (2P, ...)."""
        return self._run("class_code", self.mixed)

    @cached_property
    def full_recon(self) -> Tensor:
        """The mixed images mixed again; the originals should come back: (2P, 3, H, W), float32."""
        return self._run("decode", swap(self.mixed_content), self.mixed_class).float()

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """What `compute` gives, computed once for this evaluation: what several metrics share."""
        if key not in self._memory:
            self._memory[key] = compute()
        value: T = self._memory[key]
        return value

    def seen(self, stack: str, network: str) -> list[Tensor]:
        """What a network of the references gives for one of the stacks of images (see
        `Judge.look`), computed once.

        Args:
            stack: `real`, `truth`, `mixed`, `self_recon` or `full_recon`.
            network: `classifier`, `lite0`, `face_resnet` or `face_landmarks`.
        """
        once = self.references.once if stack in ("real", "truth") else self.once
        return once(
            f"{network}/{stack}", lambda: self.references.look(network, getattr(self, stack))
        )

    def _here(self, values: Tensor) -> Tensor:
        return values.to(self._device)

    def _run(self, method: str, *inputs: Tensor) -> Tensor:
        """A method of the generator on (2P, ...) inputs, chunk by chunk."""
        call: Callable[..., Tensor] = getattr(self.generator, method)
        with inference(self.generator, self._device):
            chunks = zip(
                *(torch.split(values.to(self._dtype), self._chunk) for values in inputs),
                strict=True,
            )
            return torch.cat([call(*chunk) for chunk in chunks])


@contextmanager
def inference(module: nn.Module, device: torch.device) -> Iterator[None]:
    """No gradients, evaluation mode, a random state of its own; everything is put back
    afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    forked = [device] if device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(devices=forked):
        torch.manual_seed(0)
        module.eval()
        try:
            yield
        finally:
            for part, mode in modes:
                part.training = mode
