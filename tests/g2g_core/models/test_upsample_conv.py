"""The short way of doubling and convolving gives the numbers of the long one."""

import pytest
import torch
from torch.nn import functional

from benchmarks.operations import operations
from g2g_core.models.upsample_conv import upsample_conv
from g2g_core.seeding import generator


def long_way(values, weight, bias):
    doubled = functional.interpolate(values, scale_factor=2)
    return functional.conv2d(functional.pad(doubled, (2, 2, 2, 2), mode="reflect"), weight, bias)


def drawn(*shape):
    return torch.randn(
        shape, generator=generator(0, f"test/{shape}"), dtype=torch.float64
    ).requires_grad_()


@pytest.mark.parametrize(("height", "width"), [(2, 2), (2, 5), (3, 2), (4, 4), (6, 7)])
def test_values_and_gradients_are_equal(height, width):
    inputs = drawn(2, 3, height, width), drawn(4, 3, 5, 5), drawn(4)
    short, long = upsample_conv(*inputs), long_way(*inputs)
    torch.testing.assert_close(short, long, rtol=1e-12, atol=1e-12)
    pull = torch.cos(torch.arange(short.numel(), dtype=torch.float64)).view_as(short)
    for one, other in zip(
        *(torch.autograd.grad(made, inputs, pull) for made in (short, long)), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_without_bias():
    values, weight = drawn(1, 2, 3, 4), drawn(2, 2, 5, 5)
    torch.testing.assert_close(upsample_conv(values, weight, None), long_way(values, weight, None))


def test_it_takes_less_than_half_of_the_operations():
    inputs = drawn(8, 32, 16, 16), drawn(16, 32, 5, 5), drawn(16)
    assert operations(lambda: upsample_conv(*inputs)) < 0.5 * operations(lambda: long_way(*inputs))
