"""FUNIT's list files: a folder of class folders, and separate lists for training and test."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from g2g_core.config import TrialConfig
from g2g_core.data.image_data import ImageData
from g2g_core.data.listing import ImageSet, Listing, divide, existing_folder, some
from g2g_core.data.options import PATH, ImageOptions, options_of
from g2g_core.data.pairs import Data, DataError, Dataset, shown


@dataclass(frozen=True, kw_only=True)
class ListOptions(ImageOptions):
    """Options of `list_files`, in addition to those of all image datasets.

    Attributes:
        root: folder that the paths in the lists are relative to.
        train_list: file with one `class/file` per line. The label of an image is the index of its
            class among the sorted classes of this list.
        test_list: the same for the test classes, whose labels start at 0 again. If this is empty,
            `test_images` of each class are kept for evaluation.
        test_images: share of each class's images kept for evaluation if there is no test list.
    """

    root: str = field(default="", metadata=PATH)
    train_list: str = field(default="", metadata=PATH)
    test_list: str = field(default="", metadata=PATH)
    test_images: float = 0.2


def list_files(config: TrialConfig) -> Data:
    """Read images named in FUNIT's list files, with one `class/file` per line.

    Args:
        config: of the trial.

    Raises:
        DataError: a list or an option cannot be used, or there are too few classes or images.
    """
    options = options_of(config, ListOptions)
    folder = existing_folder(options.root, "root")

    train = read_list(options.train_list, "train_list", folder)
    if not options.test_list:
        return ImageData(config, divide(folder, train, 0.0, options.test_images), options)

    test = read_list(options.test_list, "test_list", folder)
    return ImageData(config, apart(folder, train, test, options), options)


def apart(
    folder: Path,
    train_items: list[tuple[str, str]],
    test_items: list[tuple[str, str]],
    options: ListOptions,
) -> ImageSet:
    """Return the dataset of a training list and a test list.

    The test classes are either all new, or all training classes with other images.

    Args:
        folder: folder that the files are relative to.
        train_items: (file, class) of the training list.
        test_items: (file, class) of the test list.
        options: names the lists, for messages.

    Raises:
        DataError: only some test classes are training classes, or images are in both lists.
    """
    train, test = Listing.of(train_items), Listing.of(test_items)
    shared = sorted(set(train.class_names) & set(test.class_names))
    if not shared:
        return ImageSet(folder, train, test, new_classes=True)

    new = sorted(set(test.class_names) - set(shared))
    if new:
        raise DataError(
            f"{shown(options.test_list)}: {len(shared)} of its classes are in "
            f"{shown(options.train_list)} too ({some(shared)}) and {len(new)} are not "
            f"({some(new)}); test classes must be all new or all known"
        )

    both = sorted(set(train.files) & set(test.files))
    if both:
        raise DataError(
            f"{shown(options.test_list)}: {len(both)} files are in "
            f"{shown(options.train_list)} too: {some(both)}"
        )

    return ImageSet(folder, train, Listing.of(test_items, train.class_names), new_classes=False)


def read_list(path: str, option: str, folder: Path) -> list[tuple[str, str]]:
    """Return (file, class) of each line of a list file; skip empty lines.

    Args:
        path: the list file.
        option: name of the option that names the list, for messages.
        folder: folder that the files are relative to.

    Raises:
        DataError: the list is missing, empty, or not text; a line is not `class/file`; or listed
            files do not exist.
    """
    if not path:
        raise DataError(f"data.{option} is missing: a file of one class/file a line")
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"data.{option}: {shown(path)} is not a text file in UTF-8") from error
    except OSError as error:
        raise DataError(f"data.{option}: {shown(path)}: {error.strerror or error}") from error

    items = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue

        parts = PurePosixPath(text).parts
        if len(parts) < 2 or parts[0] == "/" or ".." in parts or "\0" in text:
            raise DataError(
                f"{shown(path)}:{number}: {text[:80]!r} is not class/file, below data.root"
            )
        items.append((PurePosixPath(text).as_posix(), parts[0]))

    if not items:
        raise DataError(f"data.{option}: {shown(path)} lists no files")
    _check_existing(path, items, folder)
    return items


def _check_existing(path: str, items: list[tuple[str, str]], folder: Path) -> None:
    """Raise DataError if listed files do not exist.

    Each folder is read only once, because lists can have more than 100,000 lines.
    """
    names_in: dict[str, set[str]] = {}
    missing = []
    for file, _ in items:
        place, _, name = file.rpartition("/")
        if place not in names_in:
            names_in[place] = {entry.name for entry in (folder / place).glob("*")}
        if name not in names_in[place]:
            missing.append(file)

    if missing:
        raise DataError(
            f"{shown(path)}: {len(missing)} of {len(items)} files are not below {shown(folder)}: "
            f"{some(missing)}"
        )


DATASETS = {"list_files": Dataset(list_files, ListOptions)}
"""Datasets of this module, for the menu."""
