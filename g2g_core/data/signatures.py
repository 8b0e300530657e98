"""A few numbers per image that show whether it is blank, or the same as another one.

Copies that are turned by a quarter or mirrored count as the same; cropped ones don't.

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

FORMAT = "2"

SIDE = 16
"""Side of the small copies that near-duplicates are compared by, pixels."""
MARGIN = 3
"""Step between two neighboring cells, in levels of 255, above which the bit of a hash is set."""
FEW_BITS = 6
"""Largest number of different bits, of 64, in the hashes of near-duplicates."""
NEAR = 0.08
"""Largest difference of near-duplicates: of their small copies, as a share of their contrast."""
NEAR_TURNED = 0.06
"""The same for turned and mirrored copies: there are seven times as many chances of an accident."""
MOST_COMPARED = 10_000_000
"""Limit for the pairs of images whose small copies are compared, which takes half a minute."""
MOST_TURNED = 50_000
"""Limit for the images among which turned and mirrored copies are looked for."""
VALUES = np.arange(256.0)
"""Values of a channel."""
LEVELS = 2.0
"""Contrast below which an image is nearly blank: standard deviation, in levels of 255."""
INK = 0.01
"""Ink below which an image is nearly blank: a thin line has less, a drawn character twice that."""


@dataclass(frozen=True)
class Signatures:
    """What the check of a dataset knows of each of N images.

    Attributes:
        size: (N, 2) int32, width and height of the file; 0 if it can't be read.
        moving: (N,) bool, whether the file has more than one frame or page.
        flat: (N,) bool, whether every pixel has the same color.
        color: (N, 3) uint8, the mean color.
        contrast: (N,) float32, the largest standard deviation of a channel, in levels of 255.
        ink: (N,) float32, the largest mean distance of a channel's values from the most frequent
            one, as a share of the whole range.
        striped: (N,) bool, whether all rows are equal, or all columns, up to noise.
        content: (N,) uint64, digest of the decoded pixels.
        pairs: (M, 2) int64, near-duplicates that are not equal, without nearly blank images.
        turned: (K, 2) int64, the same for near-duplicates that are turned or mirrored.
        searched: (2,) bool, whether all near-duplicates were looked for, and all turned ones.
    """

    size: NDArray[np.int32]
    moving: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    color: NDArray[np.uint8]
    contrast: NDArray[np.float32]
    ink: NDArray[np.float32]
    striped: NDArray[np.bool_]
    content: NDArray[np.uint64]
    pairs: NDArray[np.int64]
    turned: NDArray[np.int64]
    searched: NDArray[np.bool_]

    @property
    def faint(self) -> NDArray[np.bool_]:
        """(N,), whether an image is nearly blank, or blank."""
        return _faint(self.contrast, self.ink, self.striped)


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
    ink, striped = np.zeros(count, np.float32), np.zeros(count, bool)
    content, grays = np.zeros(count, np.uint64), np.zeros((count, 9, 9), np.uint8)
    copies = np.zeros((count, SIDE, SIDE, 3), np.uint8)
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
        distance = np.abs(VALUES - counts.argmax(1)[:, None])
        ink[i] = (counts * distance).sum(1).max() / 255
        digest = hashlib.blake2b(
            np.ascontiguousarray(image).data, digest_size=8, salt=str(image.shape).encode()[:16]
        )
        content[i] = int.from_bytes(digest.digest(), "little")
        # Unlike the box, this filter is symmetric: a mirrored image has a mirrored copy
        copies[i] = np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.HAMMING))
        striped[i] = min(copies[i].std(side).max() for side in (0, 1)) < LEVELS
        grays[i] = np.asarray(whole.convert("L").resize((9, 9), Image.Resampling.HAMMING))

    # Threads help because Pillow works without the interpreter lock.
    with quiet_decoding(), ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(look, range(count)))

    seen = np.flatnonzero(~_faint(contrast, ink, striped) & (size[:, 0] > 0))
    close, searched = near(grays[seen], copies[seen])
    pairs = seen[close]
    pairs = pairs[content[pairs[:, 0]] != content[pairs[:, 1]]]
    close, searched_turned = near_turned(grays[seen], copies[seen])
    turned = _without(seen[close], pairs, content)
    made = Signatures(
        size,
        moving,
        flat,
        color,
        contrast,
        ink,
        striped,
        content,
        pairs,
        turned,
        np.array([searched, searched_turned]),
    )
    return made, dict(sorted(unreadable.items()))


def _faint(
    contrast: NDArray[np.float32], ink: NDArray[np.float32], striped: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    return (contrast < LEVELS) | (ink < INK) | striped


def _without(
    turned: NDArray[np.int64], pairs: NDArray[np.int64], content: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Return the turned pairs without those that are equal or nearly equal as they are.

    A symmetric image is also its own mirror image.
    """
    known = set(map(tuple, pairs.tolist()))
    rest = [(a, b) for a, b in turned.tolist() if (a, b) not in known and content[a] != content[b]]
    return np.array(sorted(set(rest)), np.int64).reshape(-1, 2)


