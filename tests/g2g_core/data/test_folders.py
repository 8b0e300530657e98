import numpy as np
import pytest
import torch
from PIL import Image

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.preflight import problems_of


def make(folder, size=32, batch=4, seed=0, dataset="image_folder", **data):
    data = {"root": str(folder), **data}
    return DATASETS[dataset](
        TrialConfig(dataset=dataset, data=data, image_size=size, batch_size=batch, seed=seed)
    )


def test_classes_are_divided_by_name_not_by_seed(make_folder):
    folder = make_folder(classes=10)
    data = make(folder)
    assert data.n_classes == 8
    assert len(data.set.test.class_names) == 2
    assert data.set.new_classes
    assert make(folder, seed=9).class_names == data.class_names
    assert sorted(data.class_names + data.set.test.class_names) == list("abcdefghij")


def test_named_test_classes(make_folder):
    data = make(make_folder(), test_classes=("b", "d"))
    assert data.set.test.class_names == ("b", "d")
    assert data.class_names == ("a", "c", "e", "f")
    with pytest.raises(DataError, match=r"has no class 'dd'; did you mean d\?"):
        make(make_folder(name="again"), test_classes=("b", "dd"))


def test_few_classes_keep_images_apart(make_folder):
    data = make(make_folder(classes=3, images=10))
    assert data.n_classes == 3
    assert not data.set.new_classes
    assert len(data.set.test.files) == 6
    assert not set(data.set.test.files) & set(data.set.train.files)
    pairs = data.evaluation_pairs(5)
    assert pairs.split == "train"
    assert torch.all(pairs.first_labels != pairs.second_labels)


def test_batch_is_a_pure_function_of_seed_and_step(make_folder):
    folder = make_folder()
    data = make(folder)
    rows = [data.batch(step) for step in range(9)]
    fresh = make(folder)
    for step in (8, 1, 8):
        for name in ("content_images", "content_labels", "class_images", "class_labels"):
            assert torch.equal(getattr(fresh.batch(step), name), getattr(rows[step], name))
    assert not torch.equal(make(folder, seed=1).batch(0).content_images, rows[0].content_images)


def test_evaluation_is_the_centre_unaugmented(make_folder):
    folder = make_folder(size=(35, 45))
    data = make(folder)
    pairs = data.evaluation_pairs(3)
    found = 0
    for image in pairs.first:
        for file in data.set.test.files:
            pixels = np.asarray(Image.open(folder / file), dtype=np.float32)[
                1:33, 6:38
            ]  # resize 35, centre 32
            found += bool(
                np.allclose(pixels.transpose(2, 0, 1) / 127.5 - 1, image.numpy(), atol=1e-6)
            )
    assert found == 3


def test_training_crops_and_flips(make_folder):
    folder = make_folder(classes=4, images=4, size=(35, 35))
    plain = make(folder, batch=2, flip=False, crop="centre")
    known = {i.numpy().tobytes() for s in range(12) for i in plain.batch(s).content_images}
    assert len(known) <= 8
    flipped = make(folder, batch=2, crop="centre")
    seen = {i.numpy().tobytes() for s in range(40) for i in flipped.batch(s).content_images}
    mirrored = {
        np.ascontiguousarray(np.frombuffer(k, np.float32).reshape(3, 32, 32)[..., ::-1]).tobytes()
        for k in known
    }
    assert seen == known | mirrored
    moved = make(folder, batch=2, flip=False)
    assert len(
        {i.numpy().tobytes() for s in range(40) for i in moved.batch(s).content_images}
    ) > 3 * len(known)


