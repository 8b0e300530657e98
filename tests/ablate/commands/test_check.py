import json
import os
import shutil

import pytest
import yaml
from PIL import Image


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(make_folder):
    root = make_folder(classes=6, images=4)
    Image.new("RGB", (48, 40), "white").save(root / "b" / "2.png")
    return root


def test_a_folder_is_checked_and_shown(called, folder, tmp_path):
    done = called("check", "set", "--size", "32", where=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "set: 24 images in 6 classes, 8 of them for evaluation",
        "blank: 1",
        "  b/2.png (every pixel is #ffffff)",
        "check.html",
    ]
    page = (tmp_path / "check.html").read_text()
    assert "b/2.png" in page
    assert "data:image/jpeg;base64," in page
    assert called("check", "set", "-q", where=tmp_path).stderr == ""  # its own page is replaced

    (tmp_path / "mine.html").write_text("mine")
    done = called("check", "set", "--sheet", "mine.html", where=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "g2g-ablate: --sheet: mine.html: exists, and was not written by g2g-ablate"
    )
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_json_and_nothing_suspicious(called, folder, tmp_path):
    done = called("check", "set", "--json", where=tmp_path)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    (data,) = said["datasets"]
    assert data["suspects"] == [
        {"kind": "blank", "files": ["b/2.png"], "why": "every pixel is #ffffff"}
    ]
    assert said["sheet"] is None
    assert not (tmp_path / "check.html").exists()
    (folder / "b" / "2.png").unlink()
    done = called("check", "set", where=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no image looks suspicious")
    assert not (tmp_path / "check.html").exists()


def test_names_that_are_no_text(called, folder, tmp_path):
    name = os.fsdecode(b"\xff<b>\n.png")
    try:
        shutil.copy(folder / "b" / "2.png", folder / "a" / name)
    except OSError:
        pytest.skip("the file system refuses the name")
    done = called("check", "set", where=tmp_path)
    assert done.returncode == 1
    assert r"  'a/\udcff<b>\n.png' (every pixel is #ffffff)" in done.stdout.splitlines()
    assert "<b>" not in (tmp_path / "check.html").read_text()
    said = json.loads(called("check", "set", "--json", where=tmp_path).stdout)
    assert [r"'a/\udcff<b>\n.png'"] in [one["files"] for one in said["datasets"][0]["suspects"]]


def test_plan_names_the_images_and_the_command_that_shows_them(called, folder, tmp_path):
    shutil.copy(folder / "c" / "0.png", folder / "e" / "7.png")
    study = {
        "name": "own",
        "base": {
            "dataset": "image_folder",
            "data": {"root": "set"},
            "image_size": 32,
            "losses": {"short_recon": 0.1},
        },
        "factors": {"rate": {"path": "lr_generator", "levels": [1e-4, 2e-4]}},
        "seeds": [0],
        "outcome": {"metric": "short_l1"},
    }
    (tmp_path / "my study.yaml").write_text(yaml.safe_dump(study))
    done = called("plan", "my study.yaml", where=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "suspicious" in line]
    assert line.endswith(
        "set: 3 of 25 images look suspicious: blank: b/2.png; the same image in two classes: "
        "c/0.png = e/7.png; to see all: g2g-ablate check 'my study.yaml'"
    )
    assert json.loads(called("plan", "my study.yaml", "--json", where=tmp_path).stdout)[
        "cautions"
    ] == [line]
    said = json.loads(called("check", "my study.yaml", "--json", where=tmp_path).stdout)
    assert [suspect["kind"] for suspect in said["datasets"][0]["suspects"]] == [
        "blank",
        "two_classes",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "nothing: no such study file"),
        (["set/none"], "set/none: no such folder or study file"),
        (["set", "--set", "base.image_size=8"], "--set: goes with a study, not with a folder"),
        (["set", "--test-list", "a.txt"], "--test-list: goes with --train-list"),
        (["set/a"], "holds no class folders"),
    ],
)
def test_mistakes_are_one_line(called, folder, tmp_path, words, message):
    done = called("check", *words, where=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
