"""The images that a generator makes of the fixed evaluation pairs.

Each image and code is computed once, on first use.
"""

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
"""The weights that are evaluated: `raw` or their running `average`."""
T = TypeVar("T")


class Evaluation:
    """Images and codes of P pairs under one generator.

    Images are stacked as in `CrossPass`: (2P, ...). Entry i of `mixed` has the class of entry i of
    `real` and the content of its partner (`swap`). Everything is computed in chunks, without
    gradients, in evaluation mode. The modes of all modules and the state of torch's random
    generators are restored. Therefore, evaluating more often, or more metrics, never changes the
    training.

    Args:
        networks: the model.
        which: `raw` weights or their running `average`.
        pairs: the fixed evaluation pairs.
        references: judges and reference images; only some metrics need them.
        chunk: images per forward pass; limits the memory.

    Raises:
        ValueError: `which` is `average` and the model has no average.
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
        """The images of the pairs: (2P, 3, H, W) in [-1, 1], float32."""
        return self._here(torch.cat([self.pairs.first, self.pairs.second])).float()

    @cached_property
    def labels(self) -> Tensor:
        """The classes of `real`: (2P,) int64, indices into `pairs.class_names`."""
        return self._here(torch.cat([self.pairs.first_labels, self.pairs.second_labels]))

    @cached_property
    def truth(self) -> Tensor:
        """The exact mixed images: (2P, 3, H, W) in [-1, 1], float32.

        Raises:
            ValueError: the dataset doesn't know them.
        """
        if self.pairs.truth is None:
            raise ValueError("the true mixed images of this data set are not known")
        return self._here(self.pairs.truth).float()

    @property
    def references(self) -> "References":
        """The judges and reference images.

        Raises:
            ValueError: the evaluation was created without references.
        """
        if self._references is None:
            raise ValueError("this evaluation was made without references")
        return self._references

    @cached_property
    def content(self) -> Tensor:
        """The content codes of `real`, without its erased regions: (2P, ...)."""
        visible = (
            self.real
            if self.pairs.erase is None
            else self.real * (1 - self._here(self.pairs.erase))
        )
        return self._run("content_code", visible)

    @cached_property
    def class_code(self) -> Tensor:
        """The class codes of `real`: (2P, ...)."""
        return self._run("class_code", self.real)

    @cached_property
    def shared_class_code(self) -> Tensor:
        """The class codes that mixing uses: (2P, ...).

        These are the codes of `real`, or in k-shot evaluation the mean over the class's k shots.
        """
        if self.pairs.shots is None:
            return self.class_code
        further = self._here(self.pairs.shots)
        codes = self._run("class_code", further.flatten(0, 1)).view(
            *further.shape[:2], *self.class_code.shape[1:]
        )
        return torch.cat([self.class_code[:, None], codes], dim=1).mean(1)

    @cached_property
    def mixed(self) -> Tensor:
        """The mixed images: (2P, 3, H, W), float32.

        Each has the content of its partner and the class of its own image.
        """
        return self._run("decode", swap(self.content), self.shared_class_code).float()

    @cached_property
    def self_recon(self) -> Tensor:
        """Content and class of the same image (short reconstruction): (2P, 3, H, W), float32."""
        return self._run("decode", self.content, self.class_code).float()

    @cached_property
    def mixed_content(self) -> Tensor:
        """The content codes of `mixed`: (2P, ...)."""
        return self._run("content_code", self.mixed)

    @cached_property
    def mixed_class(self) -> Tensor:
        """The class codes of `mixed`: (2P, ...)."""
        return self._run("class_code", self.mixed)

    @cached_property
    def full_recon(self) -> Tensor:
        """The mixed images mixed again: (2P, 3, H, W), float32.

        They should match the originals.
        """
        return self._run("decode", swap(self.mixed_content), self.mixed_class).float()

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """Return the result of `compute`, computed once and shared by all metrics.

        Args:
            key: identifies the result.
            compute: computes the result.
        """
        if key not in self._memory:
            self._memory[key] = compute()
        value: T = self._memory[key]
        return value

    def seen(self, stack: str, network: str) -> list[Tensor]:
        """Return the output of a reference network for a stack of images, computed once.

        See `Judge.look`.

        Args:
            stack: `real`, `truth`, `mixed`, `self_recon` or `full_recon`.
            network: `classifier`, `lite0`, `face_resnet` or `face_landmarks`.

        Raises:
            ValueError: the evaluation has no references, or the truth is requested but unknown.
        """
        # The real and true images don't depend on the generator, so the references keep them.
        once = self.references.once if stack in ("real", "truth") else self.once
        return once(
            f"{network}/{stack}", lambda: self.references.look(network, getattr(self, stack))
        )

    def _here(self, values: Tensor) -> Tensor:
        """Return a tensor on the generator's device."""
        return values.to(self._device)

    def _run(self, method: str, *inputs: Tensor) -> Tensor:
        """Call a method of the generator on (2P, ...) inputs, chunk by chunk."""
        call: Callable[..., Tensor] = getattr(self.generator, method)
        with inference(self.generator, self._device):
            chunks = zip(
                *(torch.split(values.to(self._dtype), self._chunk) for values in inputs),
                strict=True,
            )
            return torch.cat([call(*chunk) for chunk in chunks])


@contextmanager
def inference(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Run the block without gradients, in evaluation mode, and with its own random state.

    Everything is restored afterwards.

    Args:
        module: the network that is put into evaluation mode.
        device: its device, whose random state is also kept if it is a GPU.
    """
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
