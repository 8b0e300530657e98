"""Every kind of suspicious image is found and named; ordinary images are left alone."""

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from g2g_core.config import TrialConfig
from g2g_core.data import all_datasets
from g2g_core.data.inspection import KINDS, inspect, inspect_quickly
from g2g_core.data.preflight import caution_about
from g2g_core.data.signatures import near, near_turned

SHARED = Path(os.environ.get("G2G_SHARED", Path(__file__).resolve().parents[3] / ".." / "shared"))


def drawn(seed: int, size: int = 64) -> Image.Image:
    """A picture of a few shapes, different for each seed."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (size, size), tuple(rng.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, w, h = (rng.random(4) * size).tolist()
        color = tuple(rng.integers(0, 256, 3).tolist())
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)((x, y, x + w, y + h), fill=color)
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "faces"
    for number, class_ in enumerate("abcdef"):
        (root / class_).mkdir(parents=True)
        for i in range(5):
            drawn(10 * number + i).save(root / class_ / f"{i}.png")
    return root


def data_of(root: Path, **options: object):
    options = {"root": str(root), "test_classes": ["e", "f"], **options}
    config = TrialConfig(
        dataset="image_folder", data=options, image_size=32, batch_size=1, eval_pairs=4
    )
    return all_datasets()["image_folder"](config)


def found(root: Path, **options: object) -> dict[str, list[tuple[str, ...]]]:
    suspects = inspect(data_of(root, **options), 4).suspects
    return {
        kind: [suspect.files for suspect in suspects if suspect.kind == kind]
        for kind in KINDS
        if any(suspect.kind == kind for suspect in suspects)
    }


def test_nothing_is_suspicious_in_ordinary_images(folder: Path) -> None:
    inspection = inspect(data_of(folder), 4)
    assert (inspection.suspects, inspection.notes, inspection.summary) == ((), (), None)
    assert inspection.images == 30
    assert inspection.training == dict.fromkeys("abcd", 5)
    assert inspection.evaluation == dict.fromkeys("ef", 5)


@pytest.mark.parametrize("color", ["white", "black", "gray", (10, 200, 30)])
@pytest.mark.parametrize("cache", ["disk", "memory", "off"])
def test_blank_of_any_color(folder: Path, color: object, cache: str) -> None:
    Image.new("RGB", (70, 50), color).save(folder / "c" / "3.png")  # type: ignore[arg-type]
    assert found(folder, cache=cache) == {"blank": [("c/3.png",)]}


def test_nearly_blank(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(250, 253, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "a" / "0.png")
    Image.new("RGBA", (64, 64), (9, 9, 9, 0)).save(folder / "b" / "0.png")  # fully transparent
    assert found(folder) == {"blank": [("b/0.png",)], "nearly_blank": [("a/0.png",)]}


@pytest.mark.parametrize(
    "line",
    [
        ((0, 20, 63, 20), 1),
        ((17, 0, 17, 63), 1),
        ((0, 40, 63, 40), 9),
        ((0, 0, 40, 40), 1),
        ((30, 30, 34, 34), 3),
    ],
    ids=["across", "down", "a bar", "a slope", "a dot"],
)
@pytest.mark.parametrize("colors", [("white", "black"), ("black", "white"), ("navy", "yellow")])
def test_a_single_line_is_nearly_blank(
    folder: Path, line: tuple[tuple[int, ...], int], colors: tuple[str, str]
) -> None:
    image = Image.new("RGB", (64, 64), colors[0])
    ImageDraw.Draw(image).line(line[0], fill=colors[1], width=line[1])
    image.save(folder / "a" / "0.png")
    assert found(folder) == {"nearly_blank": [("a/0.png",)]}


def test_noisy_stripes_are_nearly_blank_and_a_few_strokes_are_not(folder: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 3, (64, 64, 3))
    stripes = np.linspace(20, 230, 64)[None, :, None] + noise
    Image.fromarray(stripes.clip(0, 255).astype(np.uint8)).save(folder / "a" / "0.png")
    letter = Image.new("L", (64, 64), "white")
    ImageDraw.Draw(letter).line((20, 10, 20, 50, 45, 50), fill="black", width=2)
    letter.save(folder / "b" / "0.png")
    assert found(folder) == {"nearly_blank": [("a/0.png",)]}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "palette"])
def test_a_picture_in_the_transparency_alone_is_blank_and_the_reason_says_why(
    folder: Path, mode: str
) -> None:
    """It is laid on white, and its colors are white."""
    alpha = drawn(3).convert("L")
    if mode == "palette":
        image = alpha.point(lambda value: value // 64).convert("P")
        image.putpalette([255] * 768)
        image.save(folder / "a" / "0.png", transparency=bytes([0, 90, 200, 255]))
    else:
        bands = [Image.new("L", alpha.size, 255)] * (len(mode) - 1)
        Image.merge(mode, [*bands, alpha]).save(folder / "a" / "0.png")
    Image.new("RGBA", (64, 64), (9, 9, 9, 255)).save(folder / "b" / "0.png")
    suspects = inspect(data_of(folder), 4).suspects
    assert [(one.kind, one.files, one.why) for one in suspects] == [
        ("blank", ("a/0.png",), "every pixel is #ffffff after its transparency was laid on white"),
        ("blank", ("b/0.png",), "every pixel is #090909"),
    ]


def test_equal_images_by_where_they_are(folder: Path) -> None:
    shutil.copy(folder / "a" / "0.png", folder / "a" / "9.png")
    Image.open(folder / "b" / "1.png").save(folder / "c" / "9.bmp")  # other bytes, equal pixels
    shutil.copy(folder / "d" / "1.png", folder / "e" / "9.png")
    assert found(folder) == {
        "two_classes": [("b/1.png", "c/9.bmp"), ("d/1.png", "e/9.png")],
        "leak": [("d/1.png", "e/9.png")],
        "duplicate": [("a/0.png", "a/9.png")],
    }


def test_leak_within_a_class(folder: Path) -> None:
    data = data_of(folder, test_classes=0.0)
    kept = data.set.test.files[0]
    shutil.copy(folder / kept, folder / kept[0] / "copy.png")
    kinds = found(folder, test_classes=0.0)
    # The copy's name decides on which side it is.
    assert kinds in (
        {"leak": [tuple(sorted([f"{kept[0]}/copy.png", kept]))]},
        {"leak": [(f"{kept[0]}/copy.png", kept)]},
        {"duplicate": [tuple(sorted([f"{kept[0]}/copy.png", kept]))]},
    )


@pytest.mark.parametrize("change", ["jpeg", "smaller", "brighter", "contrast"])
def test_nearly_equal_images(folder: Path, change: str) -> None:
    image = Image.open(folder / "a" / "0.png")
    if change == "jpeg":
        file = io.BytesIO()
        image.save(file, "JPEG", quality=75)
        image = Image.open(file)
    if change == "smaller":
        image = image.resize((48, 48))
    if change == "brighter":
        image = ImageEnhance.Brightness(image).enhance(1.05)
    if change == "contrast":
        image = ImageEnhance.Contrast(image).enhance(0.9)
    image.save(folder / "b" / "9.png")
    assert found(folder) == {"near_two_classes": [("a/0.png", "b/9.png")]}


TURNS = [way.value for way in Image.Transpose]


@pytest.mark.parametrize("way", TURNS, ids=[way.name for way in Image.Transpose])
@pytest.mark.parametrize("size", [64, 75])
def test_turned_and_mirrored_images(folder: Path, way: int, size: int) -> None:
    """Mirrored or turned by quarters, also after another compression and size."""
    turned = Image.open(folder / "a" / "0.png").transpose(Image.Transpose(way))
    turned.resize((size, size)).save(folder / "b" / "9.jpg", quality=90)
    mirrored = Image.open(folder / "d" / "1.png").transpose(Image.Transpose(way))
    mirrored.save(folder / "e" / "9.png")
    Image.open(folder / "c" / "2.png").transpose(Image.Transpose(way)).save(folder / "c" / "9.png")
    assert found(folder) == {
        "turned_two_classes": [("a/0.png", "b/9.jpg"), ("d/1.png", "e/9.png")],
        "turned_leak": [("d/1.png", "e/9.png")],
        "turned_duplicate": [("c/2.png", "c/9.png")],
    }


def test_a_symmetric_image_is_no_turned_copy_of_its_copy(folder: Path) -> None:
    half = drawn(4).resize((32, 64))
    whole = Image.new("RGB", (64, 64))
    whole.paste(half, (0, 0))
    whole.paste(half.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (32, 0))
    whole.save(folder / "a" / "8.png")
    whole.save(folder / "a" / "9.png")
    ImageEnhance.Brightness(whole).enhance(1.05).save(folder / "b" / "9.png")
    assert found(folder) == {
        "duplicate": [("a/8.png", "a/9.png")],
        "near_two_classes": [("a/8.png", "a/9.png", "b/9.png")],
    }


def test_plain_images_do_not_take_for_ever() -> None:
    copies = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3), dtype=np.uint8)
    copies[7] = copies[3]
    grays = np.zeros((40, 9, 9), np.uint8)
    pairs, searched = near(grays, copies)
    assert (pairs.tolist(), searched) == ([[3, 7]], True)
    assert near(grays, copies, most=779)[1] is False
    assert near(grays, copies, most=780)[1] is True
    grays[7, 1:, 1:] = np.arange(8)[:, None] * 20
    assert near(grays, copies)[0].tolist() == []

    copies[9] = copies[5, :, ::-1]
    pairs, searched = near_turned(grays, copies)
    assert ([5, 9] in pairs.tolist(), searched) == (True, True)
    assert near_turned(grays, copies, most=700)[1] is False
    assert near_turned(grays, copies, most_images=39)[1] is False


def test_sizes_and_frames(folder: Path) -> None:
    drawn(90, 15).save(folder / "a" / "0.png")
    drawn(91, 16).save(folder / "a" / "1.png")
    drawn(92, 200).resize((200, 50)).save(folder / "b" / "0.png")
    drawn(93).save(
        folder / "c" / "9.gif", save_all=True, append_images=[drawn(94), drawn(95)], loop=0
    )
    assert found(folder) == {
        "tiny": [("a/0.png",)],
        "long": [("b/0.png",)],
        "moving": [("c/9.gif",)],
    }


def test_unreadable_images_are_listed_with_the_others(folder: Path) -> None:
    (folder / "a" / "0.png").write_bytes(b"broken")
    (folder / "b" / "0.png").write_bytes((folder / "b" / "0.png").read_bytes()[:200])
    Image.new("RGB", (64, 64)).save(folder / "c" / "0.png")
    for cache in ("disk", "off"):
        assert found(folder, cache=cache) == {
            "unreadable": [("a/0.png",), ("b/0.png",)],
            "blank": [("c/0.png",)],
        }


def test_classes_and_pairs(folder: Path) -> None:
    for file in list((folder / "a").iterdir())[1:]:
        file.unlink()
    for i in range(5, 12):
        drawn(500 + i).save(folder / "b" / f"{i}.png")
    for class_ in "ef":
        for i in range(5):
            drawn(7).save(folder / class_ / f"{i}.png")
    notes = inspect(data_of(folder), 4).notes
    assert notes[0] == "classes with a single training image: 1 (a)"
    assert notes[1] == "uneven classes: a has 1 training images, b has 12"
    assert notes[2].startswith("4 of 4 evaluation pairs show the same image twice, such as ")


def test_when_most_images_are_tiny_it_is_said_once(folder: Path) -> None:
    data = data_of(folder)
    data.image_size = 200
    inspection = inspect(data, 4)
    assert inspection.suspects == ()
    assert inspection.notes == (
        "30 of the images are enlarged more than 2 times for images of 200 pixels",
    )


def test_a_plan_says_it_on_a_line_and_reads_the_images_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrialConfig(dataset="image_folder", data={"root": str(folder)}, image_size=32)
    assert caution_about(data_of(folder), config) is None
    for i in range(4):
        Image.new("RGB", (64, 64), "white").save(folder / "abcd"[i] / "0.png")
    shutil.copy(folder / "b" / "1.png", folder / "c" / "1.png")
    line = caution_about(data_of(folder), config)
    assert line == (
        f"{folder}: 6 of 30 images look suspicious: blank: a/0.png, b/0.png and 2 more; "
        "the same image in two classes: b/1.png = c/1.png"
    )
    monkeypatch.setattr("g2g_core.data.signatures.header", lambda *_: pytest.fail("read again"))
    assert caution_about(data_of(folder), config) == line


def test_a_set_that_is_not_kept_decoded_is_judged_once_it_was_checked(folder: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(folder / "a" / "0.png")
    config = TrialConfig(dataset="image_folder", data={"root": str(folder)}, image_size=32)
    line = caution_about(data_of(folder, cache="off"), config)
    assert line is not None
    assert "were not checked" in line
    assert inspect_quickly(data_of(folder, cache="off"), 4) is None
    inspect(data_of(folder, cache="off"), 4)
    line = caution_about(data_of(folder, cache="off"), config)
    assert line is not None
    assert "blank: a/0.png" in line


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the sets are not there")
@pytest.mark.parametrize(
    ("name", "most"), [("caltech_faces", 0), ("orl_faces", 0), ("afhq_samples", 0)]
)
def test_real_images_raise_few_alarms(name: str, most: int) -> None:
    options = {"root": str(SHARED / "data" / name)}
    config = TrialConfig(dataset="image_folder", data=options, image_size=64, batch_size=1)
    suspects = inspect(all_datasets()["image_folder"](config), 8).suspects  # type: ignore[arg-type]
    assert len(suspects) <= most
