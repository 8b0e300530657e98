"""Digests of files that are stored, and files that change behind their back."""

import os
from pathlib import Path

import pytest

from g2g_core.hashing import file_digests


@pytest.mark.parametrize("seconds", [0, 4_000_000_000])
def test_new_content_with_the_size_and_time_of_the_old_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """`cp -p` and archives bring the time of another file along, also one of the future."""
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "image"
    digests = []
    for content in (b"old", b"old", b"new"):
        file.write_bytes(content)
        os.utime(file, (seconds, seconds))
        digests += file_digests(tmp_path, ["image", "none"])
    assert digests[0] == digests[2] != digests[4]
    assert digests[1] == digests[5] == "missing"