def near(
    grays: NDArray[np.uint8], copies: NDArray[np.uint8], most: int = MOST_COMPARED
) -> tuple[NDArray[np.int64], bool]:
    """Return the pairs of nearly equal images.

    The hashes, one bit for each two neighboring cells of a coarse grid, leave few pairs. Those are
    compared by their small copies, each at mean 0 and standard deviation 1, so that brightness and
    contrast don't count.

    Args:
        grays: (N, 9, 9), the coarse grids.
        copies: (N, S, S, 3), the small copies.
        most: limit for the pairs that are compared, since plain images have the same hash.

    Returns:
        (M, 2), the smaller index first, sorted; and whether all pairs were looked at.
    """
    return _near((grays, copies), (grays, copies), NEAR, most)


def near_turned(
    grays: NDArray[np.uint8],
    copies: NDArray[np.uint8],
    most: int = MOST_COMPARED,
    most_images: int = MOST_TURNED,
) -> tuple[NDArray[np.int64], bool]:
    """Return the pairs of images of which one is nearly the other, turned or mirrored.

    Args:
        grays: as for `near`.
        copies: as for `near`.
        most: as for `near`, for each of the seven ways to turn and mirror an image.
        most_images: limit for N.

    Returns:
        As `near`; a pair may be there several times.
    """
    if len(grays) > most_images:
        return np.empty((0, 2), np.int64), False
    results = [
        _near((grays, copies), (_turned(grays, way), _turned(copies, way)), NEAR_TURNED, most)
        for way in range(1, 8)
    ]
    return np.concatenate([pairs for pairs, _ in results]), all(done for _, done in results)


def _turned(images: NDArray[np.uint8], way: int) -> NDArray[np.uint8]:
    """Return images (N, S, S, ...) in one of eight ways; the three bits of `way` are mirrorings."""
    images = images.swapaxes(1, 2) if way & 4 else images
    return images[:, :: -1 if way & 2 else 1, :: -1 if way & 1 else 1]


def _hashes(grays: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the hashes (N, 2) of coarse grids: of steps to the right and of steps down."""
    cells = grays.astype(np.int16)
    steps = (np.diff(cells[:, :8], axis=2), np.diff(cells[:, :, :8], axis=1))
    # The margin keeps the noise of compression out of the bits of plain areas.
    bits = [np.packbits((step > MARGIN).reshape(len(cells), 64), axis=1) for step in steps]
    return np.concatenate([one.view(np.uint64) for one in bits], axis=1)


def _near(
    ones: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    others: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    limit: float,
    most: int,
) -> tuple[NDArray[np.int64], bool]:
    """Return the pairs of images that are nearly equal, each with a later one of `others`.

    Args:
        ones: coarse grids and small copies of N images.
        others: those of the same images, maybe turned.
        limit: largest difference of two small copies.
        most: as for `near`.
    """
    hashes, others_hashes = _hashes(ones[0]), _hashes(others[0])
    found, compared = [np.empty((0, 2), np.int64)], 0
    block = max(1, 2**22 // max(1, len(hashes)))  # rows whose differences fit the CPU's cache
    for start in range(0, len(hashes), block):
        rows = hashes[start : start + block, 0]
        bits = np.bitwise_count(rows[:, None] ^ others_hashes[None, start:, 0])
        first, second = (place + start for place in np.nonzero(bits <= FEW_BITS))
        down = np.bitwise_count(hashes[first, 1] ^ others_hashes[second, 1])
        kept = (second > first) & (down <= FEW_BITS)
        candidates = np.stack([first[kept], second[kept]], 1)
        compared += len(candidates)
        if compared > most:
            return np.concatenate(found), False
        for part in np.array_split(candidates, len(candidates) // 2**14 + 1):
            one, other = _standard(ones[1][part[:, 0]]), _standard(others[1][part[:, 1]])
            found.append(part[((one - other) ** 2).mean(1) < limit**2])
    return np.concatenate(found), True


def _standard(copies: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = copies.reshape(len(copies), SIDE * SIDE * 3).astype(np.float32)
    values -= values.mean(1, keepdims=True)
    values /= np.maximum(values.std(1, keepdims=True), LEVELS)
    return values


def _store(key: str) -> Path:
    return cache_folder() / "checked" / f"{key[:40]}-{FORMAT}.npz"
