import numpy as np
import pytest
from PIL import Image

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError


@pytest.fixture
def root(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    people = {f"{i:06d}.jpg": 1 + i % 6 for i in range(1, 25)}
    for name in people:
        Image.fromarray(np.full((60, 50, 3), 10 * people[name], np.uint8)).save(
            tmp_path / "img_align_celeba" / name
        )
    split = {1: 0, 2: 0, 3: 0, 4: 1, 5: 2, 6: 2}
    (tmp_path / "identity_CelebA.txt").write_text("".join(f"{n} {p}\n" for n, p in people.items()))
    (tmp_path / "list_eval_partition.txt").write_text(
        "".join(f"{n} {split[p]}\n" for n, p in people.items())
    )
    return tmp_path


def make(root, **data):
    data = {"root": str(root), **data}
    return DATASETS["celeba"](TrialConfig(dataset="celeba", data=data, image_size=32, batch_size=2))


def test_people_are_classes_and_apart(root):
    data = make(root)
    assert data.class_names == ("1", "2", "3")
    assert data.set.test.class_names == ("5", "6")
    assert data.n_classes == 3
    batch = data.batch(0)
    for image, label in zip(batch.content_images, batch.content_labels, strict=True):
        grey = (float(image.mean()) + 1) * 127.5
        assert round(grey / 10) == int(label) + 1


def test_validation_people(root):
    (root / "list_eval_partition.txt").write_text(
        (root / "list_eval_partition.txt").read_text().replace(" 2\n", " 1\n")
    )
    assert make(root, evaluate_on="validation").set.test.class_names == ("4", "5", "6")


def test_min_images_leaves_people_out(root):
    text = (root / "identity_CelebA.txt").read_text().replace("000001.jpg 2\n", "000001.jpg 3\n")
    (root / "identity_CelebA.txt").write_text(text)
    assert make(root, min_images=4).class_names == ("1", "3")


def test_faces_are_neither_moved_nor_mirrored(root):
    data = make(root)
    places = data._places(3)
    assert np.all(places[:, :2] == 0.5)
    assert np.all(places[:, 2] == 0)
    assert data.shortest == 32


def test_what_is_wrong(root):
    identity = (root / "identity_CelebA.txt").read_text()
    partition = (root / "list_eval_partition.txt").read_text()
    cases = [
        (
            "identity_CelebA.txt",
            identity + "x.jpg one\n",
            r"identity_CelebA.txt:25: 'x.jpg one' is not a file name",
        ),
        (
            "identity_CelebA.txt",
            identity + "x.jpg 1\n",
            "1 of its images are not in img_align_celeba: x.jpg",
        ),
        ("identity_CelebA.txt", identity + "../x.jpg 1\n", "identity_CelebA.txt:25"),
        ("identity_CelebA.txt", "", "is empty"),
        (
            "list_eval_partition.txt",
            partition.replace("000006.jpg 0", "000006.jpg 2"),
            "people in training and test: 1",
        ),
        ("list_eval_partition.txt", partition.replace(" 0\n", " 1\n"), r"0 training class\(es\)"),
    ]
    for name, content, message in cases:
        (root / "identity_CelebA.txt").write_text(identity)
        (root / "list_eval_partition.txt").write_text(partition)
        (root / name).write_text(content)
        with pytest.raises(DataError, match=message):
            make(root)
    (root / "list_eval_partition.txt").unlink()
    (root / "identity_CelebA.txt").write_text(identity)
    with pytest.raises(DataError, match=r"list_eval_partition.txt: No such file"):
        make(root)
    with pytest.raises(DataError, match="evaluate_on"):
        make(root, evaluate_on="tset")
