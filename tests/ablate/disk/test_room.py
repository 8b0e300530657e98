"""Folders that can't be written safely."""

from pathlib import Path

import pytest

from ablate.disk.room import writable
from ablate.study.nouns import StudyError


@pytest.mark.parametrize(
    "place", [".lock", "report", "plan.json", "report/data", "trials/ab12", "trials/ab12/images"]
)
def test_links_inside_a_study_are_named_and_not_followed(tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tmp_path / "out" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(StudyError) as refused:
        writable(tmp_path / "out")
    assert f"--out: {link}: is a symbolic link to {outside}" in str(refused.value)
    assert not list(outside.iterdir())


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    writable(tmp_path / "out")
    assert (tmp_path / "disk" / "trials").is_dir()
