"""How long the convolutions and matrix products of a computation take alone."""

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
    """A context that notes the calls of convolutions and matrix products.

    A call is an operation and its arguments, with each tensor as its shape and type.
    """

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
    """Return the processor seconds that the convolutions and products of `compute` take alone.

    The same calls are made on random contiguous tensors, with nothing between them.

    Args:
        compute: the computation.
        repeats: number of measurements per call, of which the median counts.
    """
    with Calls() as calls:
        compute()
    return sum(count * _timed(call, repeats) for call, count in calls.seen.items())


def _described(argument: Any) -> Any:
    """Return an argument of a call as something hashable."""
    if isinstance(argument, Tensor):
        return ("tensor", tuple(argument.shape), argument.dtype)
    return tuple(argument) if isinstance(argument, list) else argument


def _made(description: Any) -> Any:
    """Return an argument for a call from its description."""
    if isinstance(description, tuple) and description[:1] == ("tensor",):
        return torch.randn(description[1], dtype=description[2])
    return list(description) if isinstance(description, tuple) else description


def _timed(call: tuple[Any, ...], repeats: int) -> float:
    """Return the median seconds of a call, after a first one that warms up."""
    function, *described = call
    arguments = [_made(description) for description in described]
    times = []
    for _ in range(repeats + 1):
        started = time.process_time()
        function(*arguments)
        times.append(time.process_time() - started)
    return statistics.median(times[1:])
