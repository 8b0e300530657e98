"""Any folder of class folders."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from g2g_core.config import TrialConfig
from g2g_core.data.decode import SUFFIXES
from g2g_core.data.image_data import ImageData
from g2g_core.data.listing import divide, existing_folder, some
from g2g_core.data.options import PATH, ImageOptions, options_of
from g2g_core.data.pairs import Data, DataError, shown


@dataclass(frozen=True, kw_only=True)
class FolderOptions(ImageOptions):
    """Options of `image_folder`, beside those of all image sets.

    Attributes:
        root: holds one folder a class, with images at any depth in it.
        test_classes: names of classes that are for evaluation only, or their share; chosen by name,
            not by seed. Sets of fewer than 4 classes keep all for training.
        test_images: share of each class's images kept for evaluation when there are no test
            classes.
    """

    root: str = field(default="", metadata=PATH)
    test_classes: float | tuple[str, ...] = 0.2
    test_images: float = 0.2


def image_folder(config: TrialConfig) -> Data:
    """A folder of class folders of images (JPEG, PNG, WebP, BMP, PPM), of any sizes and colours."""
    options = options_of(config, FolderOptions)
    folder = existing_folder(options.root, "root")
    return ImageData(
        config, divide(folder, scan(folder), options.test_classes, options.test_images), options
    )


def scan(folder: Path) -> list[tuple[str, str]]:
    """(file below `folder`, class) of every image, sorted; hidden files and folders do not count.

    Raises:
        DataError: there are no class folders, or a class folder holds no image.
    """
    try:
        classes = sorted(
            e.name for e in os.scandir(folder) if e.is_dir() and not e.name.startswith((".", "__"))
        )
    except OSError as error:
        raise DataError(f"data.root: {shown(folder)} cannot be read: {error.strerror}") from error
    if not classes:
        raise DataError(
            f"data.root: {shown(folder)} holds no class folders; images must lie in one folder a class"
        )
    items = [(file, class_) for class_ in classes for file in _images(folder, class_)]
    empty = sorted(set(classes) - {class_ for _, class_ in items})
    if empty:
        raise DataError(
            f"data.root: {shown(folder)}: class folders without an image: {some(empty)}"
        )
    return items


def _images(folder: Path, class_: str) -> list[str]:
    """Image files below one class folder, with `/`, sorted."""
    found = []
    for place, folders, files in os.walk(folder / class_):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        found += [
            (Path(place) / name).relative_to(folder).as_posix()
            for name in files
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        ]
    return sorted(found)
