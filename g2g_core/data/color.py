"""Bring the colors of an image to sRGB, as its embedded color profile says."""

import io
from functools import cache, lru_cache
from threading import local
from typing import Any

from PIL import Image, ImageCms

SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""Mode of an image -> color space of the profiles that describe it."""

MOST_KEPT = 16
"""Number of transforms kept per thread; datasets have one profile, or a few."""

_own = local()


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an image with the colors of its profile converted to sRGB.

    Images without a profile stay as they are, and so do those with the sRGB profile, a damaged
    profile, or a profile for another kind of image, which viewers ignore, too.

    Args:
        image: of the mode `RGB`, `L`, or `CMYK`; others stay as they are.
        profile: the embedded ICC profile, or None.

    Returns:
        The same image, or one of the mode `RGB`.
    """
    if not profile or image.mode not in SPACES or _is_srgb(profile):
        return image
    transform = _transform(profile, image.mode)
    if transform is None:
        return image
    converted = ImageCms.applyTransform(image, transform)
    return image if converted is None else converted


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes) -> bool:
    """Return whether a profile calls itself sRGB, as nearly all embedded profiles do."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return "srgb" in ImageCms.getProfileDescription(opened).lower()
    except (ImageCms.PyCMSError, OSError):
        return False


def _transform(profile: bytes, mode: str) -> Any:
    """Return the transform of a profile to sRGB, or None if the profile can't be used.

    Making a transform takes longer than decoding an image. Transforms are kept per thread, because
    threads can't share one.
    """
    known: dict[tuple[bytes, str], Any] = _own.__dict__.setdefault("transforms", {})
    if (profile, mode) not in known:
        if len(known) >= MOST_KEPT:
            known.clear()
        known[profile, mode] = _made(profile, mode)
    return known[profile, mode]


def _made(profile: bytes, mode: str) -> Any:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space.strip() != SPACES[mode]:
            return None
        return ImageCms.buildTransform(opened, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


@cache
def _srgb() -> Any:
    return ImageCms.createProfile("sRGB")
