"""CelebA in its published layout.

All aligned images are in one folder; text files give identity, partition, and landmarks.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from g2g_core.config import TrialConfig
from g2g_core.data.attributes import Table, read_celeba
from g2g_core.data.decode import FORMATS
from g2g_core.data.erase import CELEBA_POINTS, Points, read_landmarks
from g2g_core.data.image_data import ImageData
from g2g_core.data.listing import ImageSet, Listing, existing_folder, some
from g2g_core.data.options import PATH, ImageOptions, options_of
from g2g_core.data.pairs import Data, DataError, Dataset, shown

IMAGES = "img_align_celeba"
ATTRIBUTES = "list_attr_celeba.txt"
IDENTITY = "identity_CelebA.txt"
LANDMARKS = "list_landmarks_align_celeba.txt"
PARTITION = "list_eval_partition.txt"
SPLITS = {"train": 0, "validation": 1, "test": 2}
"""Name of a part -> its number in the partition file."""


@dataclass(frozen=True, kw_only=True)
class CelebAOptions(ImageOptions):
    """Options of `celeba`, in addition to those of all image datasets.

    By default, images are neither cropped at random nor mirrored.

    Attributes:
        root: folder that contains `img_align_celeba/`, `identity_CelebA.txt`, and
            `list_eval_partition.txt`. For `erase`, it should also contain
            `list_landmarks_align_celeba.txt`; without that file, the landmarks of CelebA's mean
            face are used.
        evaluate_on: part whose people are used for evaluation, `test` or `validation`.
        min_images: people with fewer images than this in their part are left out.
        classes: what the class of an image is: `identity`, or an attribute of
            `list_attr_celeba.txt`, such as `Eyeglasses`, whose classes are `without` and `with`.
        attributes: names of attributes in that file that `fader` may use.
    """

    root: str = field(default="", metadata=PATH)
    evaluate_on: str = "test"
    min_images: int = 1
    classes: str = "identity"
    attributes: tuple[str, ...] = ()
    crop: str = "centre"
    flip: bool = False
    face_points: tuple[float, ...] = CELEBA_POINTS

    def usual_resize(self, image_size: int) -> int:
        """Return the image size: the largest center square, as in the papers."""
        return image_size


def celeba(config: TrialConfig) -> Data:
    """Read CelebA in its published layout, with people as classes, split by its partition file.

    Args:
        config: of the trial.

    Raises:
        DataError: a file is missing or malformed, an option is out of range, or a person is in both
            parts.
    """
    options = options_of(config, CelebAOptions)
    if options.evaluate_on not in ("test", "validation"):
        raise DataError(
            f"data.evaluate_on is {options.evaluate_on!r}; it must be test or validation"
        )

    folder = existing_folder(options.root, "root")
    existing_folder(str(folder / IMAGES), "root")
    people = _numbers(folder / IDENTITY)
    partition = _numbers(folder / PARTITION)

    existing = {file.name for file in (folder / IMAGES).iterdir()}
    missing = sorted(name for name in people if name not in existing)
    if missing:
        raise DataError(
            f"{shown(folder / IDENTITY)}: {len(missing)} of its images are not in {IMAGES}: "
            f"{some(missing)}"
        )

    parts = [
        _part(people, partition, SPLITS[split], options) for split in ("train", options.evaluate_on)
    ]
    shared = sorted(set(parts[0].class_names) & set(parts[1].class_names))
    if shared:
        raise DataError(
            f"{shown(folder / PARTITION)}: people in training and {options.evaluate_on}: "
            f"{some(shared)}"
        )

    named = _attributes(folder, options)
    images = ImageSet(folder, parts[0], parts[1], new_classes=True)
    if options.classes != "identity":
        train, test = (_with_or_without(part, named[0][options.classes]) for part in parts)
        images = ImageSet(folder, train, test, new_classes=False)
    points = _points(images) if options.erase != "none" else {}
    return ImageData(config, images, options, points, named if named[0] else None)


def _attributes(folder: Path, options: CelebAOptions) -> tuple[Table, Path]:
    """Return the attributes that the options name, and the file that they are from."""
    path = folder / ATTRIBUTES
    wanted = [*options.attributes, *([options.classes] if options.classes != "identity" else [])]
    return (read_celeba(path, IMAGES, wanted) if wanted else {}), path


def _with_or_without(part: Listing, values: Mapping[str, str]) -> Listing:
    """Return the images of a part with an attribute as their class.

    Raises:
        DataError: the attribute lacks an image.
    """
    if missing := [file for file in part.files if file not in values]:
        raise DataError(f"{ATTRIBUTES}: no line for {some(missing)}")
    return Listing.of(((file, values[file]) for file in part.files), ("without", "with"))


def _points(images: ImageSet) -> dict[str, Points]:
    """Return the points of each face as shares of its image, from the landmark file if it exists.

    Returns:
        File -> (5, 2) points; empty without a landmark file.

    Raises:
        DataError: the landmark file lacks an image, or an image is not readable.
    """
    path = images.folder / LANDMARKS
    if not path.exists():
        return {}

    points = {}
    landmarks = read_landmarks(path)
    for file in (*images.train.files, *images.test.files):
        name = file.rpartition("/")[2]
        if name not in landmarks:
            raise DataError(f"{shown(path)}: no landmarks of {name}")
        try:
            with Image.open(images.folder / file, formats=FORMATS) as image:
                points[file] = landmarks[name] / np.array(image.size)
        except Exception as error:
            raise DataError(f"{shown(images.folder / file)}: not a readable image") from error
    return points


def _part(
    people: dict[str, int], partition: dict[str, int], split: int, options: CelebAOptions
) -> Listing:
    """Return the images of one split; class names are zero-padded, so they sort by number."""
    files = [name for name in sorted(people) if partition.get(name) == split]
    counts = Counter(people[name] for name in files)
    width = len(str(max(people.values(), default=0)))
    return Listing.of(
        (f"{IMAGES}/{name}", f"{people[name]:0{width}d}")
        for name in files
        if counts[people[name]] >= options.min_images
    )


def _numbers(path: Path) -> dict[str, int]:
    """Return the `file number` lines of a text file as a dict.

    Raises:
        DataError: the file is missing or empty, or a line does not have this form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file in UTF-8"
        raise DataError(f"data.root: {shown(path)}: {reason}") from error

    numbers = {}
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2 or not parts[1].isdecimal() or "/" in parts[0]:
            raise DataError(
                f"{shown(path)}:{number}: {line[:80]!r} is not a file name and a number"
            )
        numbers[parts[0]] = int(parts[1])

    if not numbers:
        raise DataError(f"data.root: {shown(path)} is empty")
    return numbers


DATASETS = {"celeba": Dataset(celeba, CelebAOptions)}
"""Datasets of this module, for the menu."""
