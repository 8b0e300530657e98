"""What all tests share."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a GPU where there is none that torch can use."""
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if not needing:
        return
    import torch

    if not torch.cuda.is_available():
        for item in needing:
            item.add_marker(pytest.mark.skip(reason="needs a GPU that torch can use"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no other modules where only slow tests run: each process would take half a minute."""
    if config.option.markexpr != "slow" or not collection_path.match("test_*.py"):
        return None
    return None if "mark.slow" in collection_path.read_text(encoding="utf-8") else True


@pytest.fixture(scope="session", autouse=True)
def own_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Studies that run on this machine, or in another test process, do not keep those of the tests
    from starting."""
    os.environ["G2G_ABLATE_REGISTRY"] = str(tmp_path_factory.mktemp("registry"))
    yield
    del os.environ["G2G_ABLATE_REGISTRY"]


@pytest.fixture
def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The console script's own function, called in this process with the words of a command: what
    a process of its own takes seconds to import is there."""
    from ablate.cli import main

    def call(*words: str, where: Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(where)
        monkeypatch.setattr("sys.argv", ["g2g-ablate", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, ended.value.code, said.out, said.err)

    return call


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a complete folder: classes `a`, `b`, ...; images `0.png`, ... of
    random pixels."""

    def make(
        classes: int = 6, images: int = 5, size: tuple[int, int] = (40, 48), name: str = "set"
    ) -> Path:
        root = tmp_path / name
        rng = np.random.default_rng(0)
        for c in range(classes):
            folder = root / "abcdefghijklmnop"[c]
            folder.mkdir(parents=True)
            for i in range(images):
                pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
        return root

    return make
