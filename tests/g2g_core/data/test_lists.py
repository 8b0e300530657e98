import pytest

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError


def make(folder, train, test="", **data):
    data = {"root": str(folder), "train_list": str(train), "test_list": str(test), **data}
    return DATASETS["list_files"](
        TrialConfig(dataset="list_files", data=data, image_size=32, batch_size=2)
    )


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_labels_count_the_classes_of_each_list(make_folder, tmp_path):
    folder = make_folder()
    train = write(tmp_path / "train.txt", "d/0.png", "b/1.png", "", "d/2.png", "f/0.png")
    test = write(tmp_path / "test.txt", "c/3.png", "a/0.png")
    data = make(folder, train, test)
    assert data.class_names == ("b", "d", "f")
    assert data.set.train.labels == (1, 0, 1, 2)
    assert data.set.test.class_names == ("a", "c")
    assert data.set.test.labels == (1, 0)
    assert data.evaluation_pairs(2).split == "test"


def test_without_a_test_list_images_are_kept(make_folder, tmp_path):
    train = write(tmp_path / "train.txt", *(f"{c}/{i}.png" for c in "abc" for i in range(5)))
    data = make(make_folder(), train)
    assert len(data.set.test.files) == 3
    assert data.evaluation_pairs(2).split == "train"


def test_known_test_classes_keep_their_labels(make_folder, tmp_path):
    train = write(tmp_path / "train.txt", "a/0.png", "b/1.png", "c/2.png")
    test = write(tmp_path / "test.txt", "c/0.png", "b/0.png")
    data = make(make_folder(), train, test)
    assert data.set.test.labels == (2, 1)
    assert data.evaluation_pairs(1).class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a/0.png", "0.png"], r"train.txt:2: '0.png' is not class/file"),
        (["a/0.png", "", "/etc/passwd"], r"train.txt:3: '/etc/passwd' is not class/file"),
        (["../set/a/0.png"], r"train.txt:1: .* is not class/file"),
        (["a/../../x.png"], r"train.txt:1"),
        (["a/\0.png"], r"train.txt:1"),
        (["a/0.png", "b/9.png", "z/0.png"], r"2 of 3 files are not below .*: b/9.png, z/0.png"),
        ([""], "lists no files"),
        (["a/0.png", "a/1.png"], r"1 training class\(es\)"),
    ],
)
def test_bad_lines(make_folder, tmp_path, lines, message):
    train = write(tmp_path / "train.txt", *lines)
    with pytest.raises(DataError, match=message) as caught:
        make(make_folder(), train)
    assert "\n" not in str(caught.value)


def test_bad_lists(make_folder, tmp_path):
    folder = make_folder()
    train = write(tmp_path / "train.txt", "a/0.png", "b/1.png")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x80")
    cases = [
        (make_folder, "", "", "data.train_list is missing"),
        (folder, tmp_path / "no.txt", "", "data.train_list: .*No such file"),
        (folder, tmp_path, "", "data.train_list: .*directory"),
        (folder, tmp_path / "binary.txt", "", "not a text file"),
        (
            folder,
            train,
            write(tmp_path / "mixed.txt", "a/1.png", "c/0.png"),
            "all new or all known",
        ),
        (
            folder,
            train,
            write(tmp_path / "same.txt", "a/0.png", "b/0.png"),
            "1 files are in .* too: a/0.png",
        ),
    ]
    for _, first, second, message in cases:
        with pytest.raises(DataError, match=message):
            make(folder, first, second)
