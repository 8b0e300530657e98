"""The archive to hand in, of a real folder of a finished study."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from ablate.results.pack import Packed, pack
from ablate.study.nouns import StudyError
from reports import headline, load_results

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "study_0_1_0" / "earlier"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture, with files in a trial's folder that nobody wants to hand in."""
    tmp_path = tmp_path_factory.mktemp("out")
    folder = tmp_path / "earlier.v2"
    shutil.copytree(FIXTURE, folder)
    trial = sorted((folder / "trials").iterdir())[0]
    (trial / "checkpoints").mkdir()
    (trial / "checkpoints" / "step_00000004.pt").write_bytes(b"x" * 100)
    (trial / "private.txt").write_text("what a program wrote")
    (trial / "traceback.txt").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("outside")
    return folder


@pytest.fixture(scope="module")
def packed(study: Path) -> Packed:
    return pack(study)


def test_the_archive_reports_as_the_folder_does_and_shows_no_picture(
    study: Path, packed: Packed, tmp_path: Path
) -> None:
    assert packed.path == study.parent / "earlier.v2.zip"
    with zipfile.ZipFile(packed.path) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == packed.files
        archive.extractall(tmp_path / "there")
    copy = tmp_path / "there" / "earlier.v2"
    assert headline(load_results(copy)) == headline(load_results(study))
    page = (copy / "report" / "index.html").read_text(encoding="utf-8")
    assert "data:image" not in page
    assert not list(copy.rglob("*.png"))
    assert (copy / "report" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_only_the_files_of_a_study_are_packed_with_their_digests(
    study: Path, packed: Packed
) -> None:
    with zipfile.ZipFile(packed.path) as archive:
        digests = json.loads(archive.read("earlier.v2/manifest.json"))["files"]
        names = {name.removeprefix("earlier.v2/") for name in archive.namelist()}
        assert names == {*digests, "manifest.json"}
        for name, digest in digests.items():
            assert hashlib.sha256(archive.read(f"earlier.v2/{name}")).hexdigest() == digest
    assert {"study.yaml", "plan.json", "trials.csv", "report/index.html"} <= names
    trial = sorted((study / "trials").iterdir())[0].name
    of_the_trial = {name for name in names if name.startswith(f"trials/{trial}/")}
    assert of_the_trial == {f"trials/{trial}/trial.json", f"trials/{trial}/history.jsonl"}


def test_pictures_come_when_they_are_asked_for(study: Path, tmp_path: Path) -> None:
    whole = pack(study, tmp_path / "with.zip", images=True)
    with zipfile.ZipFile(whole.path) as archive:
        assert any(name.endswith(".png") for name in archive.namelist())
        assert b"data:image" in archive.read("earlier.v2/report/index.html")


def test_a_file_that_is_no_archive_is_not_replaced(study: Path, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.doc"
    thesis.write_text("years of work")
    with pytest.raises(StudyError, match="is not an archive"):
        pack(study, thesis)
    assert thesis.read_text() == "years of work"