def test_truth_by_name(make_folder):
    folder = make_folder(classes=8, images=4)
    (folder / "a" / "0.png").unlink()  # a hole in the grid
    data = make(folder, truth="by_name", test_classes=("a", "b", "c"))
    pairs = data.evaluation_pairs(20)
    assert pairs.truth.shape == (40, 3, 32, 32)
    files = {}
    for i, file in enumerate(data.set.test.files):
        files[data._centre(np.array([i + len(data.set.train.files)])).numpy().tobytes()] = (
            file.split("/")
        )
    for i in range(20):
        first, second = (
            files[pairs.first[i].numpy().tobytes()],
            files[pairs.second[i].numpy().tobytes()],
        )
        assert files[pairs.truth[i].numpy().tobytes()] == [first[0], second[1]]
        assert files[pairs.truth[i + 20].numpy().tobytes()] == [second[0], first[1]]
        assert first[0] != second[0]
        assert first[1] != second[1]


def test_shots_are_other_images_of_the_class(make_folder):
    data = make(make_folder(classes=8, images=4), test_classes=("a", "b", "c"))
    one, three = data.evaluation_pairs(6), data.evaluation_pairs(6, shots=3)
    assert one.shots is None
    assert torch.equal(one.first, three.first)
    assert one.digest != three.digest == data.evaluation_pairs(6, shots=3).digest
    assert three.shots.shape == (12, 2, 3, 32, 32)
    class_of = {}
    for i, label in enumerate(data.set.test.labels):
        class_of[data._centre(np.array([i + len(data.set.train.files)])).numpy().tobytes()] = label
    real = torch.cat([three.first, three.second])
    for image, label, shots in zip(
        real, torch.cat([three.first_labels, three.second_labels]), three.shots, strict=True
    ):
        assert [class_of[shot.numpy().tobytes()] for shot in shots] == [int(label)] * 2
        assert len({values.numpy().tobytes() for values in (image, *shots)}) == 3
    with pytest.raises(DataError, match=r"eval_shots is 5; class [abc] has 4 images"):
        data.evaluation_pairs(6, shots=5)
    config = TrialConfig(
        dataset="image_folder", data={"root": str(data.set.folder)}, image_size=32, eval_shots=9
    )
    assert "eval_shots is 9" in problems_of(DATASETS["image_folder"](config), config)[0]


def test_truth_that_nobody_has(make_folder):
    folder = make_folder(classes=4, images=1)
    for i, class_ in enumerate("abcd"):
        (folder / class_ / "0.png").rename(folder / class_ / f"only{i}.png")
    with pytest.raises(DataError, match="by_name"):
        make(folder, batch=2, truth="by_name").evaluation_pairs(2)


def test_digests_follow_content_and_division(make_folder):
    folder = make_folder()
    first = make(folder)
    assert first.digest == make(folder, seed=5).digest
    assert first.digest != make(folder, test_classes=0.5).digest
    assert first.order_digest(4) == make(folder).order_digest(4)
    assert (
        len({d.order_digest(4) for d in (first, make(folder, seed=5), make(folder, flip=False))})
        == 3
    )
    Image.new("RGB", (40, 40), "red").save(folder / "a" / "0.png")
    assert make(folder).digest != first.digest


def test_a_moved_set_has_the_same_digest(make_folder):
    folder = make_folder()
    before = make(folder).digest
    assert make(folder.rename(folder.with_name("elsewhere"))).digest == before


def test_unreadable_files_are_counted_and_named_once(make_folder):
    folder = make_folder()
    for i in range(5):
        (folder / "c" / f"{i}.png").write_bytes(b"broken")
    with pytest.raises(DataError) as caught:
        make(folder).batch(0)
    text = str(caught.value)
    assert "5 images cannot be used" in text
    assert text.count("c/") == 3
    assert text.endswith("and 2 more")
    assert "\n" not in text


def test_an_unreadable_file_is_named_without_a_cache(make_folder):
    folder = make_folder()
    for file in folder.rglob("*.png"):
        file.write_bytes(b"broken")
    with pytest.raises(DataError, match=r"1 image cannot be used: \w/\d.png: not an image"):
        make(folder, cache="off").batch(0)


