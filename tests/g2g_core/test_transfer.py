"""Copies to a GPU that isn't here: torch's fake tensors have its devices, but no numbers."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from g2g_core.training.setup import ready
from g2g_core.transfer import to_device
from tests.g2g_core.tiny_funit import batch, config


class Copies(TorchDispatchMode):
    """A context that lists copies to another device: whether they come from pinned memory, and
    whether they wait."""

    def __init__(self):
        super().__init__()
        self.copies, self.pinned = [], []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if operation is torch.ops.aten._pin_memory.default:
            self.pinned.append(args[0])  # fake tensors can't be pinned
            return args[0]
        if operation is torch.ops.aten._to_copy.default and "device" in kwargs:
            is_pinned = any(args[0] is pinned for pinned in self.pinned)
            self.copies.append((is_pinned, not kwargs["non_blocking"]))
        return operation(*args, **(kwargs or {}))


@pytest.fixture
def copies():
    with FakeTensorMode(allow_non_fake_inputs=True), Copies() as mode:
        yield mode


def test_a_batch_goes_to_a_gpu_from_pinned_memory_without_waiting(copies):
    there = ready(batch(), config(), "cuda:0")
    assert {value.device.type for value in vars(there).values() if value is not None} == {"cuda"}
    assert copies.copies == [(True, False)] * 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_on_the_device_stays_there(copies, dtype):
    values = torch.zeros(3, device="cuda")
    assert to_device(values, values.device, dtype).dtype == dtype
    assert copies.copies == []


def test_a_cpu_gets_the_values_themselves():
    values = torch.arange(3.0)
    assert to_device(values, torch.device("cpu"), torch.float32) is values
    assert to_device(values, torch.device("cpu"), torch.float64).tolist() == [0, 1, 2]
