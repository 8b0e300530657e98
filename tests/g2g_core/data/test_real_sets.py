"""The sets kept beside the project, read as a user would; skipped where they are not."""

import os
from pathlib import Path

import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.preflight import problems_of

SHARED = Path(os.environ.get("G2G_SHARED", Path(__file__).resolve().parents[3] / ".." / "shared"))
pytestmark = pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the sets are not there")

ANIMALS = {"root": "funit_layout/animals", "train_list": "funit_layout/heads_list_train.txt"}
ANIMALS["test_list"] = "funit_layout/heads_list_test.txt"
SETS = {
    "caltech_faces": ("image_folder", {"root": "caltech_faces"}, 21, 5),
    "orl_faces": ("image_folder", {"root": "orl_faces"}, 32, 8),
    "cmu_faces": ("image_folder", {"root": "cmu_faces", "truth": "by_name"}, 16, 4),
    "lpc_sprites": ("image_folder", {"root": "lpc_sprites", "truth": "by_name"}, 32, 8),
    "afhq_samples": ("image_folder", {"root": "afhq_samples"}, 3, 0),
    "funit_layout": ("list_files", ANIMALS, 34, 7),
    "celeba_layout": ("celeba", {"root": "celeba_layout"}, 18, 4),
}


def config(name, **data):
    dataset, options, *_ = SETS[name]
    paths = {
        key: str(SHARED / "data" / value) if value[0] != "b" else value
        for key, value in options.items()
    }
    return TrialConfig(
        dataset=dataset, data={**paths, **data}, image_size=32, batch_size=4, eval_pairs=6
    )


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_read(name):
    *_, classes, new = SETS[name]
    data = DATASETS[config(name).dataset](config(name))
    assert problems_of(data, config(name)) == []
    assert data.n_classes == classes
    batch, pairs = data.batch(0), data.evaluation_pairs(6)
    for images in (batch.content_images, batch.class_images, pairs.first, pairs.second):
        assert images.shape[1:] == (3, 32, 32)
        assert float(images.std()) > 0.1
    assert pairs.split == ("test" if new else "train")
    assert len(pairs.class_names) == (new or classes)
    assert (pairs.truth is not None) == ("truth" in SETS[name][1])


def test_classes_of_animals_keep_their_order():
    names = (SHARED / "data" / "funit_layout" / "animals_train_class_names.txt").read_text().split()
    paths = {
        key: value.replace("heads", "animals") for key, value in config("funit_layout").data.items()
    }
    data = DATASETS["list_files"](TrialConfig(dataset="list_files", data=paths, image_size=32))
    assert list(data.class_names) == sorted(names)
    assert len(data.set.train.files) == 1486


def test_sprites_that_show_one_person_share_their_palette():
    """The truth of a mixed sprite has the colours of its own character, not of its partner's."""
    data = DATASETS["image_folder"](config("lpc_sprites", resize=32, flip=False))
    pairs = data.evaluation_pairs(6)
    real, swapped = torch.cat([pairs.first, pairs.second]), torch.cat([pairs.second, pairs.first])

    def means(images):
        return images.mean((2, 3))

    own = (means(pairs.truth) - means(real)).abs().mean()
    other = (means(pairs.truth) - means(swapped)).abs().mean()
    assert own < other


def test_landmarks_of_celeba_are_used():
    faces = DATASETS["celeba"](config("celeba_layout", erase="eyes"))
    assert len(faces._points) == len(faces.files)
    points = next(iter(faces._points.values()))
    assert 0 < points.min() < points.max() < 1
    assert 0.05 < float(faces.batch(0).content_erase.mean()) < 0.3


def test_celeba_folder_is_no_image_folder():
    with pytest.raises(DataError, match="1 training class"):
        DATASETS["image_folder"](
            TrialConfig(dataset="image_folder", data={"root": str(SHARED / "data/celeba_layout")})
        )
