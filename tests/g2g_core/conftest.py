"""Golden numbers of the authors' code: where they are, and the rule that fills weights and
images."""

import os
import zlib
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

# Before any test: torch counts its devices at a process's first backward pass, and never again.
_setup_privateuseone_for_python_backend("fakegpu")

TESTS = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("G2G_SHARED", TESTS.parents[1] / "shared"))


def uniform(name: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Numbers in [-1, 1) that depend on the name and the seed alone (splitmix64 of a CRC)."""
    count = int(np.prod(shape)) if shape else 1
    key = (zlib.crc32(name.encode()) + seed * 0x9E3779B1) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        z = np.uint64(key << 32) + np.arange(count, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0).reshape(shape)


def weight(
    name: str, shape: tuple[int, ...], seed: int = 0, batch_norm: bool = False
) -> np.ndarray:
    """The value of the parameter or buffer `name`, its prefix included."""
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape)
    u = uniform(name, shape, seed)
    if name.endswith("running_mean"):
        return 0.1 * u
    if name.endswith("running_var"):
        return 1.0 + 0.5 * u
    if len(shape) >= 2:
        return u * np.sqrt(6.0 / int(np.prod(shape[1:])))
    return 1.0 + 0.1 * u if batch_norm else 0.1 * u


class Golden:
    """Golden numbers as tensors and comparisons.

    Of the same numbers there may be several files: the part that is kept with the tests, and the
    whole; what is in both is compared with both. `partial`: only some of the numbers were kept.
    """

    def __init__(self, *files: Mapping[str, np.ndarray], partial: bool = False) -> None:
        self.files = files
        self.arrays = dict(ChainMap(*files))
        self.keys = list(self.arrays)
        self.partial = partial
        self.compared = [0] * len(files)

    def __getitem__(self, key: str) -> Tensor:
        return torch.as_tensor(np.asarray(self.arrays[key]))

    def below(self, prefix: str) -> dict[str, Tensor]:
        """Everything under `prefix`, by the rest of its key; digests are left out."""
        return {
            k.removeprefix(prefix): self[k]
            for k in self.keys
            if k.startswith(prefix) and "#" not in k
        }

    def same(self, key: str, value: Tensor, *, rtol: float = 1e-9, atol: float = 0.0) -> None:
        """Assert that `value` is the golden one; relative to the largest golden number."""
        there = [i for i, file in enumerate(self.files) if key in file or key + "#val" in file]
        assert there or self.partial, f"no golden number {key}"
        for i in there:
            self.compared[i] += 1
        for i in there:
            compare(self.files[i], key, value, rtol, atol)


def compare(
    file: Mapping[str, np.ndarray], key: str, value: Tensor, rtol: float, atol: float
) -> None:
    """Assert that `value` is what one file has under `key`: every number, or a digest of them."""
    if key + "#val" in file:
        shape, stats, at, kept = (
            torch.as_tensor(np.asarray(file[f"{key}#{name}"]))
            for name in ("shape", "stats", "idx", "val")
        )
        assert tuple(value.shape) == tuple(shape.tolist()), (
            f"{key}: {tuple(value.shape)} is not {tuple(shape.tolist())}"
        )
        total, norm, largest, absolute = (number.double() for number in stats)
        flat = value.detach().double().flatten()
        close(flat[at], kept, f"{key}#val", rtol, atol, scale=float(largest))
        close(flat.norm(), norm, f"{key}#norm", rtol, atol)
        close(flat.sum(), total, f"{key}#sum", rtol, atol, scale=float(absolute))
        return
    golden = torch.as_tensor(np.asarray(file[key]))
    close(value.detach().reshape(golden.shape), golden, key, rtol, atol)


def close(
    value: Tensor, golden: Tensor, what: str, rtol: float, atol: float, scale: float | None = None
) -> None:
    """Assert |value - golden| <= rtol * scale + atol, the scale being the largest golden number."""
    golden = golden.double()
    limit = rtol * (float(golden.abs().max()) if scale is None else scale) + atol
    worst = float((value.detach().double() - golden).abs().max()) if golden.numel() else 0.0
    assert worst <= limit, f"{what}: off by {worst:.3e}, limit {limit:.3e}"


class Recipe:
    """The rule that fills weights and inputs."""

    def fill(
        self, module: nn.Module, prefix: str, seed: int = 0, rename: Callable[[str], str] = str
    ) -> None:
        """Give every parameter and buffer of `module` the value of `prefix + rename(name)`."""
        norms = {
            f"{n}.weight"
            for n, m in module.named_modules()
            if isinstance(m, nn.modules.batchnorm._BatchNorm)
        }
        with torch.no_grad():
            for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
                value = weight(prefix + rename(name), tuple(tensor.shape), seed, name in norms)
                tensor.copy_(torch.as_tensor(value))

    def image(self, name: str, shape: tuple[int, ...], seed: int = 0) -> Tensor:
        """An image in float64; its numbers are exact in float32 too."""
        return torch.as_tensor(uniform(name, shape, seed))


@pytest.fixture
def recipe() -> Recipe:
    return Recipe()


FOLDERS = (SHARED / "reference" / "fixtures", TESTS / "fixtures")
"""Of whole files, and of the parts that are kept with the tests."""


@pytest.fixture
def golden() -> Iterator[Callable[[str], Golden]]:
    """Reader of golden numbers: the part that is kept with the tests, and the whole file when it is
    there.

    A test that reads a file must have compared something with it.
    """
    read_files: dict[str, Golden] = {}

    def read(name: str) -> Golden:
        there = [path for folder in FOLDERS if (path := folder / f"{name}.npz").exists()]
        if not there:
            pytest.skip(f"golden numbers {name} are not there")
        if name not in read_files:
            read_files[name] = Golden(
                *map(arrays_of, there), partial=there[0].parent == TESTS / "fixtures"
            )
        return read_files[name]

    yield read
    assert all(all(file.compared) for file in read_files.values()), (
        f"nothing was compared with one of {list(read_files)}"
    )


@cache
def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """The arrays of one file."""
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture
def photographs() -> Callable[..., Tensor]:
    """Reader of the data folder's images, (N, 3, H, W) in [-1, 1]; skips when they are not
    there."""

    def read(names: list[str], box: tuple[int, int, int, int] | None = None) -> Tensor:
        paths = [SHARED / "data" / name for name in names]
        if missing := [path for path in paths if not path.exists()]:
            pytest.skip(f"{missing[0].name} is not there")
        arrays = [np.array(Image.open(path).convert("RGB").crop(box)) for path in paths]
        return torch.stack(
            [torch.as_tensor(array).permute(2, 0, 1) / 127.5 - 1 for array in arrays]
        )

    return read
