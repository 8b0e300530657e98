"""Copies from the CPU to the device that computes."""

import torch
from torch import Tensor


def to_device(values: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return values on a device, without waiting for what the device does.

    A GPU copies next to its other work only from memory that the system can't move. Torch keeps
    such memory for the next copy.

    Args:
        values: on any device.
        device: where to.
        dtype: the dtype of the result.
    """
    values = values.to(dtype)
    if device.type == "cuda" and values.device.type == "cpu":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)
