import pytest

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.preflight import problems_of


def found(config):
    return problems_of(DATASETS[config.dataset](config), config)


def problems(folder, **data):
    return found(
        TrialConfig(
            dataset="image_folder",
            data={"root": str(folder), **data},
            image_size=32,
            batch_size=2,
            eval_pairs=3,
        )
    )


def test_nothing_wrong(make_folder):
    assert problems(make_folder()) == []
    assert found(TrialConfig()) == []


def test_a_bad_option_or_folder_is_told_when_the_set_is_made(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        problems(tmp_path / "missing")
    with pytest.raises(DataError, match="did you mean"):
        found(TrialConfig(data={"clases": 4}))


def test_unreadable_images_are_found_before_anything_starts(make_folder):
    folder = make_folder()
    (folder / "c" / "1.png").write_bytes(b"broken")
    for mode in ("disk", "memory", "off"):
        (line,) = problems(folder, cache=mode)
        assert "1 image cannot be used: c/1.png" in line


def test_truth_that_is_not_there(make_folder):
    folder = make_folder(classes=4, images=1)
    for i, class_ in enumerate("abcd"):
        (folder / class_ / "0.png").rename(folder / class_ / f"{i}.png")
    (line,) = problems(folder, truth="by_name")
    assert "by_name" in line
