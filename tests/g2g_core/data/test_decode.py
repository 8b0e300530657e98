import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from g2g_core.data.decode import BadImage, quiet_decoding, read_image

GRADIENT = np.add.outer(np.arange(16) * 8, np.arange(24) * 5).astype(
    np.uint8
)  # (16, 24), all below 236
COLOUR = np.stack([GRADIENT, GRADIENT[::-1], GRADIENT[:, ::-1]], axis=-1)


def read(path, shortest=16):
    with quiet_decoding():
        return read_image(path, shortest)


def test_colour_png_is_exact(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png"), COLOUR)


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "pgm", "jpg", "gif", "tiff"])
def test_grey_becomes_three_equal_channels(tmp_path, suffix):
    Image.fromarray(GRADIENT).save(tmp_path / f"a.{suffix}")
    pixels = read(tmp_path / f"a.{suffix}")
    assert pixels.shape == (16, 24, 3)
    assert np.abs(pixels.astype(int) - GRADIENT[..., None]).max() < 12


def test_one_bit_and_palette(tmp_path):
    Image.fromarray(GRADIENT > 100).save(tmp_path / "bit.png")
    assert np.array_equal(read(tmp_path / "bit.png")[..., 0], np.where(GRADIENT > 100, 255, 0))
    Image.fromarray(COLOUR).quantize(256).save(tmp_path / "palette.png")
    assert np.abs(read(tmp_path / "palette.png").astype(int) - COLOUR).mean() < 6


def test_sixteen_bits_become_eight(tmp_path):
    Image.fromarray(GRADIENT.astype(np.uint16) * 257).save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png")[..., 1], GRADIENT)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(tmp_path, mode):
    image = Image.fromarray(COLOUR).convert(mode)
    alpha = Image.fromarray(
        np.where(np.arange(24) < 12, 255, 0).astype(np.uint8)[None].repeat(16, 0)
    )
    image.putalpha(alpha)
    image.save(tmp_path / "a.png")
    pixels = read(tmp_path / "a.png")
    assert (pixels[:, 12:] == 255).all()
    assert np.array_equal(
        pixels[:, :12],
        np.asarray(Image.fromarray(COLOUR).convert(mode[:-1]).convert("RGB"))[:, :12],
    )


def test_transparent_palette(tmp_path):
    image = Image.fromarray(np.zeros((16, 16), np.uint8), mode=None).convert("P")
    image.putpalette([255, 0, 0] * 256)
    image.save(tmp_path / "a.png", transparency=0)
    assert (read(tmp_path / "a.png") == 255).all()


def test_cmyk(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = read(tmp_path / "a.jpg")[8, 8]
    assert red > 240
    assert max(green, blue) < 15


def test_exif_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to view
    Image.fromarray(COLOUR).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read(tmp_path / "a.png"), np.rot90(COLOUR, k=-1))


@pytest.mark.parametrize(
    ("size", "expected"), [((100, 50), (20, 40)), ((50, 100), (40, 20)), ((7, 7), (20, 20))]
)
def test_shortest_side_and_aspect(tmp_path, size, expected):
    Image.new("RGB", size, "red").save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", 20).shape == (*expected, 3)


@pytest.mark.parametrize("suffix", ["webp", "gif", "tiff"])
def test_first_frame_of_an_animation(tmp_path, suffix):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], **options)
    assert tuple(read(tmp_path / f"a.{suffix}")[3, 3]) == (255, 0, 0)


def test_colour_tiff_is_exact(tmp_path):
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate"):
        Image.fromarray(COLOUR).save(tmp_path / "a.tiff", compression=compression)
        assert np.array_equal(read(tmp_path / "a.tiff"), COLOUR)


def test_floats_and_sixteen_bits_of_a_tiff_become_eight(tmp_path):
    Image.fromarray(GRADIENT.astype(np.uint16) * 257).save(tmp_path / "words.tiff")
    Image.fromarray(GRADIENT.astype(np.float32) / 255).save(tmp_path / "shares.tiff")
    Image.fromarray(GRADIENT.astype(np.float32)).save(tmp_path / "floats.tiff")
    for name in ("words", "shares", "floats"):
        assert np.array_equal(read(tmp_path / f"{name}.tiff")[..., 0], GRADIENT), name


