"""Files that are not checkpoints, told from their first bytes."""

import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from g2g_core.checkpoints.kind import oddity

BUNDLED = Path(__file__).resolve().parents[3] / "studies" / "checkpoints"


@pytest.mark.parametrize("new", [True, False])
def test_what_torch_saves_may_be_one(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "x.pt"
    torch.save({"a": torch.zeros(2)}, path, _use_new_zipfile_serialization=new)
    assert oddity(path) is None


def test_the_bundled_ones_may_be_one() -> None:
    files = sorted(BUNDLED.glob("*.pt"))
    assert files
    assert [oddity(file) for file in files] == [None] * len(files)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello", "is not a checkpoint, or is cut off"),
        (b"PK\x03\x04 cut", "is not a checkpoint, or is cut off"),
        (pickle.dumps([1], protocol=0), "is not a checkpoint, or is cut off"),
    ],
)
def test_others_are_told_why(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    assert oddity(path) == words


def test_a_cut_download_and_another_archive(tmp_path: Path) -> None:
    whole = tmp_path / "whole.pt"
    torch.save({"a": torch.zeros(2000)}, whole)
    whole.write_bytes(whole.read_bytes()[:-100])
    assert oddity(whole) == "is not a checkpoint, or is cut off"
    other = tmp_path / "paper.docx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert oddity(other) == "is an archive, but not a checkpoint"
