"""Images in one folder per class."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from g2g_core.config import TrialConfig
from g2g_core.data.attributes import read_table
from g2g_core.data.decode import SUFFIXES
from g2g_core.data.image_data import ImageData
from g2g_core.data.listing import divide, existing_folder, some
from g2g_core.data.options import PATH, ImageOptions, options_of
from g2g_core.data.pairs import Data, DataError, Dataset, shown


@dataclass(frozen=True, kw_only=True)
class FolderOptions(ImageOptions):
    """Options of `image_folder`, in addition to those of all image datasets.

    Attributes:
        root: folder that contains one folder per class, with images at any depth.
        test_classes: names of the classes that are only used for evaluation, or their share. A
            share is drawn by name, so all seeds have the same test classes. Datasets with fewer
            than 4 classes keep all classes for training.
        test_images: share of each class's images kept for evaluation if there are no test classes.
        attributes: CSV file with named attributes of the images, for `fader`. Its first column is
            `file`, the path below `root`; each further column is an attribute.
    """

    root: str = field(default="", metadata=PATH)
    test_classes: float | tuple[str, ...] = 0.2
    test_images: float = 0.2
    attributes: str = field(default="", metadata=PATH)


def image_folder(config: TrialConfig) -> Data:
    """Read one folder of images per class, of any size and color: JPEG, PNG, GIF, TIFF, and others.

    Args:
        config: of the trial.

    Raises:
        DataError: the folder or an option cannot be used, or there are too few classes or images.
    """
    options = options_of(config, FolderOptions)
    folder = existing_folder(options.root, "root")
    table = Path(options.attributes)
    return ImageData(
        config,
        divide(folder, scan(folder), options.test_classes, options.test_images),
        options,
        attributes=(read_table(table, "attributes"), table) if options.attributes else None,
    )


def scan(folder: Path) -> list[tuple[str, str]]:
    """Return (file below `folder`, class) of every image, sorted; skip hidden files and folders.

    Raises:
        DataError: there are no class folders, or a class folder contains no image.
    """
    try:
        classes = sorted(
            entry.name
            for entry in os.scandir(folder)
            if entry.is_dir() and not entry.name.startswith((".", "__"))
        )
    except OSError as error:
        raise DataError(f"data.root: {shown(folder)} cannot be read: {error.strerror}") from error

    if not classes:
        raise DataError(
            f"data.root: {shown(folder)} holds no class folders; "
            "images must lie in one folder per class"
        )

    items = [(file, class_) for class_ in classes for file in _images(folder, class_)]
    empty = sorted(set(classes) - {class_ for _, class_ in items})
    if empty:
        raise DataError(
            f"data.root: {shown(folder)}: class folders without an image: {some(empty)}"
        )
    return items


def _images(folder: Path, class_: str) -> list[str]:
    """Return the image files below one class folder, sorted, with `/` as separator."""
    images = []
    for place, folders, files in os.walk(folder / class_):
        # `os.walk` does not enter the folders that this removes.
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        images += [
            (Path(place) / name).relative_to(folder).as_posix()
            for name in files
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        ]
    return sorted(images)


DATASETS = {"image_folder": Dataset(image_folder, FolderOptions)}
"""Datasets of this module, for the menu."""
