"""A count of the numbers that Python asks of tensors: on a GPU, each is a wait for the device."""

from collections import Counter

import torch
from torch.overrides import TorchFunctionMode

ASKING = ("tolist", "item", "__float__", "__int__", "__bool__", "cpu", "numpy")


class Waits(TorchFunctionMode):
    """A context that counts calls of a tensor's methods that bring numbers to Python."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in ASKING and isinstance(args[0], torch.Tensor):
            self.counts[name] += 1
        return function(*args, **(kwargs or {}))
