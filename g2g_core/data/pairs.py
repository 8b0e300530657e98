"""The interface of a dataset: batches for training, fixed pairs for evaluation."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from g2g_core.config import TrialConfig


class DataError(ValueError):
    """Data that cannot be used.

    The message is a single line: where the problem is, what is wrong, and what was expected.
    """


def printable(name: object) -> str:
    """Return a name or path as text that can be printed, whatever bytes the name consists of."""
    text = str(name)
    return text if text.isprintable() else ascii(text)


def shown(name: object) -> str:
    """Return a name or path as it appears in a message.

    The text has at most 200 characters, and control characters in a name cannot break the line.
    """
    text = printable(name)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-97:]}"


@dataclass(frozen=True)
class Batch:
    """The images of one training step, drawn as two independent streams.

    FUNIT has two data loaders, so the labels of a pair may coincide.

    Attributes:
        content_images: (B, 3, H, W) in [-1, 1], float32.
        content_labels: (B,) int64, indices of training classes.
        class_images: (B, 3, H, W) in [-1, 1], float32.
        class_labels: (B,) int64.
        content_erase: (B, 1, H, W) in {0, 1}, 1 where the content encoder must not see
            `content_images`; None: nowhere.
        class_erase: the same for `class_images`, whose content is also used in cross-training.
    """

    content_images: Tensor
    content_labels: Tensor
    class_images: Tensor
    class_labels: Tensor
    content_erase: Tensor | None = None
    class_erase: Tensor | None = None


@dataclass(frozen=True)
class EvaluationPairs:
    """P fixed pairs of images of different classes, center-cropped and not augmented.

    "Stacked" means that entries 0..P-1 belong to `first` and entries P..2P-1 to `second`.

    Attributes:
        first: (P, 3, H, W) in [-1, 1], float32.
        first_labels: (P,) int64, indices into `class_names`.
        second: (P, 3, H, W) in [-1, 1].
        second_labels: (P,) int64; entry i differs from `first_labels[i]`.
        digest: SHA-256 of the images, labels, and split.
        split: `test` (classes never trained on) or `train` (training classes, with images kept
            apart from training if the dataset keeps some apart).
        class_names: the names that the labels count.
        truth: (2P, 3, H, W) in [-1, 1], stacked: the exact image with the class of entry i and the
            content of its partner, like `CrossPass.mixed`; None if the truth is unknown.
        factors: content factor -> (2P, ...), stacked; integers are categories, floats are
            quantities; empty if the factors are unknown.
        erase: (2P, 1, H, W) in {0, 1}, stacked, 1 where the content encoder must not see the
            images; None: nowhere.
        shots: (2P, k - 1, 3, H, W) in [-1, 1], stacked: further images of the class of entry i, for
            k-shot mixing; None: one-shot.
        attributes: attribute -> (2P,) int64, stacked: the value of each image, for datasets with
            named attributes.
        mask: (2P, 1, H, W) in [0, 1], stacked: the share of each pixel that mixing should change in
            the content image, for datasets that know it.
    """

    first: Tensor
    first_labels: Tensor
    second: Tensor
    second_labels: Tensor
    digest: str
    split: str
    class_names: tuple[str, ...]
    truth: Tensor | None = None
    factors: Mapping[str, Tensor] = field(default_factory=dict)
    erase: Tensor | None = None
    shots: Tensor | None = None
    attributes: Mapping[str, Tensor] = field(default_factory=dict)
    mask: Tensor | None = None


class Data(Protocol):
    """A dataset as training and evaluation see it.

    Attributes:
        name: name in `DATASETS`.
        n_classes: number of training classes; all labels of batches are below it.
        class_names: the training classes by label.
        image_size: side of the images, pixels.
    """

    name: str
    n_classes: int
    class_names: tuple[str, ...]
    image_size: int

    @property
    def digest(self) -> str:
        """SHA-256 of the content of the data and of its division into training and test."""
        ...

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0: a pure function of (config.seed, step)."""
        ...

    def evaluation_pairs(self, n: int, split: str = "test", shots: int = 1) -> EvaluationPairs:
        """Return fixed pairs that depend only on (config.seed, n, split).

        `shots` adds images without changing the pairs.

        Args:
            n: number of pairs.
            split: `test`: test classes if the dataset has some; `train`: training classes.
            shots: images per class, including the image of the pair.

        Raises:
            DataError: a class of the pairs has fewer images than `shots`.
        """
        ...

    def order_digest(self, steps: int) -> str:
        """Return the SHA-256 of the images, order, and augmentation of the first batches.

        Args:
            steps: number of batches.
        """
        ...


@dataclass(frozen=True)
class Attribute:
    """A named property of images with a fixed number of values, such as glasses or no glasses.

    Attributes:
        values: names of the values.
        numbers: (N,) int64: the value of each training image, as an index into `values`.
    """

    values: tuple[str, ...]
    numbers: NDArray[np.int64]


@runtime_checkable
class Rows(Protocol):
    """A dataset whose training images have fixed numbers, 0 to N - 1.

    Systems that learn something about each image need it. The numbers depend on the content of the
    data alone, so they are the same in every run with the same `Data.digest`.
    """

    @property
    def image_labels(self) -> NDArray[np.int64]:
        """(N,) int64, the class of each training image."""
        ...

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """Further properties of the training images, by name."""
        ...

    def images_at(self, indices: NDArray[np.int64]) -> Tensor:
        """Return training images without augmentation, (B, 3, H, W) in [-1, 1].

        Args:
            indices: (B,) numbers of images.
        """
        ...

    def mixed_at(self, class_of: int, content_of: int) -> int | None:
        """Return the training image with the class of one image and the content of another.

        None: the dataset has no such image, or doesn't know it.
        """
        ...


def attribute_of(data: Data, name: str) -> Attribute:
    """Return an attribute of the training images of a dataset; `class` is their class.

    Raises:
        DataError: the dataset doesn't have it.
    """
    if not isinstance(data, Rows):
        raise DataError(f"dataset: {data.name} can't give its training images by number")
    known = {"class": Attribute(data.class_names, data.image_labels), **data.attributes}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
        raise DataError(f"attributes: {data.name} has no attribute {name!r}; {hint}")
    return known[name]


@dataclass(frozen=True)
class Dataset:
    """A dataset that study files can name; called with a config, it returns the data.

    Attributes:
        make: the function that returns the data of a config; the first line of its docstring is
            shown by `g2g-ablate list datasets`.
        options: dataclass of the keys of `data:` in a study file.
    """

    make: Callable[[TrialConfig], Data]
    options: type

    def __call__(self, config: TrialConfig) -> Data:
        """Return the data of a config.

        Raises:
            DataError: the data or an option can't be used.
        """
        return self.make(config)

    def without_effect(self) -> frozenset[str]:
        """Return the options that change no number: paths, and those marked as neutral."""
        return frozenset(
            option.name
            for option in fields(self.options)
            if {"neutral", "path"} & set(option.metadata)
        )


def digest_of(parts: Sequence[Tensor | np.ndarray | str | None]) -> str:
    """Return the SHA-256 (hex) of a sequence of tensors and texts; shapes and dtypes count.

    Args:
        parts: tensors on the CPU, arrays, texts, or None for a missing part.
    """
    total = hashlib.sha256()
    for part in parts:
        if part is None or isinstance(part, str):
            total.update(f"{part!r};".encode())
            continue
        array = np.ascontiguousarray(part.numpy() if isinstance(part, Tensor) else part)
        total.update(f"{array.dtype.str}{array.shape};".encode())
        total.update(array.tobytes())
    return total.hexdigest()
