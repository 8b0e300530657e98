"""How long the convolutions and matrix products of a computation take alone: same calls, nothing
between."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Calls(TorchDispatchMode):
    """Inside, calls of convolutions and products are noted: operation and arguments, tensors as
    their shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[tuple[Any, ...]] = Counter()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func._overloadpacket in flop_registry:
            self.seen[(func, *map(_described, args))] += 1
        return func(*args, **(kwargs or {}))


def seconds_alone(compute: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the noted calls of `compute`, each the median of repeats on random
    contiguous tensors."""
    with Calls() as calls:
        compute()
    return sum(count * _timed(call, repeats) for call, count in calls.seen.items())


def _described(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        return ("tensor", tuple(argument.shape), argument.dtype)
    return tuple(argument) if isinstance(argument, list) else argument


def _made(description: Any) -> Any:
    if isinstance(description, tuple) and description[:1] == ("tensor",):
        return torch.randn(description[1], dtype=description[2])
    return list(description) if isinstance(description, tuple) else description


def _timed(call: tuple[Any, ...], repeats: int) -> float:
    function, *described = call
    arguments = [_made(description) for description in described]
    times = []
    for _ in range(repeats + 1):
        started = time.process_time()
        function(*arguments)
        times.append(time.process_time() - started)
    return statistics.median(times[1:])
