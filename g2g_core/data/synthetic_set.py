"""The synthetic dataset, rendered from (class, content).

You don't need to download anything, and the true mixed image of any pair is known exactly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from g2g_core.config import TrialConfig
from g2g_core.data.options import options_of
from g2g_core.data.order import STREAMS, Order
from g2g_core.data.pairs import (
    Attribute,
    Batch,
    Data,
    DataError,
    Dataset,
    EvaluationPairs,
    digest_of,
)
from g2g_core.data.rendering import LOOKS, Content, Layers, Look, content, look, render
from g2g_core.data.shapes import SHAPES
from g2g_core.data.transforms import to_range
from g2g_core.seeding import numpy_rng

RENDERING = "2"  # increases when the same options give other images
HELD_OUT = 4096  # number of contents kept for evaluation


@dataclass(frozen=True)
class SyntheticOptions:
    """Options of `synthetic`.

    Attributes:
        classes: number of training classes (looks).
        test_classes: number of looks that are only used for evaluation. The usual 5 are new pairs
            of colors that training knows.
        contents: number of training contents (shape, place, size, turn). Every training class has
            an image of each content. Evaluation always uses other contents.
        world: another number turns all hues and gives other contents of the same kinds.
    """

    classes: int = 20
    test_classes: int = 5
    contents: int = 128
    world: int = 0

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise DataError(
                f"synthetic: classes is {self.classes}; at least 2 training classes are needed"
            )
        if self.test_classes < 0 or self.test_classes == 1:
            raise DataError(
                f"synthetic: test_classes is {self.test_classes}; it must be 0 or at least 2"
            )
        if self.classes + self.test_classes > LOOKS:
            raise DataError(
                f"synthetic: {self.classes + self.test_classes} classes; there are {LOOKS} looks"
            )
        if self.contents < 2:
            raise DataError(f"synthetic: contents is {self.contents}; at least 2 are needed")


def synthetic(config: TrialConfig) -> Data:
    """Render colored shapes, without a download and with an exact truth for any pair.

    Args:
        config: of the trial.

    Raises:
        DataError: an option is out of range, or there are fewer images than a batch needs.
    """
    return Synthetic(config, options_of(config, SyntheticOptions))


class Synthetic:
    """The synthetic dataset as `Data`.

    Image i shows training class i // contents and training content i % contents.

    Args:
        config: of the trial.
        options: of the dataset.

    Raises:
        DataError: the image size is out of range, or there are fewer images than a batch needs.
    """

    name = "synthetic"

    def __init__(self, config: TrialConfig, options: SyntheticOptions) -> None:
        self.options = options
        self._pairs_seed = config.seed_of("pairs")
        self.image_size = config.image_size
        if not 8 <= self.image_size <= 1024:
            raise DataError(f"synthetic: image_size is {self.image_size}; it must be 8 to 1024")
        self.n_classes = options.classes
        self.class_names = tuple(f"look{i:03d}" for i in range(options.classes))
        self.order = Order(
            options.classes * options.contents, config.batch_size, config.seed_of("order")
        )
        self.digest = digest_of([f"synthetic/{RENDERING}/{self.image_size}/{options}"])

        self._looks = [
            look(i, options.world) for i in range(options.classes + options.test_classes)
        ]
        self._contents = [content(i, options.world) for i in range(options.contents)]
        self._layers: dict[Content, Layers] = {}
        shape = (self.order.n_images, 3, self.image_size, self.image_size)
        self._pixels = np.zeros(shape, dtype=np.uint8)
        self._rendered = np.zeros(self.order.n_images, dtype=bool)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step; see `Data.batch`.

        Images are not augmented, because the contents are already uniformly distributed.
        """
        content_images, content_labels = self._take(self.order.indices("content", step))
        class_images, class_labels = self._take(self.order.indices("class", step))
        return Batch(content_images, content_labels, class_images, class_labels)

    def names_of(self, step: int) -> list[str]:
        """Return the images of the batch of a step by look and content, content images first."""
        places = [
            divmod(i, self.options.contents)
            for stream in STREAMS
            for i in self.order.indices(stream, step).tolist()
        ]
        return [f"{self.class_names[label]}/content{number:04d}" for label, number in places]

    def evaluation_pairs(self, n: int, split: str = "test", shots: int = 1) -> EvaluationPairs:
        """Return fixed pairs of two looks and two contents that training never shows.

        See `Data.evaluation_pairs`. The looks of `train` pairs are those of the training classes.
        """
        rng = numpy_rng(self._pairs_seed, f"data/pairs/{split}", n)

        names, first_look = self.class_names, 0
        if split == "test" and self.options.test_classes:
            names = tuple(
                f"look{self.options.classes + i:03d}" for i in range(self.options.test_classes)
            )
            first_look = self.options.classes
        else:
            # Without test looks, the pairs are of training looks, and the split says so.
            split = "train"

        labels = np.stack(
            [rng.choice(len(names), size=2, replace=False) for _ in range(n)], axis=1
        ).reshape(2 * n)
        numbers = np.stack(
            [rng.choice(HELD_OUT, size=2, replace=False) for _ in range(n)], axis=1
        ).reshape(2 * n)

        looks = [self._looks[first_look + label] for label in labels]
        contents = [content(self.options.contents + int(i), self.options.world) for i in numbers]
        partners = contents[n:] + contents[:n]
        images = to_range(torch.from_numpy(render(looks, contents, self.image_size)))
        truth = to_range(torch.from_numpy(render(looks, partners, self.image_size)))
        factors = content_factors(contents)
        further = self._shots(looks, numbers, shots, f"data/shots/{split}") if shots > 1 else None
        tensor_labels = torch.from_numpy(labels.astype(np.int64))

        return EvaluationPairs(
            first=images[:n],
            first_labels=tensor_labels[:n],
            second=images[n:],
            second_labels=tensor_labels[n:],
            digest=digest_of(
                [images, tensor_labels, truth, split, *([] if further is None else [further])]
            ),
            split=split,
            class_names=names,
            truth=truth,
            factors=factors,
            shots=further,
        )

    def _shots(self, looks: list[Look], own: NDArray[np.int64], shots: int, purpose: str) -> Tensor:
        """Return (2P, shots - 1, 3, H, W): each look with further held-out contents."""
        if shots > HELD_OUT:
            raise DataError(
                f"synthetic: eval_shots is {shots}; there are {HELD_OUT} contents for evaluation"
            )

        rng = numpy_rng(self._pairs_seed, purpose, shots)
        drawn = [
            rng.choice(np.delete(np.arange(HELD_OUT), number), size=shots - 1, replace=False)
            for number in own
        ]
        contents = [
            content(self.options.contents + int(i), self.options.world)
            for i in np.concatenate(drawn)
        ]
        pixels = render(
            [one_look for one_look in looks for _ in range(shots - 1)], contents, self.image_size
        )
        return to_range(torch.from_numpy(pixels)).view(len(looks), shots - 1, *pixels.shape[1:])

    @property
    def image_labels(self) -> NDArray[np.int64]:
        """The class of each training image; see `Rows`."""
        return np.arange(self.order.n_images, dtype=np.int64) // self.options.contents

    @property
    def attributes(self) -> dict[str, Attribute]:
        """No attributes besides the class; see `Rows`."""
        return {}

    def images_at(self, indices: NDArray[np.int64]) -> Tensor:
        """Return training images by number; see `Rows`."""
        return self._take(indices)[0]

    def mixed_at(self, class_of: int, content_of: int) -> int:
        """Return the image with the class of one and the content of another; see `Rows`."""
        contents = self.options.contents
        return class_of // contents * contents + content_of % contents

    def order_digest(self, steps: int) -> str:
        """Return the SHA-256 of the order of images in the first `steps` batches."""
        return self.order.digest(steps)

    def _take(self, indices: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return images and labels by index; each image is rendered at its first use."""
        missing = indices[~self._rendered[indices]]
        if len(missing):
            looks = [self._looks[i] for i in missing // self.options.contents]
            contents = [self._contents[i] for i in missing % self.options.contents]
            self._pixels[missing] = render(looks, contents, self.image_size, self._layers)
            self._rendered[missing] = True
        return to_range(torch.from_numpy(self._pixels[indices])), torch.from_numpy(
            indices // self.options.contents
        )


def content_factors(contents: list[Content]) -> dict[str, Tensor]:
    """Return the factors of N contents, for probes.

    Args:
        contents: N contents.

    Returns:
        `shape` (N,) int64; `x`, `y`, `size` (N,) float32; `angle` (N, 2) float32: cosine and sine
        of the turn times the shape's symmetry, since a square turned by a quarter is the same
        square.
    """
    shapes = tuple(SHAPES)
    turns = np.array([one.angle * SHAPES[one.shape][1] for one in contents])
    return {
        "shape": torch.tensor([shapes.index(one.shape) for one in contents]),
        "x": torch.tensor([one.x for one in contents]),
        "y": torch.tensor([one.y for one in contents]),
        "size": torch.tensor([one.size for one in contents]),
        "angle": torch.from_numpy(
            np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
        ),
    }


DATASETS = {"synthetic": Dataset(synthetic, SyntheticOptions)}
"""Datasets of this module, for the menu."""
