"""Real photographs for the networks that were trained on such."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

SHARED = Path(os.environ.get("G2G_SHARED", Path(__file__).resolve().parents[4] / "shared"))


@pytest.fixture
def photographs() -> Callable[..., Tensor]:
    """Reader of the data folder's images, (N, 3, H, W) in [-1, 1]; skips when they are not there."""

    def read(names: list[str], box: tuple[int, int, int, int] | None = None) -> Tensor:
        paths = [SHARED / "data" / name for name in names]
        if missing := [path for path in paths if not path.exists()]:
            pytest.skip(f"{missing[0].name} is not there")
        arrays = [np.array(Image.open(path).convert("RGB").crop(box)) for path in paths]
        return torch.stack([torch.as_tensor(array).permute(2, 0, 1) / 127.5 - 1 for array in arrays])

    return read
