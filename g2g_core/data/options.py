"""Options of the datasets of image files: the keys of `data:` in a study file."""

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeVar

from g2g_core.config import TrialConfig
from g2g_core.data.cache import MODES
from g2g_core.data.erase import ERASURES, fixed_points
from g2g_core.data.pairs import DataError

PATH = {"path": True}
NEUTRAL = {"neutral": True}
CROPS = ("random", "centre")
TRUTHS = ("none", "by_name")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """What all datasets of image files understand.

    Attributes:
        resize: shortest side after resizing, pixels; 0: image_size x 140 / 128, as FUNIT does.
        crop: `random` or `centre` square of image_size in training; evaluation always takes the
            centre.
        flip: whether training mirrors half of the images left to right.
        truth: `by_name`: in every class the file of one name shows one content, so that the true
            mixed image of two images is the file of the one's name in the other's class; evaluation
            takes pairs for which it exists.
            `none`: unknown.
        erase: parts of the face hidden from the content encoder: `none`, `eyes`, `eyes_nose`,
            `eyes_nose_mouth`.
        face_points: where the parts are when the set has no landmarks, for faces that are all
            aligned alike: x and y of left eye, right eye, nose, left and right corner of the mouth,
            as shares of width and height. Empty: the usual place in square crops around the eyes.
        cache: `disk`: decoded once a node into the cache folder, `memory`: once a process, `off`:
            at each use, `auto`: `off` for sets over 4 GiB of pixels, else `disk`. Changes no
                number.
        workers: processes that prepare batches ahead when images are decoded at each use. Changes
            no number.
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
        """The shortest side after resizing, pixels.

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
        """What `resize: 0` stands for."""
        return round(image_size * 140 / 128)


def choose(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises DataError if an option has none of its values."""
    if value not in choices:
        raise DataError(f"data.{option} is {value!r}; it must be one of {', '.join(choices)}")


def options_of(config: TrialConfig, kind: type[T]) -> T:
    """The options of a config's dataset.

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
