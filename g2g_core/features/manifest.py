"""Reads weights in the format of TensorFlow.js: a JSON list of tensors beside one file of
numbers."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def read_manifest(path: Path) -> dict[str, Tensor]:
    """The float32 tensors by name that `<net>-weights_manifest.json` describes.

    Tensors that were quantised are stored as integers: value = integer * scale + min. Filters are
    HWIO, as in TensorFlow; `convolution` turns one into PyTorch's order.

    Raises:
        ValueError: the file of numbers is shorter or longer than the manifest says.
    """
    tensors: dict[str, Tensor] = {}
    for group in json.loads(path.read_text(encoding="utf-8")):
        numbers = b"".join((path.parent / part).read_bytes() for part in group["paths"])
        start = 0
        for entry in group["weights"]:
            rule = entry.get("quantization")
            kind = np.dtype(rule["dtype"] if rule else entry["dtype"]).newbyteorder("<")
            count = int(np.prod(entry["shape"]))
            end = start + count * kind.itemsize
            if end > len(numbers):
                raise ValueError(f"{path.name}: the file of numbers ends before {entry['name']}")
            values = np.frombuffer(numbers[start:end], dtype=kind).astype(np.float32)
            values = (
                values * np.float32(rule["scale"]) + np.float32(rule["min"]) if rule else values
            )
            tensors[entry["name"]] = torch.from_numpy(values.reshape(entry["shape"]).copy())
            start = end
        if start != len(numbers):
            raise ValueError(f"{path.name}: {len(numbers) - start} bytes are left over")
    return tensors


def convolution(filters: Tensor) -> Tensor:
    """Filters (H, W, in, out) as PyTorch's (out, in, H, W); depthwise (H, W, C, 1) as (C, 1, H,
    W)."""
    return filters.permute(2, 3, 0, 1) if filters.shape[-1] == 1 else filters.permute(3, 2, 0, 1)
