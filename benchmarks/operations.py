"""Counts the floating-point operations of a computation, second derivatives included."""

from collections.abc import Callable, Mapping
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Operations(TorchDispatchMode):
    """Inside, convolutions and matrix products are counted, two operations per multiply-add.

    torch's own `FlopCounterMode` watches modules too, which fails on `torch.autograd.grad` by a
    leaf.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func._overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def operations(compute: Callable[[], object]) -> int:
    """Operations of one call."""
    with Operations() as counted:
        compute()
    return counted.total
