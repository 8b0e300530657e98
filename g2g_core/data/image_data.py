"""Any dataset of image files as training and evaluation see it."""

import copy
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import PIL
import torch
from numpy.typing import NDArray
from torch import Tensor

from g2g_core.config import TrialConfig
from g2g_core.data.ahead import BatchesAhead
from g2g_core.data.attributes import FileAttributes, Table
from g2g_core.data.cache import FileImages, Images, decoded
from g2g_core.data.decode import DECODING
from g2g_core.data.erase import USUAL_POINTS, Points, face_mask, fixed_points
from g2g_core.data.listing import ImageSet, Listing
from g2g_core.data.options import ImageOptions
from g2g_core.data.order import STREAMS, Order
from g2g_core.data.pairs import Attribute, Batch, DataError, EvaluationPairs, digest_of, shown
from g2g_core.data.transforms import centre, crop, to_tensor
from g2g_core.hashing import file_digests
from g2g_core.seeding import numpy_rng


class ImageData:
    """Image files as `Data`; the files are decoded when they are first needed."""

    def __init__(
        self,
        config: TrialConfig,
        images: ImageSet,
        options: ImageOptions,
        points: Mapping[str, Points] | None = None,
        attributes: tuple[Table, Path] | None = None,
    ) -> None:
        """Create the dataset of a config.

        Args:
            config: of the trial.
            images: the files with their classes, divided into training and evaluation.
            options: of the dataset.
            points: file -> points of its face. For files without points, `face_points` of the
                options is used.
            attributes: named attributes of the files, and the file that they are from; None: the
                dataset has none.

        Raises:
            DataError: there are too few classes or images, or a file without attributes.
        """
        images.check(config.dataset)
        self.name = config.dataset
        self._pairs_seed = config.seed_of("pairs")
        self._augmentation_seed = config.seed_of("augmentation")
        self.image_size = config.image_size
        self.options = options
        self.set = images
        self.n_classes = len(images.train.class_names)
        self.class_names = images.train.class_names
        self.shortest = options.shortest(config.image_size)
        order_seed = config.seed_of("order")
        self.order = Order(len(images.train.files), config.batch_size, order_seed)
        self.files = (*images.train.files, *images.test.files)
        table, where = attributes or ({}, images.folder)
        self._attributes = FileAttributes(table, self.files, len(images.train.files), where)
        self._points = points or {}
        self._usual_points = fixed_points(options.face_points or USUAL_POINTS)
        self._ahead: BatchesAhead | None = None
        self._labels = np.array(images.train.labels, dtype=np.int64)

    @cached_property
    def file_digests(self) -> list[str]:
        """Digest of each file, training files first."""
        return file_digests(self.set.folder, self.files)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names, labels, division, content, and decoding of the files."""
        parts = [
            f"{part.files}{part.labels}{part.class_names}"
            for part in (self.set.train, self.set.test)
        ]
        named = [self._attributes.text] if self._attributes.values else []
        return digest_of([*parts, *named, DECODING, " ".join(self.file_digests)])

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that the decoded images depend on."""
        content = " ".join(self.file_digests)
        return digest_of([PIL.__version__, DECODING, str(self.shortest), str(self.files), content])

    @cached_property
    def images(self) -> Images:
        """The decoded images, training images first.

        Raises:
            DataError: images cannot be read.
        """
        return decoded(self.set.folder, self.files, self.shortest, self.key, self.options.cache)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step; see `Data.batch`."""
        if self.options.workers and isinstance(self.images, FileImages):
            if self._ahead is None:
                # A copy makes the batches, since a reference cycle would keep the workers alive.
                self._ahead = BatchesAhead(copy.copy(self).made_batch, self.options.workers)
            return self._ahead(step)
        return self.made_batch(step)

    def made_batch(self, step: int) -> Batch:
        """Return the batch of a step, made in this process."""
        places = np.split(self._places(step), 2)
        indices = [self.order.indices(stream, step) for stream in STREAMS]
        (content_images, content_labels), (class_images, class_labels) = (
            self._take(*drawn) for drawn in zip(indices, places, strict=True)
        )
        if self.options.erase == "none":
            return Batch(content_images, content_labels, class_images, class_labels)
        return Batch(
            content_images,
            content_labels,
            class_images,
            class_labels,
            *(self._masks(*drawn) for drawn in zip(indices, places, strict=True)),
        )

    def names_of(self, step: int) -> list[str]:
        """Return the files of the batch of a step, content images first."""
        return [
            self.files[i] for stream in STREAMS for i in self.order.indices(stream, step).tolist()
        ]

    def evaluation_pairs(self, n: int, split: str = "test", shots: int = 1) -> EvaluationPairs:
        """Return fixed pairs; see `Data.evaluation_pairs`.

        Raises:
            DataError: there are no two classes to pair, no pair has the true mixed images that the
                options ask for, or a class has fewer images than `shots`.
        """
        part, offset = self._evaluated(split)
        pairs = self.draw_pairs(n, split)
        shot_indices = self.draw_shots(pairs, shots, split)
        # Without test classes, the pairs are of training classes, and the split says so.
        split = "test" if part is self.set.test and self.set.new_classes else "train"

        numbers = np.concatenate([pairs[:, 0], pairs[:, 1]])
        images = self._centre(numbers + offset)
        truth = (
            self._centre(np.concatenate([pairs[:, 2], pairs[:, 3]]) + offset)
            if pairs.shape[1] == 4
            else None
        )
        masks = (
            self._masks(numbers + offset, centre(2 * n)) if self.options.erase != "none" else None
        )
        shot_images = (
            self._centre(shot_indices.flatten() + offset).view(
                *shot_indices.shape, *images.shape[1:]
            )
            if shots > 1
            else None
        )
        labels = torch.from_numpy(np.array(part.labels, dtype=np.int64)[numbers])

        return EvaluationPairs(
            first=images[:n],
            first_labels=labels[:n],
            second=images[n:],
            second_labels=labels[n:],
            digest=digest_of(
                [
                    images,
                    labels,
                    truth,
                    masks,
                    split,
                    *([] if shot_images is None else [shot_images]),
                ]
            ),
            split=split,
            class_names=part.class_names,
            truth=truth,
            erase=masks,
            shots=shot_images,
            attributes=self._attributes.at(numbers + offset),
        )

    def draw_pairs(self, n: int, split: str) -> NDArray[np.int64]:
        """Return the file indices of the evaluation pairs, without reading images.

        Returns:
            (n, 2) indices; (n, 4) if the true mixed images are known, which are the last two
            columns.

        Raises:
            DataError: there are no two classes to pair, or no pair has the true mixed images that
                the options ask for.
        """
        part, _ = self._evaluated(split)
        which = "test" if part is self.set.test else "train"
        rng = numpy_rng(self._pairs_seed, f"data/pairs/{which}", n)
        return _draw_pairs(
            part, n, rng, by_name=self.options.truth == "by_name", where=str(self.set.folder)
        )

    def draw_shots(self, pairs: NDArray[np.int64], shots: int, split: str) -> NDArray[np.int64]:
        """Return the file indices of further images of the pairs' classes, without reading images.

        Args:
            pairs: from `draw_pairs`.
            shots: images per class, including the image of the pair.
            split: `test` or `train`.

        Returns:
            (2n, shots - 1) indices.

        Raises:
            DataError: a class of the pairs has fewer images than `shots`.
        """
        part, _ = self._evaluated(split)
        numbers = np.concatenate([pairs[:, 0], pairs[:, 1]])
        if shots == 1:
            return np.empty((len(numbers), 0), dtype=np.int64)

        labels = np.array(part.labels)
        rng = numpy_rng(
            self._pairs_seed, f"data/shots/{'test' if part is self.set.test else 'train'}", shots
        )
        drawn = []
        for number in numbers:
            others = np.setdiff1d(np.flatnonzero(labels == labels[number]), [number])
            if len(others) < shots - 1:
                name = shown(part.class_names[labels[number]])
                raise DataError(
                    f"{self.set.folder}: eval_shots is {shots}; "
                    f"class {name} has {len(others) + 1} images"
                )
            drawn.append(rng.choice(others, size=shots - 1, replace=False))
        return np.array(drawn, dtype=np.int64)

    @property
    def image_labels(self) -> NDArray[np.int64]:
        """The class of each training image; see `Rows`."""
        return self._labels

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes of the training images, if the dataset names some; see `Rows`."""
        return self._attributes.of_training()

    def images_at(self, indices: NDArray[np.int64]) -> Tensor:
        """Return the center crops of training images by number; see `Rows`."""
        return self._centre(indices)

    def mixed_at(self, class_of: int, content_of: int) -> int | None:
        """Return the image with the class of one and the content of another; see `Rows`.

        It is known if files with the same name show the same content (`truth: by_name`).
        """
        if self.options.truth != "by_name":
            return None
        return self._by_content.get(
            (int(self._labels[class_of]), self.set.train.contents()[content_of])
        )

    @cached_property
    def _by_content(self) -> dict[tuple[int, str], int]:
        """Training image by its class and the name of its content."""
        names = zip(self.set.train.labels, self.set.train.contents(), strict=True)
        return {key: number for number, key in enumerate(names)}

    def order_digest(self, steps: int) -> str:
        """Return the SHA-256 of the order and the augmentation of the first `steps` batches."""
        return digest_of([self.order.digest(steps), *(self._places(step) for step in range(steps))])

    def _evaluated(self, split: str) -> tuple[Listing, int]:
        """Return the files that a split is evaluated on.

        Returns:
            The files, and the index of the first of them among all files.
        """
        if split == "train" and self.set.new_classes:
            return self.set.train, 0
        return self.set.test, len(self.set.train.files)

    def _places(self, step: int) -> NDArray[np.float64]:
        """Return the augmentation of a step.

        Returns:
            (2B, 3), content images first; see `transforms.crop`.
        """
        places = numpy_rng(self._augmentation_seed, "data/augmentation", step).random(
            (2 * self.order.batch_size, 3)
        )
        if self.options.crop == "centre":
            places[:, :2] = 0.5
        if not self.options.flip:
            places[:, 2] = 0.0
        return places

    def _take(
        self, indices: NDArray[np.int64], places: NDArray[np.float64]
    ) -> tuple[Tensor, Tensor]:
        """Return the cropped images (N, 3, H, W) in [-1, 1] and their labels (N,)."""
        pixels = crop([self.images[int(i)] for i in indices], self.image_size, places)
        return to_tensor(pixels), torch.from_numpy(self._labels[indices])

    def _masks(self, indices: NDArray[np.int64], places: NDArray[np.float64]) -> Tensor:
        """Return (N, 1, H, W) float32, 1 where the content encoder must not see the images."""
        masks = []
        for i in indices:
            height, width = self.images[int(i)].shape[:2]
            points = self._points.get(self.files[i], self._usual_points)
            masks.append(face_mask(height, width, points, self.options.erase))
        return torch.from_numpy(crop(masks, self.image_size, places)).float()

    def _centre(self, indices: NDArray[np.int64]) -> Tensor:
        """Return the center crops of images, (N, 3, H, W) in [-1, 1]."""
        return to_tensor(
            crop([self.images[int(i)] for i in indices], self.image_size, centre(len(indices)))
        )