def test_colours_of_an_embedded_profile_become_srgb(tmp_path):
    image = Image.fromarray(COLOUR)
    red_image = Image.new("RGB", (16, 16), (255, 0, 0))
    swapped = swapped_profile()
    red_image.save(tmp_path / "a.png", icc_profile=swapped)
    red_image.convert("RGBA").save(tmp_path / "alpha.png", icc_profile=swapped)
    red_image.save(tmp_path / "a.tiff", icc_profile=swapped)
    red_image.quantize(4).save(tmp_path / "palette.png", icc_profile=swapped)
    for name in ("a.png", "alpha.png", "a.tiff", "palette.png"):
        red, green, blue = read(tmp_path / name)[3, 3]
        assert (red < 60, green > 200, blue < 60) == (True, True, True), name

    # Pixels under the sRGB profile, a damaged one, and one for another kind of image are exact.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (srgb, lab, b"no profile", swapped[:200]):
        image.save(tmp_path / "b.png", icc_profile=profile)
        assert np.array_equal(read(tmp_path / "b.png"), COLOUR)


def swapped_profile():
    """A profile whose red is sRGB's green and the other way around."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    # Without its own name, it doesn't call itself sRGB.
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def png(width=16, height=16, chunks=None, depth=8, colour=2):
    """A PNG by hand, for damage that no encoder makes."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = (
        chunk(b"IDAT", zlib.compress(b"\0" * 100))
        if chunks is None
        else b"".join(chunk(*one) for one in chunks)
    )
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def encoded(kind, image=None, **options):
    file = io.BytesIO()
    (image or Image.fromarray(np.tile(COLOUR, (4, 4, 1)))).save(file, kind, **options)
    return file.getvalue()


JPEG, PNG, WEBP, BMP, GIF, TIFF = (
    encoded(kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
)
DAMAGED = {
    "empty.jpg": b"",
    "one_byte.png": b"\x89",
    "text.jpg": b"not an image at all\n" * 20,
    "html.png": b"<html><body>404</body></html>",
    "zeros.png": bytes(5000),
    "half.jpg": JPEG[: len(JPEG) // 2],
    "head_only.jpg": JPEG[:30],
    "half.png": PNG[: len(PNG) // 2],
    "half.webp": WEBP[: len(WEBP) // 2],
    "half.bmp": BMP[: len(BMP) // 2],
    "signature_only.png": PNG[:8],
    "broken_crc.png": PNG[:40] + bytes([PNG[40] ^ 255]) + PNG[41:],
    "broken_data.png": PNG[:60] + bytes(200) + PNG[260:],
    "no_pixels.png": png(chunks=[]),
    "bad_zlib.png": png(chunks=[(b"IDAT", b"garbage that is no zlib stream")]),
    "too_few_pixels.png": png(64, 64),
    "zero_wide.png": png(0, 16),
    "bad_depth.png": png(depth=3),
    "bomb.png": png(60000, 60000),
    "just_too_large.png": png(8001, 8000),
    "text_bomb.png": png(chunks=[(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 80_000_000))]),
    "thin.png": encoded("PNG", Image.new("RGB", (400, 10))),
    "tiny.png": encoded("PNG", Image.new("RGB", (3, 3))),
    "half.gif": GIF[: len(GIF) // 2],
    "half.tiff": TIFF[: len(TIFF) // 2],
    "tiff_bomb.tif": encoded("TIFF", Image.new("1", (60000, 2000)), compression="group4"),
    "ico_inside.png": encoded("ICO"),
    "nan.tif": encoded("TIFF", Image.fromarray(np.full((16, 16), np.nan, np.float32))),
    "postscript.jpg": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n(touch ran) system showpage\n"
    ),
    "svg.png": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "python.png": b"#!/usr/bin/env python\nopen('ran', 'w')\n",
    "pickle.png": b"\x80\x04\x95cos\nsystem\n(S'touch ran'\ntR.",
    "ppm_liar.ppm": b"P6 100 100 255\n" + bytes(10),
    "ppm_negative.ppm": b"P6 -5 10 255\n" + bytes(300),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_image_is_one_clear_line(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(DAMAGED[name])
    with pytest.raises(BadImage) as caught:
        read(tmp_path / name)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    assert len(text) < 200
    assert not (tmp_path / "ran").exists()


def test_reasons(tmp_path):
    for name, reason in (
        ("bomb.png", "million"),
        ("text.jpg", "not an image of a known format"),
        ("thin.png", "400x10"),
    ):
        (tmp_path / name).write_bytes(DAMAGED[name])
        with pytest.raises(BadImage, match=reason):
            read(tmp_path / name)
    with pytest.raises(BadImage, match="no such file"):
        read(tmp_path / "missing.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadImage, match="a folder"):
        read(tmp_path / "folder.png")
