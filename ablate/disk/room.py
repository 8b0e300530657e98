"""Whether a study's folder can be written, and has room for what the study will leave."""

import shutil
from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.study.nouns import StudyError

LEAST_ROOM = 50 * 2**20
"""Bytes that must be free before anything starts, for tables, images, and the report."""


def writable(folder: Path) -> None:
    """Make the study folder.

    Raises:
        StudyError: the folder can't be written, or the disk has too little space.
    """
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise StudyError(f"--out: {str(folder)!r}: must be a name in UTF-8") from None
    try:
        (StudyFolder(folder).trials).mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_text("")
        probe.unlink(missing_ok=True)  # another command may remove it at the same time
    except OSError as error:
        raise StudyError(f"--out: {folder}: cannot be written: {error.strerror}") from None
    enough_room(folder, 0)


def enough_room(folder: Path, checkpoints: int) -> None:
    """Refuse a study that would fill the disk.

    Args:
        folder: the study folder.
        checkpoints: size of the checkpoints of all trials to run, in bytes.

    Raises:
        StudyError: the disk has no space for them and `LEAST_ROOM`.
    """
    free, needed = shutil.disk_usage(folder).free, checkpoints + LEAST_ROOM
    if free < needed:
        what = (
            f"the checkpoints of the trials to run need {needed / 2**20:.0f} MB, "
            if checkpoints
            else ""
        )
        raise StudyError(f"--out: {folder}: {what}only {free / 2**20:.0f} MB are left on the disk")
