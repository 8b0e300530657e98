"""The two-stage forward pass of cross-training (Figs.

1 and 3), each image and code computed on first use.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, overload

import torch
from torch import Tensor, nn

from g2g_core.data.pairs import Batch

Result = TypeVar("Result")

GENERATED = ("self_recon", "mixed", "full_recon")
STACKED_PIXELS = 2**15
"""Up to which size images of several kinds share a call on a processor; above it its caches
overflow (measured)."""


def swap(values: Tensor) -> Tensor:
    """The halves of the first axis exchanged: each entry's partner."""
    return values.roll(len(values) // 2, 0)


class Lazy(Generic[Result]):
    """A property of a pass that is computed on first use, in the gradient mode that the pass was
    made in."""

    def __init__(self, compute: Callable[[Any], Result]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> "Lazy[Result]": ...
    @overload
    def __get__(self, owner: "CrossPass", kind: type) -> Result: ...
    def __get__(self, owner: "CrossPass | None", kind: type) -> "Lazy[Result] | Result":
        if owner is None:
            return self
        return owner.once(self.name, lambda: self.compute(owner))


class CrossPass:
    """Images and codes of one forward pass on pairs, stacked: entry i and entry B + i are the
    images of pair i.

    `mixed[i]` has the class of `real[i]` and the content of its partner. A pass is made for one
    update and dropped. It refuses a first use in another gradient mode than its own, since a logged
    value could silently cut a gradient.

    Args:
        generator: see `Networks`.
        discriminator: see `Networks`.
        batch: images (B, 3, H, W) in [-1, 1] and labels (B,) on the generator's device.

    Attributes:
        real: (2B, 3, H, W) in [-1, 1]: the content images, then the class images of the batch.
        labels: (2B,) int64.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module | None, batch: Batch) -> None:
        self.generator: Any = generator
        self.discriminator = discriminator
        self.batch = batch
        self._gradients = torch.is_grad_enabled()
        self._computed: dict[str, Any] = {}
        self._expected: tuple[str, ...] = ()
        self._start(batch)

    def _start(self, batch: Batch) -> None:
        self.real = torch.cat([batch.content_images, batch.class_images])
        self.labels = torch.cat([batch.content_labels, batch.class_labels])
        self.content_images = self.class_images = self.real
        self.content_labels = self.class_labels = self.labels

    def once(self, key: str, compute: Callable[[], Result]) -> Result:
        """What `compute` gives, computed at the first call with this key.

        Raises:
            RuntimeError: the first call comes in another gradient mode than that in which the pass
                was made.
        """
        if key not in self._computed:
            if torch.is_grad_enabled() != self._gradients:
                mode = "with" if self._gradients else "without"
                raise RuntimeError(
                    f"{key} is first used in another gradient mode; the pass was made {mode} gradients"
                )
            self._computed[key] = compute()
        result: Result = self._computed[key]
        return result

    def expect(self, judged: Iterable[str]) -> None:
        """Say beforehand which generated images the terms will have judged: they then share calls
        of the networks.

        For networks that treat each image alone; equal numbers but for rounding, with less to do
        per image where images are small. What is not said here is computed alone when it is asked
        for.
        """
        asked = set(judged)
        self._expected = tuple(name for name in GENERATED if name in asked)

    def _sharing(self, name: str, among: tuple[str, ...]) -> tuple[str, ...]:
        """The names that share a call with `name`: those of `among`, if all are expected and small
        enough."""
        pixels = len(among) * self.real[:, 0].numel()
        small = self.real.is_cuda or pixels <= STACKED_PIXELS
        return among if small and name in among and set(among) <= set(self._expected) else (name,)

    @Lazy
    def visible(self) -> Tensor:
        """What the content encoder may see: `content_images`, black-out regions at 0."""
        erase = self._erase()
        return self.content_images if erase is None else self.content_images * (1 - erase)

    def _erase(self) -> Tensor | None:
        one, other = self.batch.content_erase, self.batch.class_erase
        return None if one is None or other is None else torch.cat([one, other])

    @Lazy
    def content(self) -> Tensor:
        """Content codes of `content_images`: (2B, ...)."""
        code: Tensor = self.generator.content_code(self.visible)
        return code

    @Lazy
    def class_(self) -> Tensor:
        """Class codes of `real`: (2B, ...)."""
        code: Tensor = self.generator.class_code(self.real)
        return code

    @Lazy
    def self_recon(self) -> Tensor:
        """G(x, x), content and class of the same image: (2B, 3, H, W)."""
        return self._decoded("self_recon")

    @Lazy
    def mixed(self) -> Tensor:
        """Content of the partner, class of the image (disassembly): (2B, 3, H, W)."""
        return self._decoded("mixed")

    def _codes(self, name: str) -> tuple[Tensor, Tensor]:
        """Content and class codes of an image of the first stage."""
        return (self.content if name == "self_recon" else swap(self.content)), self.class_

    def _decoded(self, name: str) -> Tensor:
        names = self._sharing(name, ("self_recon", "mixed"))

        def decode() -> tuple[Tensor, ...]:
            content, class_ = (
                torch.cat(codes) for codes in zip(*map(self._codes, names), strict=True)
            )
            images: Tensor = self.generator.decode(content, class_)
            return images.chunk(len(names))

        return self.once(f"decoded/{'+'.join(names)}", decode)[names.index(name)]

    @Lazy
    def mixed_content(self) -> Tensor:
        """Content codes of `mixed`: (2B, ...)."""
        code: Tensor = self.generator.content_code(self.mixed)
        return code

    @Lazy
    def mixed_class(self) -> Tensor:
        """Class codes of `mixed`: (2B, ...)."""
        code: Tensor = self.generator.class_code(self.mixed)
        return code

    @Lazy
    def full_recon(self) -> Tensor:
        """The mixed images mixed again (reassembly): the originals should come back: (2B, 3, H,
        W)."""
        image: Tensor = self.generator.decode(swap(self.mixed_content), self.mixed_class)
        return image

    def verdict(self, name: str) -> Tensor:
        """The discriminator's map for the images called `name`, under the labels that they should
        have."""
        return self._judged(name)[0]

    def features(self, name: str) -> Tensor:
        """The discriminator's features of the images called `name`, averaged over the map: (N, C).

        Raises:
            ValueError: the discriminator has no features that can be compared.
        """

        def pooled() -> Tensor:
            features = self._judged(name)[1]
            if features is None:
                raise ValueError("this model's discriminator has no features to match")
            return features.mean((2, 3))

        return self.once(f"features/{_seen_as(self, name)}", pooled)

    def _judged(self, name: str) -> tuple[Tensor, Tensor | None]:
        name = _seen_as(self, name)
        names = self._sharing(name, self._expected)

        def judge() -> list[tuple[Tensor, Tensor | None]]:
            if self.discriminator is None:
                raise ValueError("this model has no discriminator")
            images, labels = (
                [getattr(self, each) for each in names],
                [self._labels_of(each) for each in names],
            )
            verdicts, features = self.discriminator(torch.cat(images), torch.cat(labels))
            parts = [None] * len(names) if features is None else features.chunk(len(names))
            return list(zip(verdicts.chunk(len(names)), parts, strict=True))

        return self.once(f"judged/{'+'.join(names)}", judge)[names.index(name)]

    def _labels_of(self, name: str) -> Tensor:
        return (
            self.content_labels if name in ("self_recon", "content_images") else self.class_labels
        )


class TranslationPass(CrossPass):
    """Plain FUNIT's pass: one direction, content of the content image and class of the class image.

    Attributes:
        real: (B, 3, H, W): the class images, which are what the discriminator sees as real.
        labels: (B,): theirs.
    """

    def _start(self, batch: Batch) -> None:
        self.real = self.class_images = batch.class_images
        self.labels = self.class_labels = batch.class_labels
        self.content_images, self.content_labels = batch.content_images, batch.content_labels

    def _erase(self) -> Tensor | None:
        return self.batch.content_erase

    @Lazy
    def self_recon(self) -> Tensor:
        """G(content image, content image): (B, 3, H, W)."""
        return self._decoded("self_recon")

    @Lazy
    def mixed(self) -> Tensor:
        """Content of the content image, class of the class image: (B, 3, H, W)."""
        return self._decoded("mixed")

    def _codes(self, name: str) -> tuple[Tensor, Tensor]:
        return self.content, self.generator.class_code(
            self.content_images
        ) if name == "self_recon" else self.class_

    @Lazy
    def full_recon(self) -> Tensor:
        """Not there; raises ValueError: one translated image cannot be mixed back without its
        partner."""
        raise ValueError(
            "full_recon needs both directions of a pair; plain funit translates one (use funit2funit)"
        )


def _seen_as(cross: CrossPass, name: str) -> str:
    """One name per tensor, so that originals under two names are judged once."""
    if name in ("content_images", "class_images") and getattr(cross, name) is cross.real:
        return "real"
    return name


class DiscriminatorPass:
    """What the discriminator's terms work on.

    Args:
        discriminator: see `Networks`.
        real: (N, 3, H, W) in [-1, 1].
        labels: (N,) theirs.
        fake: (N, 3, H, W), detached: the mixed images; entry i was given the class of entry i of
            `real`.
        fake_labels: (N,) the classes they were given.
        batch_size: images a side of the pair, B; N is 2B, or B where there is one direction.
        random: purpose -> generator of random numbers for this step.
    """

    def __init__(
        self,
        discriminator: nn.Module,
        real: Tensor,
        labels: Tensor,
        fake: Tensor,
        fake_labels: Tensor,
        batch_size: int,
        random: Callable[[str], torch.Generator],
    ) -> None:
        self.discriminator = discriminator
        # A leaf of its own: the gradient penalty differentiates the verdict by it.
        self.real = real.detach().requires_grad_()
        self.labels = labels
        self.fake = fake.detach()
        self.fake_labels = fake_labels
        self.batch_size = batch_size
        self.random = random
        self._verdict: Tensor | None = None

    @property
    def real_verdict(self) -> Tensor:
        """The map of `real` under its labels, computed once for the loss and its penalty."""
        if self._verdict is None:
            self._verdict = self.discriminator(self.real, self.labels)[0]
        return self._verdict
