"""Named attributes: of folders by a table, and of CelebA by its own file."""

import numpy as np
import pytest
from PIL import Image

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.pairs import attribute_of


@pytest.fixture
def folder(tmp_path):
    lines = ["file,glasses,pose"]
    for person in ("anna", "ben"):
        (tmp_path / "faces" / person).mkdir(parents=True)
        for number in range(5):
            name = f"{person}/{number}.png"
            Image.fromarray(np.full((20, 20, 3), 40 * number, np.uint8)).save(
                tmp_path / "faces" / name
            )
            lines.append(f"{name},{'with' if number % 2 else 'without'},{'abc'[number % 3]}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def make(folder, **data):
    data = {"root": str(folder / "faces"), "attributes": str(folder / "table.csv"), **data}
    return DATASETS["image_folder"](
        TrialConfig(dataset="image_folder", data=data, image_size=16, batch_size=2)
    )


def test_a_table_names_attributes_of_every_image(folder):
    data = make(folder)
    glasses, pose = (attribute_of(data, name) for name in ("glasses", "pose"))
    assert glasses.values == ("without", "with")
    assert pose.values == ("a", "b", "c")
    for file, value in zip(data.set.train.files, glasses.numbers, strict=True):
        assert value == int(file[-5]) % 2
    pairs = data.evaluation_pairs(3)
    assert pairs.attributes["pose"].shape == (6,)
    assert data.digest != make(folder, attributes="").digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("anna/3.png,with,a\n", "", "glasses has no value for 1 images: anna/3.png"),
        ("file,glasses", "name,glasses", "its first line must be file, then different names"),
        ("anna/3.png,with,a", "anna/3.png,with", "table.csv:5: must have 3 values"),
    ],
)
def test_a_wrong_table_is_one_line(folder, old, new, message):
    table = folder / "table.csv"
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(DataError, match=message):
        make(folder)


def test_a_missing_table_is_named(folder):
    with pytest.raises(DataError, match=r"data.attributes: .*none.csv: No such file"):
        make(folder, attributes=str(folder / "none.csv"))


@pytest.fixture
def celeba(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    names = [f"{i:06d}.jpg" for i in range(1, 13)]
    for name in names:
        Image.new("RGB", (50, 60)).save(tmp_path / "img_align_celeba" / name)
    (tmp_path / "identity_CelebA.txt").write_text(
        "".join(f"{name} {1 + i // 3}\n" for i, name in enumerate(names))
    )
    (tmp_path / "list_eval_partition.txt").write_text(
        "".join(f"{name} {0 if i < 6 else 2}\n" for i, name in enumerate(names))
    )
    (tmp_path / "list_attr_celeba.txt").write_text(
        "12\nSmiling Eyeglasses\n"
        + "".join(
            f"{name} {'1' if i % 3 else '-1':>2}  {'-1' if i % 2 else ' 1'}\n"
            for i, name in enumerate(names)
        )
    )

    def read(**data):
        data = {"root": str(tmp_path), **data}
        return DATASETS["celeba"](
            TrialConfig(dataset="celeba", data=data, image_size=32, batch_size=2)
        )

    return read


def test_celebas_attributes_are_there_by_name(celeba):
    assert not celeba().attributes
    data = celeba(attributes=("Smiling",))
    assert data.class_names == ("1", "2")
    smiling = attribute_of(data, "Smiling")
    assert smiling.values == ("without", "with")
    assert smiling.numbers.tolist() == [0, 1, 1, 0, 1, 1]


def test_an_attribute_can_be_the_class(celeba):
    data = celeba(classes="Eyeglasses")
    assert data.class_names == ("without", "with")
    assert data.image_labels.tolist() == [1, 0] * 3
    pairs = data.evaluation_pairs(4)
    assert pairs.split == "train"
    assert (pairs.first_labels != pairs.second_labels).all()
    with pytest.raises(DataError, match="no attribute 'Eyeglases'; did you mean Eyeglasses"):
        celeba(classes="Eyeglases")
