"""Our checkpoint file: tensors and JSON, written in one piece, with a checksum."""

import hashlib
import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FORMAT = "g2g-ablate checkpoint 1"
KEPT = 2
PATTERN = "step_*.pt"

Tensors = Mapping[str, Tensor]
Part = dict[str, Tensor]


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; one line that says what, where, and what would be right."""


@dataclass(frozen=True)
class Saved:
    """What a checkpoint file holds.

    Attributes:
        path: the file.
        layout: how it is laid out, in words.
        parts: part (`generator`, `average`, `discriminator`, `optimizers`) -> name -> tensor on the
            CPU. Optimizer states are named `<network>/<parameter>/<state>`.
        facts: JSON-ready facts beside the tensors: `step`, `config`, `n_classes`, `restored`.
    """

    path: Path
    layout: str
    parts: Mapping[str, Tensors]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """Completed steps; 0 where the file does not say."""
        return int(self.facts.get("step", 0))


def write(path: Path, parts: Mapping[str, Tensors], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint: whole or not at all, even when the machine stops.

    Args:
        path: the file; its folder is made when missing.
        parts: see `Saved`.
        facts: JSON-ready; see `Saved`.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    tensors = {
        f"{part}/{name}": value.detach().cpu()
        for part, named in parts.items()
        for name, value in named.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.parent / f".{path.name}.{os.getpid()}.part"
    text = json.dumps(dict(facts), sort_keys=True, allow_nan=False)
    document = {
        "format": FORMAT,
        "json": text,
        "sha256": _digest(text, tensors),
        "tensors": tensors,
    }
    try:
        with scratch.open("wb") as file:
            torch.save(document, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def parse(path: Path, document: Mapping[str, Any]) -> Saved:
    """Our checkpoint from what `torch.load` gave; raises CheckpointError if its checksum is
    another."""
    if document["format"] != FORMAT:
        raise CheckpointError(
            f"{path}: its format is {document['format']!r}; this version reads {FORMAT!r}"
        )
    try:
        text, tensors = document["json"], document["tensors"]
        whole = document["sha256"] == _digest(text, tensors)
        facts = json.loads(text)
        int(facts.get("step", 0))
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged: {error}") from error
    if not whole:
        raise CheckpointError(f"{path}: damaged: its checksum does not match its content")
    parts: dict[str, Part] = {}
    for key, value in tensors.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = value
    return Saved(path, "g2g-ablate", parts, facts)


def load_document(path: Path) -> Mapping[str, Any]:
    """The content of any `torch.save` file of tensors and plain values.

    Raises:
        CheckpointError: the file is not there, cannot be read, or holds anything else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # torch's words advise to load it unsafely
        what = "it is damaged, or holds more than tensors and plain values"
        raise CheckpointError(f"{path}: not a readable checkpoint: {what}") from error
    except Exception as error:  # truncated and foreign files raise a dozen kinds
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        raise CheckpointError(f"{path}: not a readable checkpoint: {line}") from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path}: not a checkpoint: it holds a {type(document).__name__}")
    return document


def step_file(folder: Path, step: int) -> Path:
    """The file of a run's checkpoint after a step."""
    return folder / f"step_{step:08d}.pt"


def drop_old(folder: Path) -> None:
    """Keep the two newest checkpoints of a run, and nothing of writes that were cut off."""
    for path in sorted(folder.glob(PATTERN))[:-KEPT]:
        path.unlink(missing_ok=True)
    for path in folder.glob(f".{PATTERN}.*.part"):
        path.unlink(missing_ok=True)


def newest(folder: Path) -> tuple[Saved | None, list[str]]:
    """The newest checkpoint of a run that is whole, and what is wrong with the newer ones, a line
    each."""
    damaged: list[str] = []
    for path in sorted(folder.glob(PATTERN), reverse=True):
        try:
            return parse(path, load_document(path)), damaged
        except (CheckpointError, KeyError) as error:
            damaged.append(str(error))
    return None, damaged


def tensors_digest(tensors: Tensors) -> str:
    """SHA-256 (hex) of named tensors, whatever their order and device."""
    return _digest("", {name: value.detach().cpu() for name, value in tensors.items()})


def _digest(text: str, tensors: Tensors) -> str:
    total = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        total.update(f"{name};{value.dtype};{tuple(value.shape)};".encode())
        total.update(memoryview(value.reshape(-1).view(torch.uint8).numpy()))  # type: ignore[arg-type]
    return total.hexdigest()
