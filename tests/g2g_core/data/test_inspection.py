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
from g2g_core.data.signatures import near

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


def test_plain_images_do_not_take_for_ever() -> None:
    copies = np.random.default_rng(0).integers(0, 255, (40, 768), dtype=np.uint8)
    copies[7] = copies[3]
    hashes = np.zeros((40, 2), np.uint64)
    pairs, searched = near(hashes, copies)
    assert (pairs.tolist(), searched) == ([[3, 7]], True)
    assert near(hashes, copies, most=779)[1] is False
    assert near(hashes, copies, most=780)[1] is True
    hashes[7, 1] = 2**10 - 1
    assert near(hashes, copies)[0].tolist() == []


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
