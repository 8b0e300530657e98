"""Read weights in TensorFlow.js format.

A JSON manifest lists the tensors; a separate binary file contains their numbers.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def read_manifest(path: Path) -> dict[str, Tensor]:
    """Return the float32 tensors that `<net>-weights_manifest.json` describes, by name.

    Quantized tensors are stored as integers: value = integer * scale + min. Filters are in
    TensorFlow's order HWIO; `convolution` converts one to PyTorch's order.

    Args:
        path: the manifest; the files that it names are in the same folder.

    Raises:
        ValueError: the binary file is shorter or longer than the manifest says.
    """
    tensors: dict[str, Tensor] = {}
    for group in json.loads(path.read_text(encoding="utf-8")):
        numbers = b"".join((path.parent / part).read_bytes() for part in group["paths"])
        start = 0
        for entry in group["weights"]:
            quantization = entry.get("quantization")
            kind = np.dtype(quantization["dtype"] if quantization else entry["dtype"]).newbyteorder(
                "<"
            )
            count = int(np.prod(entry["shape"]))
            end = start + count * kind.itemsize
            if end > len(numbers):
                raise ValueError(f"{path.name}: the file of numbers ends before {entry['name']}")

            values = np.frombuffer(numbers[start:end], dtype=kind).astype(np.float32)
            values = (
                values * np.float32(quantization["scale"]) + np.float32(quantization["min"])
                if quantization
                else values
            )
            tensors[entry["name"]] = torch.from_numpy(values.reshape(entry["shape"]).copy())
            start = end

        if start != len(numbers):
            raise ValueError(f"{path.name}: {len(numbers) - start} bytes are left over")
    return tensors


def convolution(filters: Tensor) -> Tensor:
    """Return TensorFlow filters in PyTorch's order.

    Args:
        filters: (H, W, in, out), or depthwise (H, W, C, 1).

    Returns:
        (out, in, H, W), or (C, 1, H, W).
    """
    return filters.permute(2, 3, 0, 1) if filters.shape[-1] == 1 else filters.permute(3, 2, 0, 1)
