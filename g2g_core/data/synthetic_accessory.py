"""The synthetic dataset with and without an accessory, whose true image and mask are known.

The class says whether an accessory is there; the accessory itself (kind, color, thickness) varies.
So a system can be asked whether it moves *this* accessory, removes it, or only adds some.
"""

from collections.abc import Sequence
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
from g2g_core.data.rendering import LOOKS, Content, content, look, render
from g2g_core.data.shapes import Floats
from g2g_core.data.synthetic_set import content_factors
from g2g_core.data.transforms import to_range
from g2g_core.seeding import numpy_rng

RENDERING = "1"  # increases when the same options give other images
HELD_OUT = 4096  # number of contents and accessories kept for evaluation
CLASSES = ("without", "with")
KINDS = ("bar", "ring", "cap")
COLORS = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0), "yellow": (1.0, 0.9, 0.0)}
COLORS["cyan"] = (0.0, 0.9, 1.0)
"""Name -> sRGB in [0, 1]. No look has a body or a ground of these colors."""


@dataclass(frozen=True)
class Accessory:
    """A thing laid over the shape of an image.

    Attributes:
        kind: one of `KINDS`.
        color: key of `COLORS`.
        thickness: half the width of its strokes, in half image widths.
    """

    kind: str
    color: str
    thickness: float


@dataclass(frozen=True)
class AccessoryOptions:
    """Options of `synthetic_accessory`.

    Attributes:
        images: number of training images of each class.
        looks: number of looks (colors of ground, body, and rim, and texture).
        contents: number of training contents (shape, place, size, turn). Evaluation uses others.
        accessories: number of training accessories. Evaluation uses others.
        world: another number turns all hues and gives other contents and accessories.
    """

    images: int = 300
    looks: int = 20
    contents: int = 128
    accessories: int = 128
    world: int = 0

    def __post_init__(self) -> None:
        for name, least in (("images", 1), ("looks", 1), ("contents", 1), ("accessories", 1)):
            if getattr(self, name) < least:
                raise DataError(
                    f"synthetic_accessory: {name} is {getattr(self, name)}; at least {least} is "
                    "needed"
                )
        if self.looks > LOOKS:
            raise DataError(f"synthetic_accessory: {self.looks} looks; there are {LOOKS}")


def synthetic_accessory(config: TrialConfig) -> Data:
    """Render colored shapes with and without an accessory, with exact images and masks.

    Args:
        config: of the trial.

    Raises:
        DataError: an option is out of range, or there are fewer images than a batch needs.
    """
    return SyntheticAccessory(config, options_of(config, AccessoryOptions))


def accessory(number: int, world: int = 0) -> Accessory:
    """Return accessory `number` of a world; kinds alternate, all other properties are random."""
    rng = numpy_rng(world, "synthetic/accessory", number)
    color = tuple(COLORS)[int(rng.integers(len(COLORS)))]
    return Accessory(KINDS[number % len(KINDS)], color, float(rng.uniform(0.07, 0.14)))


