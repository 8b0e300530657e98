from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, preflight


def problems(folder, **data):
    config = TrialConfig(
        dataset="image_folder", data={"root": str(folder), **data}, image_size=32, batch_size=4, eval_pairs=3
    )
    return preflight(config)


def test_nothing_wrong(make_folder):
    assert problems(make_folder()) == []
    assert preflight(TrialConfig()) == []


def test_a_bad_option_or_folder_is_a_problem(tmp_path):
    assert "no such folder" in problems(tmp_path / "missing")[0]
    assert "did you mean" in preflight(TrialConfig(data={"clases": 4}))[0]


def test_unreadable_images_are_found_before_anything_starts(make_folder):
    folder = make_folder()
    (folder / "c" / "1.png").write_bytes(b"broken")
    for mode in ("disk", "memory", "off"):
        (found,) = problems(folder, cache=mode)
        assert "1 image cannot be used: c/1.png" in found


def test_truth_that_is_not_there(make_folder):
    folder = make_folder(classes=4, images=1)
    for i, class_ in enumerate("abcd"):
        (folder / class_ / "0.png").rename(folder / class_ / f"{i}.png")
    (found,) = preflight(
        TrialConfig(
            dataset="image_folder",
            data={"root": str(folder), "truth": "by_name"},
            image_size=32,
            batch_size=2,
            eval_pairs=3,
        )
    )
    assert "by_name" in found


def test_every_dataset_of_the_menu_answers():
    for name in DATASETS:
        assert isinstance(preflight(TrialConfig(dataset=name)), list)
