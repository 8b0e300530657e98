"""Whether a study's folder can be written safely, and has room for what the study will leave."""

import os
import shutil
from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.study.nouns import StudyError

LEAST_ROOM = 50 * 2**20
"""Bytes that must be free before anything starts, for tables, images, and the report."""


def writable(folder: Path) -> None:
    """Make the study folder.

    Raises:
        StudyError: the folder can't be written, or has links in it.
    """
    no_links(folder)
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


def no_links(folder: Path) -> None:
    """Refuse a study's folder with symbolic links in it.

    Somebody else may have planted them in a shared folder, and what a study writes or deletes would
    be a file somewhere else. The study's folder itself and those above it may be links.

    Args:
        folder: the study folder; a missing one is fine.

    Raises:
        StudyError: a link is in the folder, in `trials`, or in a trial's folder.
    """
    study = StudyFolder(folder)
    inside = [study.path, study.report, study.trials]
    if study.trials.is_dir() and not study.trials.is_symlink():
        inside += [Path(entry.path) for entry in os.scandir(study.trials) if not entry.is_symlink()]

    for place in inside:
        if not place.is_dir():
            continue
        with os.scandir(place) as entries:
            link = next((Path(entry.path) for entry in entries if entry.is_symlink()), None)
        if link is not None:
            raise StudyError(
                f"--out: {link}: is a symbolic link to {link.readlink()}, and links inside a "
                "study's folder are not followed; remove it"
            )


def enough_room(folder: Path, checkpoints: int) -> None:
    """Refuse a study that would fill the disk.

    Args:
        folder: the study folder.
        checkpoints: size of the checkpoints of all trials to run, in bytes; 0: none, or not known.

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
