"""The checkpoint file of G2G-Ablate: tensors and JSON, written in one piece, with a checksum."""

import hashlib
import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from g2g_base import atomic
from g2g_core.checkpoints.kind import oddity

FORMAT = "g2g-ablate checkpoint 1"
KEPT = 2
"""Number of checkpoints kept per trial."""
PATTERN = "step_*.pt"
FORKS = "forks"
"""Folder, next to a run's own checkpoints, of those that stay for other runs."""

Tensors = Mapping[str, Tensor]
Part = dict[str, Tensor]


class CheckpointError(ValueError):
    """A checkpoint that cannot be used.

    The message is a single line: where the problem is, what is wrong, and what was expected.
    """


@dataclass(frozen=True)
class Saved:
    """The content of a checkpoint file.

    Attributes:
        path: the file.
        layout: name of the file's layout, for messages and reports.
        parts: part (`generator`, `average`, `discriminator`, `optimizers`) -> name -> tensor on the
            CPU. Optimizer states are named `<network>/<parameter>/<state>`.
        facts: JSON-ready facts stored with the tensors: `step`, `config`, `n_classes`, `restored`.
    """

    path: Path
    layout: str
    parts: Mapping[str, Tensors]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """Number of completed steps; 0 if the file does not state it."""
        return int(self.facts.get("step", 0))


def write(path: Path, parts: Mapping[str, Tensors], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint completely or not at all, even if the machine stops.

    Args:
        path: the file; its folder is created if it is missing.
        parts: see `Saved`.
        facts: JSON-ready; see `Saved`.

    Raises:
        OSError: the disk is full, or the folder is not writable.
    """
    tensors = {
        f"{part}/{name}": value.detach().cpu()
        for part, named in parts.items()
        for name, value in named.items()
    }

    text = json.dumps(dict(facts), sort_keys=True, allow_nan=False)
    document = {
        "format": FORMAT,
        "json": text,
        "sha256": _digest(text, tensors),
        "tensors": tensors,
    }

    def write(part: Path) -> None:
        # Given a path, torch would write the temporary name into the file.
        with part.open("wb") as file:
            torch.save(document, file)

    atomic.replace(path, write)


def parse(path: Path, document: Mapping[str, Any]) -> Saved:
    """Return the checkpoint in a document that `load_document` has read.

    Args:
        path: the file, for messages.
        document: its content.

    Raises:
        CheckpointError: the format is unknown, an entry is missing, or the checksum is wrong.
    """
    if document["format"] != FORMAT:
        raise CheckpointError(
            f"{path}: its format is {document['format']!r}; this version reads {FORMAT!r}"
        )

    try:
        text, tensors = document["json"], document["tensors"]
        intact = document["sha256"] == _digest(text, tensors)
        facts = json.loads(text)
        int(facts.get("step", 0))
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged: {error}") from error
    if not intact:
        raise CheckpointError(f"{path}: damaged: its checksum does not match its content")

    parts: dict[str, Part] = {}
    for key, value in tensors.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = value
    return Saved(path, "g2g-ablate", parts, facts)


def load_document(path: Path) -> Mapping[str, Any]:
    """Return the content of any `torch.save` file of tensors and plain values.

    Raises:
        CheckpointError: the file does not exist, cannot be read, or contains anything else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    if wrong := oddity(path):
        raise CheckpointError(f"{path}: {wrong}")
    try:
        # torch warns of pickles that it is about to refuse
        with warnings.catch_warnings(action="ignore"):
            document = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's message advises loading the file unsafely, so this message replaces it.
        what = "it is damaged, or holds more than tensors and plain values"
        raise CheckpointError(f"{path}: not a readable checkpoint: {what}") from error
    except Exception as error:
        # Truncated files and files of other programs raise a dozen kinds of errors.
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        raise CheckpointError(f"{path}: not a readable checkpoint: {line}") from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path}: not a checkpoint: it holds a {type(document).__name__}")
    return document


def step_file(folder: Path, step: int) -> Path:
    """Return the path of a trial's checkpoint after a step."""
    return folder / f"step_{step:08d}.pt"


def fork_file(folder: Path, step: int) -> Path:
    """Return the path of a trial's checkpoint after a step that stays for other trials."""
    return step_file(folder / FORKS, step)


def drop_old(folder: Path) -> None:
    """Delete all but the two newest checkpoints of a trial, and what interrupted writes left."""
    for path in sorted(folder.glob(PATTERN))[:-KEPT]:
        path.unlink(missing_ok=True)
    for path in folder.glob(f".{PATTERN}.*.part"):
        path.unlink(missing_ok=True)


def newest(folder: Path) -> tuple[Saved | None, list[str]]:
    """Return the newest intact checkpoint of a trial.

    Returns:
        The checkpoint, or None if no file is intact, and one message for each newer, damaged file.
    """
    damaged: list[str] = []
    for path in sorted(folder.glob(PATTERN), reverse=True):
        try:
            return parse(path, load_document(path)), damaged
        except (CheckpointError, KeyError) as error:
            damaged.append(str(error))
    return None, damaged


def tensors_digest(tensors: Tensors) -> str:
    """Return the SHA-256 (hex) of named tensors, regardless of their order and device."""
    return _digest("", {name: value.detach().cpu() for name, value in tensors.items()})


def _digest(text: str, tensors: Tensors) -> str:
    """Return the SHA-256 (hex) of a text and of named tensors on the CPU, sorted by name."""
    total = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        total.update(f"{name};{value.dtype};{tuple(value.shape)};".encode())
        total.update(memoryview(value.reshape(-1).view(torch.uint8).numpy()))  # type: ignore[arg-type]
    return total.hexdigest()
