"""List the image files of a dataset with their classes, and choose those for evaluation."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from g2g_core.data.pairs import DataError, shown

NAMED = 3
"""Number of names that a message lists before it only counts the rest."""


@dataclass(frozen=True)
class Listing:
    """The files of one part of a dataset.

    Attributes:
        files: paths below the folder of the dataset, with `/`.
        labels: class of each file, as an index into `class_names`.
        class_names: sorted names.
    """

    files: tuple[str, ...]
    labels: tuple[int, ...]
    class_names: tuple[str, ...]

    @classmethod
    def of(
        cls, items: Iterable[tuple[str, str]], class_names: tuple[str, ...] | None = None
    ) -> "Listing":
        """Return the listing of (file, class) items.

        Args:
            items: the files with the names of their classes.
            class_names: the names that labels count; None: the sorted names of the items' classes.
        """
        files, classes = [], []
        for file, class_ in items:
            files.append(file)
            classes.append(class_)
        names = class_names or tuple(sorted(set(classes)))
        numbers = {name: number for number, name in enumerate(names)}
        return cls(tuple(files), tuple(numbers[name] for name in classes), names)

    def contents(self) -> list[str]:
        """Return the file names without suffix, which name the contents in complete datasets."""
        return [PurePosixPath(file).stem for file in self.files]


@dataclass(frozen=True)
class ImageSet:
    """A dataset on disk, divided into training and evaluation.

    Attributes:
        folder: the folder that contains the files.
        train: the files for training.
        test: the files for evaluation.
        new_classes: whether `test` has classes of its own, which are never trained on. If not, its
            classes are the training classes.
    """

    folder: Path
    train: Listing
    test: Listing
    new_classes: bool

    def check(self, name: str) -> None:
        """Raise DataError if there are fewer than 2 training classes.

        Args:
            name: of the dataset, for the message.
        """
        if len(self.train.class_names) < 2:
            raise DataError(
                f"{name}: {shown(self.folder)} has {len(self.train.class_names)} "
                f"training class(es) ({some(self.train.class_names) or 'none'}); "
                "at least 2 are needed"
            )


def divide(
    folder: Path,
    items: Sequence[tuple[str, str]],
    test_classes: float | Sequence[str],
    test_images: float,
) -> ImageSet:
    """Divide a dataset into training and evaluation, by classes or by images of each class.

    Some classes are set apart for evaluation. If there are too few classes, or if no test class is
    requested, some images of each class are set apart instead. The choice depends on the hash of
    the names, so that it is the same for every seed and machine.

    Args:
        folder: of the dataset.
        items: (file, class) of all images.
        test_classes: names of the test classes, or their share in [0, 1). A share above 0 sets
            apart at least 2 classes and leaves at least 2 for training. Datasets with fewer than 4
            classes keep all of them for training.
        test_images: share in (0, 1) of each class's images kept for evaluation if there are no test
            classes.

    Raises:
        DataError: a test class does not exist, or a share is out of range.
    """
    names = sorted({class_ for _, class_ in items})
    if isinstance(test_classes, int | float):
        if not 0 <= test_classes < 1:
            raise DataError(
                f"test_classes is {test_classes}; a share must be at least 0 and below 1"
            )
        count = (
            min(max(2, round(test_classes * len(names))), len(names) - 2) if test_classes > 0 else 0
        )
        chosen = set(sorted(names, key=_hash)[:count]) if len(names) >= 4 else set()
    else:
        chosen = set(test_classes)
        for name in sorted(chosen - set(names)):
            near = get_close_matches(name, names, n=1)
            hint = f"; did you mean {shown(near[0])}?" if near else ""
            raise DataError(f"test_classes: {shown(folder)} has no class {name!r}{hint}")

    if chosen:
        train = Listing.of(item for item in items if item[1] not in chosen)
        return ImageSet(
            folder, train, Listing.of(item for item in items if item[1] in chosen), new_classes=True
        )

    if not 0 < test_images < 1:
        raise DataError(f"test_images is {test_images}; it must be above 0 and below 1")

    members: dict[str, list[str]] = {name: [] for name in names}
    for file, class_ in items:
        members[class_].append(file)
    held_out: set[str] = set()
    for files in members.values():
        files.sort(key=_hash)
        # At least one image of each class remains for training.
        held_out.update(files[: min(math.ceil(test_images * len(files)), len(files) - 1)])

    train = Listing.of(item for item in items if item[0] not in held_out)
    test = Listing.of((item for item in items if item[0] in held_out), train.class_names)
    return ImageSet(folder, train, test, new_classes=False)


def existing_folder(path: str, option: str) -> Path:
    """Return the folder that an option names.

    Args:
        path: value of the option.
        option: name of the option, for messages.

    Raises:
        DataError: the option is empty, or the path is not an existing folder.
    """
    if not path:
        raise DataError(f"data.{option} is missing: the folder of the images")
    folder = Path(path)
    if not folder.exists():
        raise DataError(f"data.{option}: {shown(folder)}: no such folder")
    if not folder.is_dir():
        raise DataError(f"data.{option}: {shown(folder)} is not a folder")
    return folder


def some(names: Sequence[str]) -> str:
    """Return the first few names as text, and the number of further names."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(shown(name) for name in names[:NAMED]) + more


def _hash(name: str) -> str:
    """Return the SHA-256 (hex) of a name, which need not be valid UTF-8."""
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
