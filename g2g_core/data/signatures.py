"""A few numbers per image that show whether it is blank, or the same as another one.

They are computed once per dataset and stored in the cache folder, under the key of its decoded
images.
"""

import contextlib
import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from g2g_base.atomic import write_bytes
from g2g_core.data.cache import Images
from g2g_core.data.decode import BadImage, Pixels, header, quiet_decoding, read_image
from g2g_core.hashing import cache_folder

FORMAT = "1"

SIDE = 16
"""Side of the small copies that near-duplicates are compared by, pixels."""
MARGIN = 3
"""Step between two neighboring cells, in levels of 255, above which the bit of a hash is set."""
FEW_BITS = 6
"""Largest number of different bits, of 64, in the hashes of near-duplicates."""
NEAR = 0.08
"""Largest difference of near-duplicates: of their small copies, as a share of their contrast."""
MOST_COMPARED = 10_000_000
"""Limit for the pairs of images whose small copies are compared, which takes half a minute."""
VALUES = np.arange(256.0)
"""Values of a channel."""
LEVELS = 2.0
"""Contrast below which an image is nearly blank: standard deviation, in levels of 255."""


@dataclass(frozen=True)
class Signatures:
    """What the check of a dataset knows of each of N images.

    Attributes:
        size: (N, 2) int32, width and height of the file; 0 if it can't be read.
        moving: (N,) bool, whether the file has more than one frame or page.
        flat: (N,) bool, whether every pixel has the same color.
        color: (N, 3) uint8, the mean color.
        contrast: (N,) float32, the largest standard deviation of a channel, in levels of 255.
        content: (N,) uint64, digest of the decoded pixels.
        pairs: (M, 2) int64, near-duplicates that are not equal, without nearly blank images.
        searched: (1,) bool, whether all near-duplicates were looked for.
    """

    size: NDArray[np.int32]
    moving: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    color: NDArray[np.uint8]
    contrast: NDArray[np.float32]
    content: NDArray[np.uint64]
    pairs: NDArray[np.int64]
    searched: NDArray[np.bool_]


def stored(key: str) -> Signatures | None:
    """Return the signatures that are stored under the key of a dataset, or None."""
    try:
        with np.load(_store(key), allow_pickle=False) as arrays:
            return Signatures(**{field.name: arrays[field.name] for field in fields(Signatures)})
    except (OSError, ValueError, KeyError):
        return None


def signatures(root: Path, files: tuple[str, ...], images: Images, key: str) -> Signatures:
    """Return the signatures of a dataset, stored ones if there are some.

    Args:
        root: folder of the dataset.
        files: paths below it.
        images: their decoded pixels.
        key: digest of all that the pixels depend on.

    Raises:
        DataError: an image can't be read.
    """
    known = stored(key)
    if known is not None and len(known.size) == len(files):
        return known
    made, _ = _made(root, files, lambda i: images[i])
    file = io.BytesIO()
    np.savez(file, **{field.name: getattr(made, field.name) for field in fields(Signatures)})
    # Without a writable cache folder they are computed again next time.
    with contextlib.suppress(OSError):
        write_bytes(_store(key), file.getvalue())
    return made


def signatures_of_files(
    root: Path, files: tuple[str, ...], shortest: int
) -> tuple[Signatures, dict[int, str]]:
    """Return the signatures of files of which some may be unreadable, and why those are.

    Args:
        root: folder of the dataset.
        files: paths below it.
        shortest: the shortest side after resizing, pixels.

    Returns:
        The signatures, and the index of each unreadable file with the reason.
    """
    return _made(root, files, lambda i: read_image(root / files[i], shortest))


