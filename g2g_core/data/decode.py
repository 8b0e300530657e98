"""Read image files as 8-bit RGB, safely.

Only a closed list of formats is read, the number of pixels is limited, and nothing is executed.

Pillow reads the files, not `torchvision.io`. Pillow knows the size of an image before it decodes
it: a PNG of 144 million pixels is refused after 17 ms, whereas torchvision decodes it for 4.7 s.
torchvision can't read BMP and PPM, doesn't reduce 16 bits to 8, and drops transparency. It decodes
JPEG to the same pixels in two thirds of the time (0.21 instead of 0.32 ms at 128 pixels), but that
matters little, because most datasets are decoded only once.

Pillow also resizes. For a Pillow image, torchvision's `resize` calls the same method; for a tensor,
it rounds differently, so that 0.3% of the values differ by 1.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from g2g_core.data.color import to_srgb

Pixels = NDArray[np.uint8]

DECODING = "2"  # increases when the same file gives other pixels

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".gif", ".tif", ".tiff"}
)

# None of these formats makes Pillow start another program or follow a link.
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "GIF", "TIFF")

MAX_PIXELS = 64_000_000
MIN_SIDE = 4
MAX_ASPECT = 8.0


class BadImage(Exception):
    """An image that cannot be used; the message says why, without the path."""


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Silence Pillow's warnings about unusual files.

    `read_image` makes its own checks. Enter this context once around many calls of it, because
    changing the warning filters is not thread-safe.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        yield


def read_image(path: Path, shortest: int) -> Pixels:
    """Read an image as RGB, resized so that its shortest side is `shortest`.

    Resizing is bilinear with anti-aliasing and keeps the aspect ratio. EXIF rotation is applied,
    gray becomes three identical channels, transparency is laid on white, 16 bits and floats become
    8 bits, CMYK and palettes become RGB, colors of an embedded profile become sRGB, and only the
    first frame of an animation, or page of a TIFF, is read.

    Args:
        path: the file.
        shortest: pixels.

    Returns:
        (H, W, 3).

    Raises:
        BadImage: the file is missing, damaged, in another format, too large (`MAX_PIXELS`), too
            small, or too elongated.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise BadImage(
                    f"{width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} million"
                )
            if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(
                width, height
            ):
                raise BadImage(f"{width}x{height} pixels, too small or too long to show something")
            rgb = _to_rgb(ImageOps.exif_transpose(image))
    except BadImage:
        raise
    except Exception as error:  # Pillow's plugins raise nearly every type on damaged files
        raise BadImage(_reason(error)) from error

    # Rounding must not make the shorter side smaller than `shortest`.
    scale = shortest / min(rgb.size)
    size = (max(shortest, round(rgb.width * scale)), max(shortest, round(rgb.height * scale)))
    if rgb.size != size:
        rgb = rgb.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(rgb, dtype=np.uint8)


def header(path: Path) -> tuple[tuple[int, int], bool]:
    """Return the width and height of an image file, and whether it has several frames or pages.

    Raises:
        BadImage: the file can't be read.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size, bool(getattr(image, "is_animated", False))
    except Exception as error:  # see `read_image`
        raise BadImage(_reason(error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to RGB."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I") or image.mode == "F":
        return to_srgb(Image.fromarray(_eight_bits(image)), profile).convert("RGB")

    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        rgb = to_srgb(rgba.convert("RGB"), profile)
        rgba = Image.merge("RGBA", (*rgb.split(), rgba.getchannel("A")))
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return to_srgb(image.convert("RGB") if image.mode in ("P", "1") else image, profile).convert(
        "RGB"
    )


def _eight_bits(image: Image.Image) -> Pixels:
    """Return the gray values (H, W) of an image of whole numbers or floats, as 8 bits.

    Only `I;16` states its range. In other modes, the largest value decides: floats up to 1 are
    shares, and values up to 255 are already 8 bits.

    Raises:
        BadImage: a value is not finite.
    """
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise BadImage("holds values that are not finite")
    largest = values.max(initial=0)
    top = 65535.0
    if image.mode == "F" and largest <= 1:
        top = 1.0
    elif largest <= 255 and not image.mode.startswith("I;16"):
        top = 255.0
    return np.clip(values * 255 / top + 0.5, 0, 255).astype(np.uint8)


def _reason(error: Exception) -> str:
    """Return an error as a short text that a user understands."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "not readable: permission denied"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a file"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_PIXELS // 1_000_000} million pixels"
    if isinstance(error, UnidentifiedImageError):
        return f"not an image of a known format ({', '.join(FORMATS)})"
    text = " ".join(str(error).split())
    return f"damaged: {text or type(error).__name__}"
