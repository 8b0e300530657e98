"""Checkpoints that are damaged, foreign or hostile: one clear line each, and nothing in them is
executed."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from g2g_core.checkpoints import checkpoint_file
from g2g_core.checkpoints.checkpoint import CheckpointError, parts_of, read, restore
from g2g_core.models import MODELS
from g2g_core.training.step import TrainingStep
from tests.g2g_core.tiny_funit import FUNIT, batch, config


class Hostile:
    """Would leave a file behind if it were ever unpickled."""

    def __reduce__(self):
        return os.system, ("touch ran",)


def saved(document) -> bytes:
    file = io.BytesIO()
    torch.save(document, file)
    return file.getvalue()


def loaded(data: bytes):
    return torch.load(io.BytesIO(data), weights_only=True)


def flipped(data: bytes, share: float) -> bytes:
    """One bit of the largest tensor turned, so far into it."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        tensors = [entry for entry in file.infolist() if "/data/" in entry.filename]
        largest = max(tensors, key=lambda entry: entry.file_size)
        content = file.read(largest)
    place = data.index(content) + int(share * len(content))
    return data[:place] + bytes([data[place] ^ 64]) + data[place + 1 :]


def signed(document) -> bytes:
    """A document whose checksum is right, whatever is in it."""
    return saved(
        document | {"sha256": checkpoint_file._digest(document["json"], document["tensors"])}
    )


def without(document, start: str):
    return document | {
        "tensors": {k: v for k, v in document["tensors"].items() if not k.startswith(start)}
    }


def changed(document, change: Callable[[torch.Tensor], object]):
    first = next(name for name in document["tensors"] if name.startswith("generator/"))
    return document | {"tensors": document["tensors"] | {first: change(document["tensors"][first])}}


def empty_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w"):
        pass
    return file.getvalue()


def zip_without(data: bytes, part: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            if part not in name:
                new.writestr(name, old.read(name))
    return file.getvalue()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "one byte": lambda data: data[:1],
    "first kilobyte": lambda data: data[:1000],
    "half": lambda data: data[: len(data) // 2],
    "all but the last byte": lambda data: data[:-1],
    "all but the first byte": lambda data: data[1:],
    "zeros": lambda data: bytes(len(data)),
    "a bit at the start": lambda data: flipped(data, 0.0),
    "a bit in the middle": lambda data: flipped(data, 0.5),
    "text": lambda _: b"not a checkpoint\n" * 50,
    "a pointer of git lfs": lambda _: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1bba\nsize 4690000\n"
    ),
    "a page": lambda _: b"<html><body>404 not found</body></html>",
    "a zip of nothing": lambda _: empty_zip(),
    "a zip without its pickle": lambda data: zip_without(data, "data.pkl"),
    "a zip without a tensor": lambda data: zip_without(data, "data/0"),
    "a list": lambda _: saved([1, 2]),
    "one tensor": lambda _: saved(torch.zeros(3)),
    "an empty dict": lambda _: saved({}),
    "another layout": lambda _: saved({"state_dict": {}, "epoch": 3}),
    "a later format": lambda data: saved(loaded(data) | {"format": "g2g-ablate checkpoint 99"}),
    "no checksum": lambda data: saved({k: v for k, v in loaded(data).items() if k != "sha256"}),
    "another checksum": lambda data: saved(loaded(data) | {"sha256": "0" * 64}),
    "other facts": lambda data: saved(loaded(data) | {"json": '{"step": 3}'}),
    "facts that are no json": lambda data: signed(loaded(data) | {"json": "{step"}),
    "facts that are a list": lambda data: signed(loaded(data) | {"json": "[1]"}),
    "a step in words": lambda data: signed(loaded(data) | {"json": '{"step": "many"}'}),
    "tensors that are a list": lambda data: saved(loaded(data) | {"tensors": [torch.zeros(1)]}),
    "a text among the tensors": lambda data: saved(changed(loaded(data), lambda _: "weights")),
    "no generator": lambda data: signed(without(loaded(data), "generator/")),
    "half a generator": lambda data: signed(without(loaded(data), "generator/dec")),
    "another shape": lambda data: signed(changed(loaded(data), lambda value: value[:1])),
    "not a number": lambda data: signed(changed(loaded(data), lambda value: value * float("nan"))),
    "a pickled program": lambda _: pickle.dumps(Hostile()),
    "a saved program": lambda _: saved({"gen": Hostile()}),
    "a program beside tensors": lambda data: saved(loaded(data) | {"more": Hostile()}),
    "a whole network": lambda _: saved({"gen": torch.nn.Linear(2, 2)}),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    settings = config(losses=FUNIT)
    networks = MODELS[settings.model](settings, 4)
    path = tmp_path_factory.mktemp("whole") / "whole.pt"
    step = TrainingStep(settings, networks)
    step(batch(), 0)
    checkpoint_file.write(path, parts_of(networks, step), {"step": 1})
    return path.read_bytes()


def use(path: Path) -> None:
    settings = config(losses=FUNIT)
    networks = MODELS[settings.model](settings, 4)
    restore(read(path), settings, networks, TrainingStep(settings, networks))


def test_the_whole_one_is_fine(whole, tmp_path):
    path = tmp_path / "whole.pt"
    path.write_bytes(whole)
    use(path)


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_is_one_clear_line(whole, damage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "damaged.pt"
    path.write_bytes(DAMAGE[damage](whole))
    with pytest.raises(CheckpointError) as caught:
        use(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 700
    assert not (tmp_path / "ran").exists()


def test_the_command_ends_with_2_and_starts_nothing(whole, tmp_path):
    from typer.testing import CliRunner

    from ablate.cli import app

    for damage in ("half", "a saved program", "another shape"):
        path = tmp_path / "damaged.pt"
        path.write_bytes(DAMAGE[damage](whole))
        words = [
            "run",
            "quickstart",
            "--set",
            f"base.checkpoint={path}",
            "--out",
            str(tmp_path / "out"),
            "--workers",
            "0",
        ]
        result = CliRunner().invoke(app, words)
        assert not list(tmp_path.rglob("history.jsonl")), json.dumps(result.output)
        assert result.exception is not None
