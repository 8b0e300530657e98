import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ablate.cli import app
from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.crop_faces import TEST_CLASSES, crop_faces, read_coordinates

TRAIN = ("n02085620", "n02088094")


@pytest.fixture
def imagenet(tmp_path):
    """Images with a green square at (20, 10, 60, 50), of two training and two test classes."""
    lines = []
    for class_ in (*TRAIN, *TEST_CLASSES[:2]):
        (tmp_path / "train" / class_).mkdir(parents=True)
        for i in range(3):
            pixels = np.zeros((80, 100, 3), np.uint8)
            pixels[10:50, 20:60, 1] = 200
            name = f"{class_}/{class_}_{i}.JPEG"
            Image.fromarray(pixels).save(tmp_path / "train" / name, "JPEG", quality=95)
            lines.append(f"{name} 20 10 60 50")
    (tmp_path / "coordinates.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def cut(root):
    return crop_faces(str(root / "coordinates.txt"), str(root / "train"), str(root / "out"))


def test_the_thirty_test_classes():
    assert len(set(TEST_CLASSES)) == 30
    assert TEST_CLASSES[0] == "n02086240"
    assert TEST_CLASSES[-1] == "n02138441"


def test_faces_and_lists(imagenet):
    done = cut(imagenet)
    assert (done.cut, done.kept, done.problems) == (12, 0, ())
    assert done.lists == {"animals_list_train.txt": 6, "animals_list_test.txt": 6}
    out = imagenet / "out"
    with Image.open(out / TRAIN[0] / f"{TRAIN[0]}_1.JPEG_20_10_60_50.jpg") as image:
        face = np.asarray(image)
    assert face.shape == (40, 40, 3)
    assert np.abs(face[8:-8, 8:-8].mean((0, 1)) - [0, 200, 0]).max() < 6
    data = {
        "root": str(out),
        "train_list": str(out / "animals_list_train.txt"),
        "test_list": str(out / "animals_list_test.txt"),
    }
    animals = DATASETS["list_files"](
        TrialConfig(dataset="list_files", data=data, image_size=32, batch_size=2)
    )
    assert animals.class_names == TRAIN
    assert animals.evaluation_pairs(2).class_names == TEST_CLASSES[:2]


def test_a_second_call_cuts_what_is_missing(imagenet):
    cut(imagenet)
    gone = next((imagenet / "out").rglob("*.jpg"))
    gone.unlink()
    done = cut(imagenet)
    assert (done.cut, done.kept) == (1, 11)
    assert gone.exists()


def test_missing_and_damaged_images_are_told_and_the_others_cut(imagenet):
    first, second, third = (
        imagenet / "train" / TRAIN[0] / f"{TRAIN[0]}_{i}.JPEG" for i in range(3)
    )
    first.unlink()
    second.write_bytes(second.read_bytes()[:300])
    Image.new("RGB", (15, 15)).save(third, "JPEG")
    done = cut(imagenet)
    assert done.cut == 9
    assert len(done.problems) == 3
    assert "no such file" in done.problems[0]
    assert "lies outside its 15x15 pixels" in done.problems[2]
    assert done.lists["animals_list_train.txt"] == 3


def test_a_box_over_the_border_is_cut_at_it(imagenet):
    (imagenet / "coordinates.txt").write_text(f"{TRAIN[0]}/{TRAIN[0]}_0.JPEG -5 -5 200 60\n")
    cut(imagenet)
    with Image.open(next((imagenet / "out").rglob("*.jpg"))) as face:
        assert face.size == (100, 60)


@pytest.mark.parametrize(
    "line",
    [
        "a/b.JPEG 1 2 3",
        "b.JPEG 1 2 30 40",
        "a/b.JPEG 1 2 3 x",
        "../a/b 1 2 30 40",
        "/a/b 1 2 30 40",
        "a/b 9 9 9 20",
    ],
)
def test_bad_lines(tmp_path, line):
    (tmp_path / "c.txt").write_text(f"a/b.JPEG 1 2 30 40\n{line}\n")
    with pytest.raises(DataError, match=r"c.txt:2: "):
        read_coordinates(str(tmp_path / "c.txt"))


def test_bad_files(tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\xff")
    for name, message in (
        ("empty", "no coordinates"),
        ("binary", "not a text file"),
        ("no", "No such file"),
    ):
        with pytest.raises(DataError, match=message):
            read_coordinates(str(tmp_path / f"{name}.txt"))


def test_the_command(imagenet):
    arguments = [str(imagenet / name) for name in ("coordinates.txt", "train", "out")]
    result = CliRunner().invoke(app, ["crop-faces", *arguments], standalone_mode=False)
    assert result.return_value == 0
    assert "animals_list_train.txt: 6 faces" in result.stdout
    (imagenet / "train" / TRAIN[0] / f"{TRAIN[0]}_0.JPEG").unlink()
    next((imagenet / "out" / TRAIN[0]).iterdir()).unlink()
    next((imagenet / "out" / TRAIN[0]).iterdir()).unlink()
    next((imagenet / "out" / TRAIN[0]).iterdir()).unlink()
    assert (
        CliRunner().invoke(app, ["crop-faces", *arguments], standalone_mode=False).return_value == 1
    )
