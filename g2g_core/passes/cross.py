"""The two-stage forward pass of cross-training (Figures 1 and 3 of the paper).

Each image and code is computed on first use.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, overload

import torch
from torch import Tensor, nn

from g2g_core.data.pairs import Batch

Result = TypeVar("Result")

GENERATED = ("self_recon", "mixed", "full_recon")
"""Names of the generated images."""

STACKED_PIXELS = 2**15
"""Largest number of pixels for which images of several kinds share a call on a CPU.

Above it, the caches of a CPU overflow (measured).
"""


def swap(values: Tensor) -> Tensor:
    """Exchange the halves of the first axis, so that each entry becomes its partner.

    Args:
        values: (2B, ...).

    Returns:
        (2B, ...).
    """
    return values.roll(len(values) // 2, 0)


class Lazy(Generic[Result]):
    """A property of a pass that is computed on first use, in the gradient mode of the pass.

    Args:
        compute: takes the pass, and returns the value.
    """

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
    """Images and codes of one forward pass on pairs.

    Images are stacked: entries i and B + i are the images of pair i. `mixed[i]` has the class of
    `real[i]` and the content of its partner. A pass is made for one update and then dropped.

    The first use of a value must be in the gradient mode of the pass. If not, the pass raises an
    error, because logging a value could silently cut a gradient.

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
        """Set the images and labels that the pass works on."""
        self.real = torch.cat([batch.content_images, batch.class_images])
        self.labels = torch.cat([batch.content_labels, batch.class_labels])
        self.content_images = self.class_images = self.real
        self.content_labels = self.class_labels = self.labels

    def once(self, key: str, compute: Callable[[], Result]) -> Result:
        """Return the result of `compute`, which runs only at the first call with this key.

        Args:
            key: identifies the result within this pass.
            compute: computes the result.

        Raises:
            RuntimeError: the first call comes in another gradient mode than that of the pass.
        """
        if key not in self._computed:
            if torch.is_grad_enabled() != self._gradients:
                mode = "with" if self._gradients else "without"
                raise RuntimeError(
                    f"{key} is first used in another gradient mode; "
                    f"the pass was made {mode} gradients"
                )
            self._computed[key] = compute()

        result: Result = self._computed[key]
        return result

    def expect(self, judged: Iterable[str]) -> None:
        """Announce the generated images that the loss terms will have judged.

        The announced images share calls of the networks, which takes less time per image if images
        are small. The networks must treat each image alone; the results then differ only by
        rounding. Images that are not announced are computed alone on first use.

        Args:
            judged: names of images; names that are not in `GENERATED` are ignored.
        """
        announced = set(judged)
        self._expected = tuple(name for name in GENERATED if name in announced)

    def _sharing(self, name: str, among: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the images that share a call with `name`.

        These are the names in `among` if all of them are announced and small enough; if not, only
        `name`.
        """
        pixels = len(among) * self.real[:, 0].numel()
        small = self.real.is_cuda or pixels <= STACKED_PIXELS
        return among if small and name in among and set(among) <= set(self._expected) else (name,)

    @Lazy
    def visible(self) -> Tensor:
        """Return `content_images` with erased regions at 0, as the content encoder sees them."""
        erase = self._erase()
        return self.content_images if erase is None else self.content_images * (1 - erase)

    def _erase(self) -> Tensor | None:
        """Return the mask of the erased regions of `content_images`; None: nothing is erased."""
        content_erase, class_erase = self.batch.content_erase, self.batch.class_erase
        return (
            None
            if content_erase is None or class_erase is None
            else torch.cat([content_erase, class_erase])
        )

    @Lazy
    def content(self) -> Tensor:
        """Return the content codes of `content_images`: (2B, ...)."""
        code: Tensor = self.generator.content_code(self.visible)
        return code

    @Lazy
    def class_(self) -> Tensor:
        """Return the class codes of `real`: (2B, ...)."""
        code: Tensor = self.generator.class_code(self.real)
        return code

    @Lazy
    def self_recon(self) -> Tensor:
        """Return G(x, x), with content and class of the same image: (2B, 3, H, W)."""
        return self._decoded("self_recon")

    @Lazy
    def mixed(self) -> Tensor:
        """Return the mixed images (disassembly): (2B, 3, H, W).

        Each has the content of its partner and the class of its own image.
        """
        return self._decoded("mixed")

    def _codes(self, name: str) -> tuple[Tensor, Tensor]:
        """Return the content and class codes that an image of the first stage is decoded from."""
        return (self.content if name == "self_recon" else swap(self.content)), self.class_

    def _decoded(self, name: str) -> Tensor:
        """Return `self_recon` or `mixed`, decoded in one call if both are announced."""
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
        """Return the content codes of `mixed`: (2B, ...)."""
        code: Tensor = self.generator.content_code(self.mixed)
        return code

    @Lazy
    def mixed_class(self) -> Tensor:
        """Return the class codes of `mixed`: (2B, ...)."""
        code: Tensor = self.generator.class_code(self.mixed)
        return code

    @Lazy
    def full_recon(self) -> Tensor:
        """Return the mixed images mixed again (reassembly): (2B, 3, H, W).

        They should match the originals.
        """
        image: Tensor = self.generator.decode(swap(self.mixed_content), self.mixed_class)
        return image

    def verdict(self, name: str) -> Tensor:
        """Return the discriminator's map of images, under the labels that they should have.

        Args:
            name: attribute of this pass that contains the images.

        Raises:
            ValueError: the model has no discriminator.
        """
        return self._judged(name)[0]

    def features(self, name: str) -> Tensor:
        """Return the discriminator's features of images, averaged over the map: (N, C).

        Args:
            name: attribute of this pass that contains the images.

        Raises:
            ValueError: the model has no discriminator, or one without features to compare.
        """

        def pooled() -> Tensor:
            features = self._judged(name)[1]
            if features is None:
                raise ValueError("this model's discriminator has no features to match")
            return features.mean((2, 3))

        return self.once(f"features/{_seen_as(self, name)}", pooled)

    def _judged(self, name: str) -> tuple[Tensor, Tensor | None]:
        """Return the discriminator's map and features of the images called `name`."""
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
        """Return the labels that the images called `name` should have."""
        return (
            self.content_labels if name in ("self_recon", "content_images") else self.class_labels
        )


class TranslationPass(CrossPass):
    """The pass of plain FUNIT, with one direction.

    Mixed images have the content of the content image and the class of the class image.

    Attributes:
        real: (B, 3, H, W): the class images, which the discriminator sees as real.
        labels: (B,): the labels of the class images.
    """

    def _start(self, batch: Batch) -> None:
        """Set the images and labels of the one direction."""
        self.real = self.class_images = batch.class_images
        self.labels = self.class_labels = batch.class_labels
        self.content_images, self.content_labels = batch.content_images, batch.content_labels

    def _erase(self) -> Tensor | None:
        """Return the mask of the erased regions of the content images, or None."""
        return self.batch.content_erase

    @Lazy
    def self_recon(self) -> Tensor:
        """Return G(x, x), with content and class of the content image: (B, 3, H, W)."""
        return self._decoded("self_recon")

    @Lazy
    def mixed(self) -> Tensor:
        """Return the translated images: (B, 3, H, W).

        Each has the content of the content image and the class of the class image.
        """
        return self._decoded("mixed")

    def _codes(self, name: str) -> tuple[Tensor, Tensor]:
        """Return the content and class codes that an image is decoded from."""
        return self.content, self.generator.class_code(
            self.content_images
        ) if name == "self_recon" else self.class_

    @Lazy
    def full_recon(self) -> Tensor:
        """Raise ValueError, because one direction can't be mixed back.

        A translated image can't be mixed again without its partner.
        """
        raise ValueError(
            "full_recon needs both directions of a pair; "
            "plain funit translates one (use funit2funit)"
        )


def _seen_as(cross: CrossPass, name: str) -> str:
    """Return one name per tensor, so that originals under two names are judged once."""
    if name in ("content_images", "class_images") and getattr(cross, name) is cross.real:
        return "real"
    return name


class DiscriminatorPass:
    """The images and labels that the discriminator's loss terms work on.

    Args:
        discriminator: see `Networks`.
        real: (N, 3, H, W) in [-1, 1].
        labels: (N,) labels of `real`.
        fake: (N, 3, H, W): the mixed images, which are detached here; entry i was given the class
            of entry i of `real`.
        fake_labels: (N,) labels of `fake`.
        batch_size: number of pairs, B. N is 2B, or B if there is only one direction.
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
        # A separate leaf, because the gradient penalty differentiates the verdict by it.
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
