"""Packs a study into one archive to hand in, without checkpoints and, unless asked, photographs."""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.planning import ledger
from ablate.planning.plan_file import read_plan
from ablate.results import tables
from ablate.study.nouns import StudyError
from g2g_base import atomic
from reports.documents.ledger import NAME

FORMATS = ("html", "pdf", "text", "latex", "csv")


@dataclass(frozen=True)
class Packed:
    """An archive that was written.

    Attributes:
        path: the archive, a ZIP file.
        files: number of files in it.
        size: its size in bytes.
    """

    path: Path
    files: int
    size: int


def pack(folder: Path, to: Path | None = None, images: bool = False) -> Packed:
    """Write an archive of a study's plan, ledger, trials, tables, and report.

    The archive has one folder, which `report` can read again, and a `manifest.json` with the
    SHA-256 of every file. Symbolic links are left out.

    Args:
        folder: `OUT/<study>`.
        to: the archive to write; None: `<study>.zip` next to the study's folder.
        images: take the trials' images along. Without them, the report in the archive is built
            again without pictures, because they may show photographs of people.

    Raises:
        StudyError: the folder holds no study, or the archive can't be written.
    """
    read_plan(folder)
    whole = folder.resolve()
    archive = to or whole.with_name(f"{whole.name}.zip")  # a study's name may have dots
    if archive.exists() and not zipfile.is_zipfile(archive):
        raise StudyError(f"--to: {archive}: exists and is not an archive; choose another name")

    from reports import build_report, load_results

    if not tables.up_to_date(folder):
        tables.gather(folder)
    ledger.record_look(folder)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / whole.name
        for file in _chosen(folder, images):
            target = copy / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

        # The page embeds its pictures, so a report without them has to be built.
        build_report(load_results(copy), StudyFolder(copy).report, FORMATS)
        files = _written(copy)
        try:
            atomic.replace(archive, lambda part: _zip(part, copy, files))
        except OSError as error:
            raise StudyError(f"--to: {archive}: cannot be written: {error.strerror}") from None
    return Packed(archive, len(files) + 1, archive.stat().st_size)


def _chosen(folder: Path, images: bool) -> Iterator[Path]:
    """Yield the files of a study that are packed: known ones only, as programs write others."""
    study = StudyFolder(folder)
    of_the_study = (
        study.study,
        study.resolved,
        study.plan,
        study.plan_table,
        folder / NAME,
        study.registration,
        study.checked,
        study.pilot,
        study.trials_table,
        study.history_table,
    )
    yield from filter(_is_own, of_the_study)

    for path in sorted(study.trials.iterdir()) if study.trials.is_dir() else ():
        trial = TrialFolder(path)
        yield from filter(_is_own, (trial.document, trial.journal, trial.traceback))
        if images and trial.images.is_dir():
            yield from filter(_is_own, sorted(trial.images.iterdir()))


def _is_own(path: Path) -> bool:
    """Return whether the path is a file, and not a link to a file somewhere else."""
    return path.is_file() and not path.is_symlink()


def _written(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder, by its path in the folder."""
    files = sorted(Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def _zip(archive: Path, folder: Path, files: dict[str, str]) -> None:
    """Write the files of a folder and their digests into an archive."""
    manifest = json.dumps({"files": files}, indent=1, ensure_ascii=False)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name in files:
            target.write(folder / name, f"{folder.name}/{name}")
        target.writestr(f"{folder.name}/manifest.json", manifest)