def _made(root: Path, files: tuple[str, ...], pixels: object) -> tuple[Signatures, dict[int, str]]:
    count = len(files)
    size = np.zeros((count, 2), np.int32)
    moving, flat = np.zeros(count, bool), np.zeros(count, bool)
    color, contrast = np.zeros((count, 3), np.uint8), np.zeros(count, np.float32)
    content, hashes = np.zeros(count, np.uint64), np.zeros((count, 2), np.uint64)
    copies = np.zeros((count, SIDE * SIDE * 3), np.uint8)
    unreadable: dict[int, str] = {}

    def look(i: int) -> None:
        try:
            image: Pixels = pixels(i)  # type: ignore[operator]
            size[i], moving[i] = header(root / files[i])
        except BadImage as error:
            unreadable[i] = str(error)
            return
        whole = Image.fromarray(image)
        # Pillow counts the values of an image in a tenth of the time that numpy takes for its mean.
        counts = np.array(whole.histogram(), dtype=np.float64).reshape(3, 256) / (image.size / 3)
        mean = counts @ VALUES
        flat[i] = bool((counts == 1).any(1).all())
        color[i] = mean.round()
        contrast[i] = np.sqrt(np.maximum(counts @ VALUES**2 - mean**2, 0).max())
        digest = hashlib.blake2b(
            np.ascontiguousarray(image).data, digest_size=8, salt=str(image.shape).encode()[:16]
        )
        content[i] = int.from_bytes(digest.digest(), "little")
        copies[i] = np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.BOX)).reshape(-1)
        gray = np.asarray(whole.convert("L").resize((9, 9), Image.Resampling.BOX), np.int16)
        # The margin keeps the noise of compression out of the bits of plain areas.
        steps = (np.diff(gray[:8], axis=1), np.diff(gray[:, :8], axis=0))
        hashes[i] = [np.packbits(step > MARGIN).view(np.uint64)[0] for step in steps]

    # Threads help because Pillow works without the interpreter lock.
    with quiet_decoding(), ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(look, range(count)))

    seen = np.flatnonzero((contrast >= LEVELS) & (size[:, 0] > 0))
    close, searched = near(hashes[seen], copies[seen])
    pairs = seen[close]
    pairs = pairs[content[pairs[:, 0]] != content[pairs[:, 1]]]
    made = Signatures(size, moving, flat, color, contrast, content, pairs, np.array([searched]))
    return made, dict(sorted(unreadable.items()))


def near(
    hashes: NDArray[np.uint64], copies: NDArray[np.uint8], most: int = MOST_COMPARED
) -> tuple[NDArray[np.int64], bool]:
    """Return the pairs of nearly equal images.

    The hashes, one bit for each two neighboring cells of a coarse grid, leave few pairs. Those are
    compared by their small copies, each at mean 0 and standard deviation 1, so that brightness and
    contrast don't count.

    Args:
        hashes: (N, 2), of steps to the right and of steps down.
        copies: (N, D).
        most: limit for the pairs that are compared, since plain images have the same hash.

    Returns:
        (M, 2), the smaller index first, sorted; and whether all pairs were looked at.
    """
    found, compared = [np.empty((0, 2), np.int64)], 0
    block = max(1, 2**22 // max(1, len(hashes)))  # rows whose differences fit the CPU's cache
    for start in range(0, len(hashes), block):
        rows = hashes[start : start + block, 0]
        bits = np.bitwise_count(rows[:, None] ^ hashes[None, start:, 0])
        first, second = (place + start for place in np.nonzero(bits <= FEW_BITS))
        down = np.bitwise_count(hashes[first, 1] ^ hashes[second, 1])
        kept = (second > first) & (down <= FEW_BITS)
        candidates = np.stack([first[kept], second[kept]], 1)
        compared += len(candidates)
        if compared > most:
            return np.concatenate(found), False
        for part in np.array_split(candidates, len(candidates) // 2**14 + 1):
            one, other = (_standard(copies[part[:, side]]) for side in (0, 1))
            found.append(part[((one - other) ** 2).mean(1) < NEAR**2])
    return np.concatenate(found), True


def _standard(copies: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = copies.astype(np.float32)
    values -= values.mean(1, keepdims=True)
    values /= np.maximum(values.std(1, keepdims=True), LEVELS)
    return values


def _store(key: str) -> Path:
    return cache_folder() / "checked" / f"{key[:40]}-{FORMAT}.npz"
