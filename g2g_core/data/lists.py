"""FUNIT's list files: a folder of class folders, and one list each for training and test."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from g2g_core.config import TrialConfig
from g2g_core.data.image_data import ImageData
from g2g_core.data.listing import ImageSet, Listing, divide, existing_folder, some
from g2g_core.data.options import PATH, ImageOptions, options_of
from g2g_core.data.pairs import Data, DataError, shown


@dataclass(frozen=True, kw_only=True)
class ListOptions(ImageOptions):
    """Options of `list_files`, beside those of all image sets.

    Attributes:
        root: what the paths in the lists are below.
        train_list: file of one `class/file` a line; a label is the index of the class in the sorted
            set of classes of this list.
        test_list: the same for test classes, whose labels start at 0 again. Empty: `test_images` of
            each class are kept for evaluation.
        test_images: share of each class's images kept for evaluation when there is no test list.
    """

    root: str = field(default="", metadata=PATH)
    train_list: str = field(default="", metadata=PATH)
    test_list: str = field(default="", metadata=PATH)
    test_images: float = 0.2


def list_files(config: TrialConfig) -> Data:
    """FUNIT's layout: list files of `class/file` lines, the test list with classes of its own."""
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
    """The set of two lists: test classes are all new, or all among the training classes (then other
        images of them).

    Raises:
        DataError: some test classes are training classes and some are not, or images are in both
            lists.
    """
    train, test = Listing.of(train_items), Listing.of(test_items)
    shared = sorted(set(train.class_names) & set(test.class_names))
    if not shared:
        return ImageSet(folder, train, test, new_classes=True)
    new = sorted(set(test.class_names) - set(shared))
    if new:
        raise DataError(
            f"{shown(options.test_list)}: {len(shared)} of its classes are in {shown(options.train_list)} too "
            f"({some(shared)}) and {len(new)} are not ({some(new)}); test classes must be all new or all known"
        )
    both = sorted(set(train.files) & set(test.files))
    if both:
        raise DataError(
            f"{shown(options.test_list)}: {len(both)} files are in {shown(options.train_list)} too: {some(both)}"
        )
    return ImageSet(folder, train, Listing.of(test_items, train.class_names), new_classes=False)


def read_list(path: str, option: str, folder: Path) -> list[tuple[str, str]]:
    """(file, class) of each line of a list file; empty lines do not count.

    Raises:
        DataError: the list is missing, empty or not text, a line is not `class/file`, or files are
            not there.
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
    _all_there(path, items, folder)
    return items


def _all_there(path: str, items: list[tuple[str, str]], folder: Path) -> None:
    """Raises DataError if listed files are missing; each folder is read once, since lists have
    100,000 lines."""
    there: dict[str, set[str]] = {}
    missing = []
    for file, _ in items:
        place, _, name = file.rpartition("/")
        if place not in there:
            there[place] = {entry.name for entry in (folder / place).glob("*")}
        if name not in there[place]:
            missing.append(file)
    if missing:
        raise DataError(
            f"{shown(path)}: {len(missing)} of {len(items)} files are not below {shown(folder)}: {some(missing)}"
        )
