"""A count of the floating-point operations of a computation, including second derivatives."""

from collections.abc import Callable, Mapping
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Operations(TorchDispatchMode):
    """A context that counts the operations of convolutions and matrix products.

    A multiply-add counts as two operations. torch's own `FlopCounterMode` also watches modules,
    which fails on `torch.autograd.grad` with respect to a leaf.
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
    """Return the number of operations of one call."""
    with Operations() as counted:
        compute()
    return counted.total
