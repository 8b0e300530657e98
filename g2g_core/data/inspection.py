"""What looks wrong with the images of a dataset: blank, doubled, mislabeled, tiny, and so on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from g2g_core.data.cache import FileImages
from g2g_core.data.decode import FORMATS
from g2g_core.data.image_data import ImageData
from g2g_core.data.pairs import DataError, shown
from g2g_core.data.signatures import (
    INK,
    LEVELS,
    Signatures,
    signatures,
    signatures_of_files,
    stored,
)

LONG = 3.0
"""Long side over short side above which an image is oddly long."""
ENLARGED = 2.0
"""Factor of enlargement above which an image is tiny."""
UNEVEN = 10
"""Images of the largest class over those of the smallest above which classes are uneven."""
NAMED = 2
"""Number of images that a summary names per kind."""

KINDS = {
    "unreadable": "unreadable",
    "blank": "blank",
    "nearly_blank": "nearly blank",
    "two_classes": "the same image in two classes",
    "leak": "the same image in training and evaluation",
    "duplicate": "the same image twice in a class",
    "near_two_classes": "nearly the same image in two classes",
    "near_leak": "nearly the same image in training and evaluation",
    "near_duplicate": "nearly the same image twice in a class",
    "turned_two_classes": "an image and its turned or mirrored copy in two classes",
    "turned_leak": "an image and its turned or mirrored copy in training and evaluation",
    "turned_duplicate": "an image and its turned or mirrored copy in a class",
    "tiny": "tiny",
    "long": "oddly long",
    "moving": "animated, or of several pages",
}
"""Kind of a suspicious image -> what people call it; the most serious kinds come first."""

QUIET = ("near_duplicate", "turned_duplicate")
"""Kinds that a plan doesn't mention: shots of a series are often nearly the same, and the sides of
a drawn character are often mirrored."""


@dataclass(frozen=True)
class Suspect:
    """An image, or a group of equal images, that looks wrong.

    Attributes:
        kind: of `KINDS`.
        files: paths below the folder of the dataset.
        why: what was seen, in a few words.
    """

    kind: str
    files: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Inspection:
    """What a check of a dataset found.

    Attributes:
        root: folder of the dataset.
        images: number of images.
        training: class -> number of its training images.
        evaluation: class -> number of its images for evaluation.
        suspects: the most serious kinds first.
        notes: what else is unusual, one sentence each.
    """

    root: str
    images: int
    training: dict[str, int]
    evaluation: dict[str, int]
    suspects: tuple[Suspect, ...]
    notes: tuple[str, ...]

    def of_kind(self, kind: str) -> list[Suspect]:
        """Return the suspects of a kind."""
        return [suspect for suspect in self.suspects if suspect.kind == kind]

    @property
    def summary(self) -> str | None:
        """All kinds that a plan mentions on a single line, with a few files; None: there are none.

        For example: `faces: 3 of 430 images look suspicious: blank: ann/3.png`.
        """
        parts, files = [], set()
        for kind, name in KINDS.items():
            suspects = [] if kind in QUIET else self.of_kind(kind)
            if not suspects:
                continue
            files |= {file for suspect in suspects for file in suspect.files}
            named = ", ".join(
                " = ".join(shown(file) for file in suspect.files[:3])
                for suspect in suspects[:NAMED]
            )
            more = f" and {len(suspects) - NAMED} more" if len(suspects) > NAMED else ""
            parts.append(f"{name}: {named}{more}")
        if not parts:
            return None
        look = "looks" if len(files) == 1 else "look"
        return (
            f"{shown(self.root)}: {len(files)} of {self.images} images {look} suspicious: "
            f"{'; '.join(parts)}"
        )


def inspect(data: ImageData, pairs: int) -> Inspection:
    """Check all images of a dataset; also those that can't be read.

    Args:
        data: the dataset.
        pairs: number of evaluation pairs of its trials.
    """
    try:
        seen = signatures(data.set.folder, data.files, data.images, data.key)
        unreadable: dict[int, str] = {}
    except DataError:
        seen, unreadable = signatures_of_files(data.set.folder, data.files, data.shortest)
    return _judged(data, seen, unreadable, pairs)


def inspect_quickly(data: ImageData, pairs: int) -> Inspection | None:
    """Check a dataset that is kept decoded, or that was checked before; None for others.

    Args:
        data: the dataset, whose images can be read.
        pairs: number of evaluation pairs of its trials.
    """
    if isinstance(data.images, FileImages) and stored(data.key) is None:
        return None
    return inspect(data, pairs)


def _judged(
    data: ImageData, seen: Signatures, unreadable: dict[int, str], pairs: int
) -> Inspection:
    """Return what the signatures of a dataset say."""
    parts = (data.set.train, data.set.test)
    classes = [part.class_names[label] for part in parts for label in part.labels]
    counts = [dict.fromkeys(part.class_names, 0) for part in parts]
    for part, count in zip(parts, counts, strict=True):
        for label in part.labels:
            count[part.class_names[label]] += 1
    suspects = [Suspect("unreadable", (data.files[i],), why) for i, why in unreadable.items()]

    def each(kind: str, which: Iterable[int], why: Sequence[str] | str) -> None:
        for number, i in enumerate(which):
            text = why if isinstance(why, str) else why[number]
            suspects.append(Suspect(kind, (data.files[i],), text))

    readable = seen.size[:, 0] > 0
    blank = np.flatnonzero(readable & seen.flat)
    colors = ["#{:02x}{:02x}{:02x}".format(*map(int, seen.color[i])) for i in blank]
    each(
        "blank",
        blank,
        [
            f"every pixel is {color}{_transparency(data, int(i))}"
            for i, color in zip(blank, colors, strict=True)
        ],
    )
    faint = np.flatnonzero(readable & ~seen.flat & seen.faint)
    each("nearly_blank", faint, [_faintness(seen, int(i)) for i in faint])

    # Blank images say nothing about their class, and have been named.
    equal: dict[int, list[int]] = {}
    for i in np.flatnonzero(readable & ~seen.flat):
        equal.setdefault(int(seen.content[i]), []).append(int(i))
    train = len(data.set.train.files)
    for same in (group for group in equal.values() if len(group) > 1):
        suspects += _group(data, same, classes, train, "")
    for near, pairs_of in (("near_", seen.pairs), ("turned_", seen.turned)):
        for same in _joined(pairs_of):
            suspects += _group(data, same, classes, train, near)

    short, long = seen.size.min(1), seen.size.max(1)
    tiny = np.flatnonzero(readable & (short * ENLARGED < data.image_size))
    notes = [*_sizes(counts), *_equal_pairs(data, seen, pairs)]
    if 2 * len(tiny) > len(data.files):
        notes.append(
            f"{len(tiny)} of the images are enlarged more than {ENLARGED:g} times for images of "
            f"{data.image_size} pixels"
        )
    if not seen.searched[0]:
        notes.append("too many images are plain, so not all nearly equal ones were looked for")
    elif not seen.searched[1]:
        notes.append("too many images, so not all turned and mirrored copies were looked for")
    each(
        "tiny",
        tiny if 2 * len(tiny) <= len(data.files) else (),
        [f"{w}x{h} pixels, enlarged for {data.image_size}" for w, h in seen.size[tiny].tolist()],
    )
    far = np.flatnonzero(readable & (long > LONG * short))
    each(
        "long", far, [f"{w}x{h} pixels; only a square is used" for w, h in seen.size[far].tolist()]
    )
    each("moving", np.flatnonzero(seen.moving), "only the first frame or page is used")

    order = list(KINDS)
    return Inspection(
        root=str(data.set.folder),
        images=len(data.files),
        training=counts[0],
        evaluation={name: number for name, number in counts[1].items() if number},
        suspects=tuple(sorted(suspects, key=lambda suspect: order.index(suspect.kind))),
        notes=tuple(notes),
    )


def _faintness(seen: Signatures, i: int) -> str:
    """Return why an image is nearly blank."""
    if seen.contrast[i] < LEVELS:
        return f"its contrast is {seen.contrast[i]:.1f} of 255 levels"
    if seen.ink[i] < INK:
        return f"only {seen.ink[i]:.1%} differs from its background"
    return "all its rows are equal, or all its columns"


def _transparency(data: ImageData, i: int) -> str:
    """Return what hides the picture of a blank image, if its transparency does."""
    try:
        with Image.open(data.set.folder / data.files[i], formats=FORMATS) as image:
            transparent = image.has_transparency_data and image.convert("RGBA")
            low, high = transparent.getchannel("A").getextrema() if transparent else (255, 255)
    except Exception:  # the file was readable a moment ago
        return ""
    return " after its transparency was laid on white" if (low, high) != (255, 255) else ""


def _group(
    data: ImageData, same: list[int], classes: list[str], train: int, near: str
) -> list[Suspect]:
    """Return what is wrong with a group of equal images.

    Args:
        data: the dataset.
        same: indices of the files.
        classes: the class of each file.
        train: number of training files, which come first.
        near: `near_` if they are only nearly equal, `turned_` if some are turned, else empty.
    """
    files = tuple(data.files[i] for i in same)
    names = list(dict.fromkeys(classes[i] for i in same))
    sides = {i < train for i in same}
    found = []
    if len(names) > 1:
        found.append(
            Suspect(f"{near}two_classes", files, f"classes {', '.join(map(shown, names))}")
        )
    if len(sides) > 1:
        parts = [
            f"{shown(data.files[i])} in {'training' if i < train else 'evaluation'}" for i in same
        ]
        found.append(Suspect(f"{near}leak", files, ", ".join(parts[:4])))
    if not found:
        found.append(Suspect(f"{near}duplicate", files, f"class {shown(names[0])}"))
    return found


def _joined(pairs: np.ndarray) -> list[list[int]]:
    """Return the groups of images that pairs connect, each sorted."""
    group: dict[int, list[int]] = {}
    for first, second in pairs.tolist():
        one, other = group.setdefault(first, [first]), group.setdefault(second, [second])
        if one is not other:
            one += other
            group |= dict.fromkeys(other, one)
    return [sorted(same) for same in {id(same): same for same in group.values()}.values()]


def _sizes(counts: list[dict[str, int]]) -> list[str]:
    """Return sentences about classes with a single training image, and about uneven classes."""
    training = counts[0]
    notes = []
    single = [name for name, number in training.items() if number == 1]
    if single:
        named = ", ".join(map(shown, single[:3])) + (" ..." if len(single) > 3 else "")
        notes.append(f"classes with a single training image: {len(single)} ({named})")
    smallest, largest = (pick(training, key=training.__getitem__) for pick in (min, max))
    if training[largest] > UNEVEN * training[smallest]:
        notes.append(
            f"uneven classes: {shown(smallest)} has {training[smallest]} training images, "
            f"{shown(largest)} has {training[largest]}"
        )
    return notes


def _equal_pairs(data: ImageData, seen: Signatures, pairs: int) -> list[str]:
    """Return a sentence if an evaluation pair shows one image twice, or if there are no pairs."""
    try:
        drawn = data.draw_pairs(pairs, "test")[:, :2] + len(data.set.train.files)
    except DataError as error:
        return [str(error)]
    equal = [(a, b) for a, b in drawn.tolist() if seen.content[a] == seen.content[b]]
    if not equal:
        return []
    first = " = ".join(shown(data.files[i]) for i in equal[0])
    return [f"{len(equal)} of {pairs} evaluation pairs show the same image twice, such as {first}"]
