"""Digests of the content of files, remembered by the files' sizes and times of change."""

from pathlib import Path

from ablate.study.identity import digest, dumps
from g2g_core.hashing import file_digests


def file_digest(*files: Path) -> str | None:
    """Return one digest of the content of some files, or None if one of them can't be read.

    Args:
        files: one or more files, all in the same folder.
    """
    digests = file_digests(files[0].parent, [file.name for file in files])
    return None if "missing" in digests else digest(dumps(digests))


def folder_digest(folder: Path) -> str | None:
    """Return the digest of names and content of all files below a folder; None without files."""
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    return digest(dumps([names, file_digests(folder, names)])) if names else None
