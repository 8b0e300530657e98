"""What a dataset gives: batches for training, fixed pairs for evaluation."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from torch import Tensor


class DataError(ValueError):
    """Data that cannot be used; the message is one line that says what, where, and what would be
    right."""


def shown(name: object) -> str:
    """A name or path in a message: at most 200 characters, none of which can break or forge the
    line."""
    text = str(name)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-97:]}"


@dataclass(frozen=True)
class Batch:
    """One training step's images, drawn as two independent streams (FUNIT's two loaders; labels may
    coincide).

    Attributes:
        content_images: (B, 3, H, W) in [-1, 1], float32.
        content_labels: (B,) int64, indices of training classes.
        class_images: (B, 3, H, W) in [-1, 1], float32.
        class_labels: (B,) int64.
        content_erase: (B, 1, H, W) in {0, 1}: where the content encoder must not see
            `content_images`; None: nowhere.
        class_erase: the same for `class_images`, whose content is used too in cross-training.
    """

    content_images: Tensor
    content_labels: Tensor
    class_images: Tensor
    class_labels: Tensor
    content_erase: Tensor | None = None
    class_erase: Tensor | None = None


@dataclass(frozen=True)
class EvaluationPairs:
    """P fixed pairs of images of different classes, centre crop, no augmentation.

    Attributes:
        first: (P, 3, H, W) in [-1, 1], float32.
        first_labels: (P,) int64, indices into `class_names`.
        second: (P, 3, H, W) in [-1, 1].
        second_labels: (P,) int64; entry i differs from `first_labels[i]`.
        digest: SHA-256 of all that is in here.
        split: `test` (classes never trained on) or `train` (training classes; images kept apart
            from training where the set keeps some apart).
        class_names: the classes that the labels count.
        truth: (2P, 3, H, W) in [-1, 1]: the exact image with the class of entry i of `[first;
            second]` and the content of its partner, stacked as `CrossPass.mixed` is; None where
            nobody knows it.
        factors: content factor -> (2P, ...) for entry i of `[first; second]`; integers are
            categories, floats are quantities; empty where nobody knows them.
        erase: (2P, 1, H, W) in {0, 1}: where the content encoder must not see `[first; second]`;
            None: nowhere.
        shots: (2P, k - 1, 3, H, W) in [-1, 1]: further images of the class of entry i of `[first;
            second]`, for k-shot mixing; None: one-shot.
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


class Data(Protocol):
    """A dataset as training and evaluation see it.

    Attributes:
        name: name in `DATASETS`.
        n_classes: number of training classes; labels of batches are below it.
        class_names: the training classes by label.
        image_size: side of the images, pixels.
    """

    name: str
    n_classes: int
    class_names: tuple[str, ...]
    image_size: int

    @property
    def digest(self) -> str:
        """SHA-256 of the content of the data and of its division in training and test."""
        ...

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0; a pure function of (config.seed, step)."""
        ...

    def evaluation_pairs(self, n: int, split: str = "test", shots: int = 1) -> EvaluationPairs:
        """Fixed pairs that depend on (config.seed, n, split) only; `shots` adds images and changes
        none of them.

        Args:
            n: number of pairs.
            split: `test`: test classes where the set has some; `train`: training classes.
            shots: images of each class, the pair's own among them.

        Raises:
            DataError: a class of the pairs has fewer images than `shots`.
        """
        ...

    def order_digest(self, steps: int) -> str:
        """SHA-256 of which images, in which order and augmented how, the first `steps` batches
        hold."""
        ...


def digest_of(parts: Sequence[Tensor | np.ndarray | str | None]) -> str:
    """SHA-256 (hex) of tensors and texts in order; shapes and dtypes count."""
    total = hashlib.sha256()
    for part in parts:
        if part is None or isinstance(part, str):
            total.update(f"{part!r};".encode())
            continue
        array = np.ascontiguousarray(part.numpy() if isinstance(part, Tensor) else part)
        total.update(f"{array.dtype.str}{array.shape};".encode())
        total.update(array.tobytes())
    return total.hexdigest()
