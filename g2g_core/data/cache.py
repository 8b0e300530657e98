"""Decoded images: once a node on disk, shared by every process through the page cache, or once a
process in memory."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from g2g_core.data.decode import BadImage, Pixels, quiet_decoding, read_image
from g2g_core.data.pairs import DataError, shown
from g2g_core.hashing import cache_folder

FORMAT = "1"
MODES = ("auto", "disk", "memory", "off")
AUTO_LIMIT = 4 * 2**30  # bytes of decoded pixels above which `auto` is `off`
NAMED = 3  # unreadable files named in a message


class Images(Protocol):
    """Decoded images by index: (H, W, 3) uint8, the shortest side resized."""

    def __getitem__(self, index: int) -> Pixels: ...

    def __len__(self) -> int: ...


class PackedImages:
    """Images of mixed sizes in one array of bytes, in memory or mapped from a file."""

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
    """Images decoded each time they are asked for: for sets too large to keep."""

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
    """The images of `files` below `root`, decoded as `mode` says.

    Args:
        root: folder.
        files: paths below it.
        shortest: the shortest side after resizing, pixels.
        key: digest of what the images depend on; equal keys share one file on disk.
        mode: `disk` (decoded once a node into the cache folder; memory where that cannot be
            written), `memory`, `off` (decoded at each use), or `auto`: `off` for sets over
            `AUTO_LIMIT` bytes of pixels, else `disk`.

    Raises:
        DataError: images cannot be read (not with `off`: there it comes when the image is used).
    """
    if mode == "off" or (mode == "auto" and len(files) * 3 * shortest**2 > AUTO_LIMIT):
        return FileImages(root, files, shortest)
    if mode == "memory":
        return _decode(root, files, shortest)
    folder = cache_folder() / "decoded" / f"{key[:40]}-{FORMAT}"
    found = _open(folder, len(files))
    if found is not None:
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(folder.with_suffix(".lock")):
            found = _open(folder, len(files))
            if found is not None:
                return found
            images = _decode(root, files, shortest)
            _store(folder, images)
    except OSError:
        return _decode(root, files, shortest)
    return _open(folder, len(files)) or images


def unreadable(root: Path, failures: Sequence[tuple[str, BadImage]]) -> str:
    """One line: how many images cannot be read, and the first few by name with the reason."""
    named = "; ".join(f"{shown(name)}: {error}" for name, error in failures[:NAMED])
    more = f"; and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
    count = "1 image" if len(failures) == 1 else f"{len(failures)} images"
    return f"{shown(root)}: {count} cannot be used: {named}{more}"


def _decode(root: Path, files: Sequence[str], shortest: int) -> PackedImages:
    """All images in memory; all of the unreadable ones are found before one message says so."""

    def attempt(name: str) -> Pixels | BadImage:
        try:
            return read_image(root / name, shortest)
        except BadImage as error:
            return error

    # Threads help since Pillow decodes without the interpreter lock; the order of results does not
    # depend on them.
    with quiet_decoding(), ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = list(pool.map(attempt, files))
    failures = [
        (name, one) for name, one in zip(files, results, strict=True) if isinstance(one, BadImage)
    ]
    if failures:
        raise DataError(unreadable(root, failures))
    images = [one for one in results if not isinstance(one, BadImage)]
    shapes = np.array([image.shape[:2] for image in images], dtype=np.int64).reshape(-1, 2)
    return PackedImages(np.concatenate([image.reshape(-1) for image in images]), shapes)


def _open(folder: Path, count: int) -> PackedImages | None:
    """The images kept in a folder; None when there are none, or not as many bytes as there should
    be."""
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
    """Writes a folder that is whole or not there: under another name first, then renamed."""
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".building-"))
    try:
        with (temporary / "pixels.u8").open("wb") as file:
            images.pixels.tofile(file)
            file.flush()
            os.fsync(file.fileno())
        (temporary / "shapes.json").write_text(json.dumps(images.shapes.tolist()))
        shutil.rmtree(folder, ignore_errors=True)  # only a damaged one can be here
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process of the node at a time; where files cannot be locked, all may build, which costs
    time only."""
    lock_file: Callable[[int], None] | None = None
    with contextlib.suppress(ImportError):
        import fcntl

        def lock_file(descriptor: int) -> None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)

    with lock.open("w") as file:
        if lock_file is not None:
            with contextlib.suppress(OSError):
                lock_file(file.fileno())
        yield
