"""Options shared by the datasets of image files, which are keys of `data:` in a study file."""

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeVar

from g2g_core.config import TrialConfig
from g2g_core.data.cache import MODES
from g2g_core.data.erase import ERASURES, fixed_points
from g2g_core.data.pairs import DataError

PATH = {"path": True}
"""Metadata of an option that contains a path."""
NEUTRAL = {"neutral": True}
"""Metadata of an option that doesn't change any number."""
CROPS = ("random", "centre")
"""Values of the option `crop`."""
TRUTHS = ("none", "by_name")
"""Values of the option `truth`."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """Options of all datasets of image files.

    Attributes:
        resize: shortest side after resizing, pixels; 0: image_size x 140 / 128, as in FUNIT.
        crop: square of image_size cut from training images, `random` or `centre`; evaluation always
            uses the center.
        flip: whether training mirrors half of the images left to right.
        truth: `by_name`: files with the same name show the same content in every class. The true
            mixed image of two images is then the file with the name of the first in the class of
            the second, and evaluation uses pairs for which it exists.
            `none`: the truth is unknown.
        erase: parts of the face hidden from the content encoder: `none`, `eyes`, `eyes_nose`, or
            `eyes_nose_mouth`.
        face_points: where these parts are if the dataset has no landmarks and all faces are aligned
            alike: x and y of left eye, right eye, nose, left and right corner of the mouth, as
            shares of width and height. Empty: the usual place in square crops around the eyes.
        cache: where decoded images are kept. `disk`: decoded once per machine into the cache
            folder. `memory`: once per process. `off`: decoded at each use. `auto`: `off` for
            datasets over 4 GiB of pixels, otherwise `disk`. This option doesn't change any number.
        workers: processes that prepare batches ahead if images are decoded at each use. This option
            doesn't change any number.
    """

    resize: int = 0
    crop: str = "random"
    flip: bool = True
    truth: str = "none"
    erase: str = "none"
    face_points: tuple[float, ...] = ()
    cache: str = field(default="auto", metadata=NEUTRAL)
    workers: int = field(default=0, metadata=NEUTRAL)

    def __post_init__(self) -> None:
        choose("crop", self.crop, CROPS)
        choose("truth", self.truth, TRUTHS)
        choose("erase", self.erase, tuple(ERASURES))
        if self.face_points:
            fixed_points(self.face_points)
        choose("cache", self.cache, MODES)
        if self.workers < 0:
            raise DataError(f"data.workers is {self.workers}; it must be 0 or more")

    def shortest(self, image_size: int) -> int:
        """Return the shortest side after resizing, pixels.

        Args:
            image_size: side of the images, pixels.

        Raises:
            DataError: `resize` is smaller than the images.
        """
        shortest = self.resize or self.usual_resize(image_size)
        if shortest < image_size:
            raise DataError(
                f"data.resize is {self.resize}; it must be at least image_size, {image_size}"
            )
        return shortest

    def usual_resize(self, image_size: int) -> int:
        """Return the value that `resize: 0` means, pixels."""
        return round(image_size * 140 / 128)


def choose(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise DataError if the value of an option is not one of its choices."""
    if value not in choices:
        raise DataError(f"data.{option} is {value!r}; it must be one of {', '.join(choices)}")


def options_of(config: TrialConfig, kind: type[T]) -> T:
    """Return the options of a config's dataset.

    Args:
        config: of the trial.
        kind: dataclass of the dataset's options.

    Raises:
        DataError: a key is not an option of the dataset, or a value is out of range.
    """
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for key in config.data:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
            raise DataError(f"data.{key}: no such option of {config.dataset}; {hint}")

    values: dict[str, Any] = dict(config.data)
    return kind(**values)
