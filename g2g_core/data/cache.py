"""Keep decoded images on disk or in memory.

On disk, they are decoded once per machine and shared by all processes through the page cache. In
memory, they are decoded once per process.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from g2g_base.locks import alone
from g2g_core.data.decode import BadImage, Pixels, quiet_decoding, read_image
from g2g_core.data.pairs import DataError, shown
from g2g_core.hashing import cache_folder

FORMAT = "1"
MODES = ("auto", "disk", "memory", "off")
"""Values of the option `cache`."""
AUTO_LIMIT = 4 * 2**30  # bytes of decoded pixels above which `auto` is `off`
NAMED = 3  # unreadable files named in a message


class Images(Protocol):
    """Decoded images by index: (H, W, 3) uint8, resized by their shortest side."""

    def __getitem__(self, index: int) -> Pixels: ...

    def __len__(self) -> int: ...


class PackedImages:
    """Images of different sizes in one array of bytes, in memory or mapped from a file.

    Args:
        pixels: the bytes of all images, one after the other.
        shapes: (N, 2) heights and widths.
    """

    def __init__(self, pixels: NDArray[np.uint8], shapes: NDArray[np.int64]) -> None:
        self.pixels = pixels
        self.shapes = shapes
        self.ends = np.cumsum(3 * shapes[:, 0] * shapes[:, 1])

    def __getitem__(self, index: int) -> Pixels:
        height, width = (int(side) for side in self.shapes[index])
        end = int(self.ends[index])
        return np.asarray(self.pixels[end - 3 * height * width : end]).reshape(height, width, 3)

    def __len__(self) -> int:
        return len(self.shapes)


class FileImages:
    """Images that are decoded at each use, for datasets too large to keep.

    Args:
        root: folder.
        files: paths below it.
        shortest: the shortest side after resizing, pixels.
    """

    def __init__(self, root: Path, files: Sequence[str], shortest: int) -> None:
        self.root = root
        self.files = files
        self.shortest = shortest

    def __getitem__(self, index: int) -> Pixels:
        try:
            with quiet_decoding():
                return read_image(self.root / self.files[index], self.shortest)
        except BadImage as error:
            raise DataError(unreadable(self.root, [(self.files[index], error)])) from error

    def __len__(self) -> int:
        return len(self.files)


def decoded(root: Path, files: Sequence[str], shortest: int, key: str, mode: str) -> Images:
    """Return the decoded images of `files` below `root`.

    Args:
        root: folder.
        files: paths below it.
        shortest: the shortest side after resizing, pixels.
        key: digest of all that the images depend on; images with the same key share a file on disk.
        mode: `disk`: decoded once per machine into the cache folder, or into memory if that folder
            is not writable. `memory`: decoded once per process. `off`: decoded at each use.
            `auto`: `off` for datasets over `AUTO_LIMIT` bytes of pixels, otherwise `disk`.

    Raises:
        DataError: images cannot be read. With `off`, the error is raised when an image is used.
    """
    if mode == "off" or (mode == "auto" and len(files) * 3 * shortest**2 > AUTO_LIMIT):
        return FileImages(root, files, shortest)
    if mode == "memory":
        return _decode(root, files, shortest)

    folder = cache_folder() / "decoded" / f"{key[:40]}-{FORMAT}"
    stored = _open(folder, len(files))
    if stored is not None:
        return stored

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(folder.with_suffix(".lock")):
            # Another process may have stored them while this one waited for the lock.
            stored = _open(folder, len(files))
            if stored is not None:
                return stored
            images = _decode(root, files, shortest)
            _store(folder, images)
    except OSError:
        return _decode(root, files, shortest)

    return _open(folder, len(files)) or images


def unreadable(root: Path, failures: Sequence[tuple[str, BadImage]]) -> str:
    """Return a message with the number of unreadable images, and the first few with the reason."""
    named = "; ".join(f"{shown(name)}: {error}" for name, error in failures[:NAMED])
    more = f"; and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
    count = "1 image" if len(failures) == 1 else f"{len(failures)} images"
    return f"{shown(root)}: {count} cannot be used: {named}{more}"


def _decode(root: Path, files: Sequence[str], shortest: int) -> PackedImages:
    """Decode all images into memory.

    Raises:
        DataError: images cannot be read. The message covers all of them, not only the first.
    """

    def attempt(name: str) -> Pixels | BadImage:
        try:
            return read_image(root / name, shortest)
        except BadImage as error:
            return error

    # Threads help because Pillow decodes without the interpreter lock. They don't change the order
    # of the results.
    with quiet_decoding(), ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = list(pool.map(attempt, files))
    failures = [
        (name, result)
        for name, result in zip(files, results, strict=True)
        if isinstance(result, BadImage)
    ]
    if failures:
        raise DataError(unreadable(root, failures))

    images = [result for result in results if not isinstance(result, BadImage)]
    shapes = np.array([image.shape[:2] for image in images], dtype=np.int64).reshape(-1, 2)
    return PackedImages(np.concatenate([image.reshape(-1) for image in images]), shapes)


def _open(folder: Path, count: int) -> PackedImages | None:
    """Return the images stored in a folder; None if there are none, or if their size is wrong."""
    try:
        shapes = np.array(
            json.loads((folder / "shapes.json").read_bytes()), dtype=np.int64
        ).reshape(-1, 2)
        file = folder / "pixels.u8"
        if len(shapes) != count or file.stat().st_size != int(
            (3 * shapes[:, 0] * shapes[:, 1]).sum()
        ):
            return None
        return PackedImages(np.memmap(file, dtype=np.uint8, mode="r"), shapes)
    except (OSError, ValueError):
        return None


def _store(folder: Path, images: PackedImages) -> None:
    """Write a folder completely or not at all: first under a temporary name, then renamed."""
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".building-"))
    try:
        with (temporary / "pixels.u8").open("wb") as file:
            images.pixels.tofile(file)
            file.flush()
            os.fsync(file.fileno())

        (temporary / "shapes.json").write_text(json.dumps(images.shapes.tolist()))
        shutil.rmtree(folder, ignore_errors=True)  # a folder that exists here is damaged
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
