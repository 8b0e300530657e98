"""Which image files a set has, of which class, and which of them are for evaluation."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from g2g_core.data.pairs import DataError, shown

NAMED = 3


@dataclass(frozen=True)
class Listing:
    """Files of one part of a set.

    Attributes:
        files: paths below the set's folder, with `/`.
        labels: of each file, an index into `class_names`.
        class_names: sorted.
    """

    files: tuple[str, ...]
    labels: tuple[int, ...]
    class_names: tuple[str, ...]

    @classmethod
    def of(
        cls, items: Iterable[tuple[str, str]], class_names: tuple[str, ...] | None = None
    ) -> "Listing":
        """The listing of (file, class) items; labels count `class_names`, or the sorted set of
        their own classes."""
        files, classes = [], []
        for file, class_ in items:
            files.append(file)
            classes.append(class_)
        names = class_names or tuple(sorted(set(classes)))
        numbers = {name: number for number, name in enumerate(names)}
        return cls(tuple(files), tuple(numbers[name] for name in classes), names)

    def contents(self) -> list[str]:
        """What each file is called within its class, without the suffix: in complete sets the name
        of the content."""
        return [PurePosixPath(file).stem for file in self.files]


@dataclass(frozen=True)
class ImageSet:
    """A set on disk, divided.

    Attributes:
        folder: what the files are below.
        train: files to train on.
        test: files for evaluation.
        new_classes: whether the classes of `test` are never trained on; else they are the training
            classes.
    """

    folder: Path
    train: Listing
    test: Listing
    new_classes: bool

    def check(self, name: str) -> None:
        """Raises DataError if it cannot be trained on: fewer than 2 training classes."""
        if len(self.train.class_names) < 2:
            raise DataError(
                f"{name}: {shown(self.folder)} has {len(self.train.class_names)} training class(es) "
                f"({some(self.train.class_names) or 'none'}); at least 2 are needed"
            )


def divide(
    folder: Path,
    items: Sequence[tuple[str, str]],
    test_classes: float | Sequence[str],
    test_images: float,
) -> ImageSet:
    """Sets classes apart for evaluation, or, where there are too few or none are wanted, some
    images of each class.

    The choice is by the hash of the names, so that it is the same for every seed and machine.

    Args:
        folder: of the set.
        items: (file, class) of all images.
        test_classes: names of the test classes, or their share in [0, 1). A share above 0 gives at
            least 2 and leaves at least 2 to train on; sets of fewer than 4 classes keep all for
            training.
        test_images: share in (0, 1) of each class's images kept for evaluation when there are no
            test classes.

    Raises:
        DataError: a test class is not there, or a share is out of range.
    """
    names = sorted({class_ for _, class_ in items})
    if isinstance(test_classes, int | float):
        if not 0 <= test_classes < 1:
            raise DataError(
                f"test_classes is {test_classes}; a share must be at least 0 and below 1"
            )
        wanted = (
            min(max(2, round(test_classes * len(names))), len(names) - 2) if test_classes > 0 else 0
        )
        chosen = set(sorted(names, key=_hash)[:wanted]) if len(names) >= 4 else set()
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
    kept: set[str] = set()
    for files in members.values():
        files.sort(key=_hash)
        kept.update(files[: min(math.ceil(test_images * len(files)), len(files) - 1)])
    train = Listing.of(item for item in items if item[0] not in kept)
    test = Listing.of((item for item in items if item[0] in kept), train.class_names)
    return ImageSet(folder, train, test, new_classes=False)


def existing_folder(path: str, option: str) -> Path:
    """The folder an option names.

    Raises:
        DataError: the option is empty, or no such folder is there, or it cannot be read.
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
    """The first few names and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(shown(name) for name in names[:NAMED]) + more


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