def coverage(thing: Accessory, place: Content, size: int) -> Floats:
    """Return the share of each pixel that an accessory covers, (size, size) in [0, 1].

    It is placed and scaled by the content, but doesn't turn with it.

    Args:
        thing: the accessory.
        place: the content that wears it.
        size: side of the image, pixels.
    """
    axis = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    x, y = np.meshgrid(axis - place.x, -axis - place.y)
    radius = np.hypot(x, y)
    distance = {
        "bar": np.maximum(np.abs(x) - 0.9 * place.size, np.abs(y) - thing.thickness),
        "ring": np.abs(radius - 0.7 * place.size) - thing.thickness,
        "cap": np.maximum(radius - place.size, 0.7 * place.size - 2 * thing.thickness - y),
    }[thing.kind]
    return np.clip(0.5 - distance * size / 2, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class _Scene:
    """What an image shows; without an accessory, `thing` is None."""

    look: int
    content: Content
    thing: Accessory | None

    def wearing(self, thing: Accessory | None) -> "_Scene":
        """Return the same image with another accessory, or without one."""
        return _Scene(self.look, self.content, thing)


class SyntheticAccessory:
    """The dataset as `Data`; images 0 to N - 1 are without an accessory, the next N with one.

    Args:
        config: of the trial.
        options: of the dataset.

    Raises:
        DataError: the image size is out of range, or there are fewer images than a batch needs.
    """

    name = "synthetic_accessory"
    n_classes = 2
    class_names: tuple[str, ...] = CLASSES

    def __init__(self, config: TrialConfig, options: AccessoryOptions) -> None:
        self.options, self.image_size = options, config.image_size
        self._pairs_seed = config.seed_of("pairs")
        if not 8 <= self.image_size <= 1024:
            raise DataError(f"{self.name}: image_size is {self.image_size}; it must be 8 to 1024")
        self.order = Order(2 * options.images, config.batch_size, config.seed_of("order"))
        self.digest = digest_of([f"{self.name}/{RENDERING}/{self.image_size}/{options}"])
        rng = numpy_rng(options.world, "synthetic/scenes", 2 * options.images)
        self._scenes = [
            self._scene(rng, with_thing=i >= options.images, first=0, contents=options.contents)
            for i in range(2 * options.images)
        ]
        shape = (self.order.n_images, 3, self.image_size, self.image_size)
        self._pixels = np.zeros(shape, dtype=np.uint8)
        self._rendered = np.zeros(self.order.n_images, dtype=bool)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step; see `Data.batch`. Images are not augmented."""
        content_indices, class_indices = (
            self.order.indices(stream, step) for stream in ("content", "class")
        )
        return Batch(
            self.images_at(content_indices),
            torch.from_numpy(self.image_labels[content_indices]),
            self.images_at(class_indices),
            torch.from_numpy(self.image_labels[class_indices]),
        )

    def names_of(self, step: int) -> list[str]:
        """Return the images of the batch of a step by class and number, content images first."""
        indices = [i for stream in STREAMS for i in self.order.indices(stream, step).tolist()]
        return [f"{CLASSES[self.image_labels[i]]}/image{i:05d}" for i in indices]

    @property
    def image_labels(self) -> NDArray[np.int64]:
        """The class of each training image; see `Rows`."""
        return np.repeat(np.arange(2, dtype=np.int64), self.options.images)

    @property
    def attributes(self) -> dict[str, Attribute]:
        """Look of each training image, and kind and color of its accessory; see `Rows`."""
        return {
            name: Attribute(values, numbers.numpy())
            for name, (values, numbers) in self._described(self._scenes).items()
        }

    def images_at(self, indices: NDArray[np.int64]) -> Tensor:
        """Return training images by number; see `Rows`."""
        if len(missing := np.unique(indices[~self._rendered[indices]])):
            self._pixels[missing] = self._render([self._scenes[i] for i in missing])
            self._rendered[missing] = True
        return to_range(torch.from_numpy(self._pixels[indices]))

    def mixed_at(self, _class_of: int, _content_of: int) -> None:
        """Return None: the mixed images of training images are not training images."""
        return

    def evaluation_pairs(self, n: int, split: str = "test", shots: int = 1) -> EvaluationPairs:
        """Return fixed pairs of an image with and one without, in random order.

        See `Data.evaluation_pairs`. Contents and accessories are those that training never shows.
        The mixed image of an image with an accessory is its partner with *this* accessory; that of
        one without is its partner, with the accessory removed.
        """
        rng = numpy_rng(self._pairs_seed, "data/pairs/train", n)
        held = {"first": self.options.contents, "contents": HELD_OUT}
        labels = np.zeros((2, n), dtype=np.int64)
        labels[0] = rng.integers(2, size=n)
        labels[1] = 1 - labels[0]
        scenes = [self._scene(rng, with_thing=bool(one), **held) for one in labels.reshape(-1)]
        partners = scenes[n:] + scenes[:n]
        mixed = [partner.wearing(own.thing) for own, partner in zip(scenes, partners, strict=True)]
        images, truth = (to_range(torch.from_numpy(self._render(some))) for some in (scenes, mixed))
        # What the mixed image adds to its partner, or removes from it.
        changed = [
            coverage(one.thing or partner.thing or _NOTHING, partner.content, self.image_size)
            for one, partner in zip(scenes, partners, strict=True)
        ]
        further = None
        if shots > 1:
            drawn = [
                self._scene(rng, with_thing=bool(label), **held)
                for label in labels.reshape(-1)
                for _ in range(shots - 1)
            ]
            pixels = to_range(torch.from_numpy(self._render(drawn)))
            further = pixels.view(2 * n, shots - 1, *pixels.shape[1:])
        tensor_labels = torch.from_numpy(labels.reshape(-1))
        factors = content_factors([scene.content for scene in scenes])
        return EvaluationPairs(
            first=images[:n],
            first_labels=tensor_labels[:n],
            second=images[n:],
            second_labels=tensor_labels[n:],
            digest=digest_of(
                [images, tensor_labels, truth, split, *([] if further is None else [further])]
            ),
            split="train",
            class_names=CLASSES,
            truth=truth,
            factors={**factors, "look": torch.tensor([scene.look for scene in scenes])},
            shots=further,
            attributes={name: one for name, (_, one) in self._described(scenes).items()},
            mask=torch.from_numpy(np.stack(changed))[:, None],
        )

    def order_digest(self, steps: int) -> str:
        """Return the SHA-256 of the order of images in the first `steps` batches."""
        return self.order.digest(steps)

    def _scene(
        self, rng: np.random.Generator, *, with_thing: bool, first: int, contents: int
    ) -> _Scene:
        """Draw what an image shows, among `contents` contents from number `first` on."""
        options = self.options
        one_look, place = int(rng.integers(options.looks)), int(rng.integers(contents))
        # Evaluation takes accessories beyond those of training, as it does with contents.
        numbers = (0, options.accessories) if first == 0 else (options.accessories, HELD_OUT)
        number = numbers[0] + int(rng.integers(numbers[1]))
        thing = accessory(number, options.world) if with_thing else None
        return _Scene(one_look, content(first + place, options.world), thing)

    def _render(self, scenes: Sequence[_Scene]) -> NDArray[np.uint8]:
        """Return the images of scenes, (N, 3, size, size)."""
        looks = [look(scene.look, self.options.world) for scene in scenes]
        pixels = render(looks, [scene.content for scene in scenes], self.image_size)
        for image, scene in zip(pixels, scenes, strict=True):
            if scene.thing is not None:
                share = coverage(scene.thing, scene.content, self.image_size)
                color = np.array(COLORS[scene.thing.color], dtype=np.float32)[:, None, None]
                image[:] = np.clip(image * (1 - share) + 255 * color * share + 0.5, 0, 255)
        return pixels

    def _described(self, scenes: Sequence[_Scene]) -> dict[str, tuple[tuple[str, ...], Tensor]]:
        """Return attribute -> its values, and the value of each scene."""
        looks = tuple(f"look{i:03d}" for i in range(self.options.looks))
        kinds, colors = ("none", *KINDS), ("none", *COLORS)
        named = [
            (scene.thing.kind, scene.thing.color) if scene.thing else ("none",) * 2
            for scene in scenes
        ]
        return {
            "look": (looks, torch.tensor([scene.look for scene in scenes])),
            "kind": (kinds, torch.tensor([kinds.index(kind) for kind, _ in named])),
            "color": (colors, torch.tensor([colors.index(color) for _, color in named])),
        }


_NOTHING = Accessory("bar", "white", -2.0)
"""An accessory that covers no pixel."""

DATASETS = {"synthetic_accessory": Dataset(synthetic_accessory, AccessoryOptions)}
"""Datasets of this module, for the menu."""