def _draw_pairs(
    part: Listing, n: int, rng: np.random.Generator, by_name: bool, where: str
) -> NDArray[np.int64]:
    """Draw the file indices of n pairs of images of two different classes.

    Classes are drawn before files, so that each class counts the same however many files it has.

    Returns:
        (n, 2); with `by_name`, (n, 4), where the last two columns are the true mixed images.

    Raises:
        DataError: there are no two classes, or too few pairs have true mixed images.
    """
    labels = np.array(part.labels)
    members = [np.flatnonzero(labels == label) for label in range(len(part.class_names))]
    filled = [label for label, files in enumerate(members) if len(files)]
    if len(filled) < 2:
        raise DataError(
            f"{where}: evaluation needs images of at least 2 classes, there are {len(filled)}"
        )

    contents = part.contents()
    known = {
        (label, content): i
        for i, (label, content) in enumerate(zip(part.labels, contents, strict=True))
    }

    # With `by_name`, most pairs may lack their true mixed images. 100 tries per pair are enough
    # unless such pairs are very rare.
    drawn: list[tuple[int, ...]] = []
    for _ in range(100 * n):
        class_1, class_2 = rng.choice(filled, size=2, replace=False)
        file_1, file_2 = int(rng.choice(members[class_1])), int(rng.choice(members[class_2]))
        if not by_name:
            drawn.append((file_1, file_2))
        elif contents[file_1] != contents[file_2]:
            mixed_1, mixed_2 = (class_1, contents[file_2]), (class_2, contents[file_1])
            if mixed_1 in known and mixed_2 in known:
                drawn.append((file_1, file_2, known[mixed_1], known[mixed_2]))
        if len(drawn) == n:
            return np.array(drawn, dtype=np.int64)

    raise DataError(
        f"{where}: data.truth is by_name, "
        "but (nearly) no two files have the true mixed images beside them"
    )