@pytest.mark.parametrize("mode", ["disk", "memory", "off"])
def test_the_cache_changes_no_number(make_folder, mode):
    folder = make_folder()
    expected, got = make(folder).batch(3), make(folder, cache=mode).batch(3)
    assert torch.equal(expected.content_images, got.content_images)
    assert torch.equal(expected.class_images, got.class_images)


def test_what_is_wrong_with_a_folder(tmp_path, make_folder):
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "flat" / "a.png")
    (tmp_path / "hollow" / "a").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    one = make_folder(classes=1, name="one")
    cases = {
        "": "data.root is missing",
        str(tmp_path / "missing"): "no such folder",
        str(tmp_path / "file"): "is not a folder",
        str(tmp_path / "empty"): "holds no class folders",
        str(tmp_path / "flat"): "holds no class folders",
        str(tmp_path / "hollow"): "class folders without an image: a",
        str(one): r"has 1 training class\(es\) \(a\); at least 2 are needed",
    }
    for folder, message in cases.items():
        with pytest.raises(DataError, match=message):
            make(folder)
    with pytest.raises(DataError, match="too few images: 8 for training, but a batch takes 64"):
        make(make_folder(classes=6, images=2), batch=64)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"crop": "center"}, "data.crop is 'center'; it must be one of random, centre"),
        ({"resize": 20}, "must be at least image_size, 32"),
        ({"truth": "yes"}, "data.truth"),
        ({"cache": "ram"}, "data.cache"),
        ({"workers": -1}, "data.workers"),
        ({"test_classes": 1.5}, "share must be at least 0 and below 1"),
        ({"test_classes": 0.0, "test_images": 0.0}, "test_images is 0.0"),
        ({"rooot": "x"}, "did you mean root"),
    ],
)
def test_bad_options(make_folder, data, message):
    with pytest.raises(DataError, match=message):
        make(make_folder(), **data)


def test_hidden_and_other_files_do_not_count(make_folder):
    folder = make_folder()
    before = make(folder).digest
    (folder / ".git").mkdir()
    (folder / "__MACOSX").mkdir()
    (folder / "a" / ".thumb.png").write_bytes(b"x")
    (folder / "a" / "notes.txt").write_text("x")
    (folder / "labels.csv").write_text("x")
    assert make(folder).digest == before


def test_images_at_any_depth(make_folder):
    folder = make_folder()
    deep = folder / "a" / "shoot 1"
    deep.mkdir()
    (folder / "a" / "0.png").rename(deep / "0.PNG")
    files = make(folder, test_classes=("b", "c")).set.train.files
    assert "a/shoot 1/0.PNG" in files


HOSTILE = (
    "two\nlines",
    "carriage\rreturn",
    "bell\a",
    "\x1b[31mred",
    "right\u202eto left",
    "zero\u200bwidth",
    "no\udcffutf8",
    "-rf",
    "$(touch ran)",
    "'; DROP TABLE",
    "a" * 250,
    "{name}",
    "%s%n",
    " ",
    "日本語 ñandú 🦙",
    "CON",
    "~root",
    "*?[x]",
    "#hash",
    "<script>",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_class_or_file_is_only_a_name(make_folder, name, monkeypatch):
    folder = make_folder()
    monkeypatch.chdir(folder.parent)
    (folder / "a").rename(folder / name)
    (folder / name / "0.png").rename(folder / name / f"{name[:200]}.png")
    data = make(folder, test_classes=("b", "c"))
    assert name in data.class_names
    data.batch(0)
    assert len(data.digest) == 64
    data.evaluation_pairs(2)
    (folder / name / f"{name[:200]}.png").write_bytes(b"broken")
    with pytest.raises(DataError) as caught:
        make(folder, test_classes=("b", "c")).batch(0)
    text = str(caught.value)
    text.encode()
    assert text.isprintable()
    assert len(text) < 700
    assert not (folder.parent / "ran").exists()
