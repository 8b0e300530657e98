"""Small made folders of images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("G2G_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def make_folder(tmp_path):
    """A function that writes a complete folder: classes `a`, `b`, ...; images `0.png`, ... of random pixels."""

    def make(classes=6, images=5, size=(40, 48), name="set") -> Path:
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
