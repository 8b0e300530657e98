"""Each way of convolving a reflected image gives the numbers of torch's own, up to the second
derivative."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.operations import operations
from g2g_core.models.reflected_conv import reflected_conv
from g2g_core.seeding import generator

CASES = {
    "any": ((2, 3, 5, 6), (5, 3), 1, 1),
    "stride": ((2, 3, 6, 6), (5, 4), 2, 1),
    "small pixels": ((2, 3, 4, 5), (5, 1), 1, 0),
    "large pixels": ((2, 3, 8, 9), (5, 1), 1, 0),
    "two by two": ((3, 4, 2, 2), (5, 3), 1, 1),
    "one channel on two by two": ((3, 4, 2, 2), (1, 3), 1, 1),
    "image": ((2, 5, 8, 6), (3, 7), 1, 3),
    "image of odd sides": ((2, 5, 7, 6), (3, 7), 1, 3),
}


def drawn(*shape):
    return torch.randn(shape, generator=generator(0, f"test/{shape}"), dtype=torch.float64)


def made(case, bias=True):
    shape, (wide, kernel), stride, padding = CASES[case]
    conv = nn.Conv2d(shape[1], wide, kernel, stride, bias=bias).double()
    with torch.no_grad():
        for parameter in conv.parameters():
            parameter.copy_(drawn(*parameter.shape))
    return drawn(*shape).requires_grad_(), conv, padding


def long_way(values, conv, padding):
    padded = functional.pad(values, (padding,) * 4, mode="reflect") if padding else values
    return functional.conv2d(padded, conv.weight, conv.bias, conv.stride)


def derivatives(convolve, values, conv, padding):
    """The result, its first derivatives, and those of a gradient penalty as R1."""
    result = convolve(values, conv, padding)
    inputs = [values, *conv.parameters()]
    pull = torch.cos(torch.arange(result.numel(), dtype=torch.float64)).view_as(result)
    first = torch.autograd.grad(
        (result * pull).sum() + result.square().sum(), inputs, create_graph=True
    )
    second = torch.autograd.grad(first[0].square().sum(), [values, conv.weight])
    return [result, *first, *second]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_derivatives_are_equal(case, bias):
    values, conv, padding = made(case, bias)
    for short, long in zip(
        derivatives(reflected_conv, values, conv, padding),
        derivatives(long_way, values, conv, padding),
        strict=True,
    ):
        torch.testing.assert_close(short, long, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_channels_last_gives_the_same(case):
    values, conv, padding = made(case)
    expected = derivatives(reflected_conv, values, conv, padding)
    values = values.detach().to(memory_format=torch.channels_last).requires_grad_()
    found = derivatives(reflected_conv, values, conv.to(memory_format=torch.channels_last), padding)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


def test_two_by_two_takes_a_fifth_of_the_operations_at_most():
    conv, values = nn.Conv2d(64, 64, 3), torch.randn(16, 64, 2, 2)
    assert operations(lambda: reflected_conv(values, conv, 1)) < 0.2 * operations(
        lambda: long_way(values, conv, 1)
    )


def test_under_autocast_it_stays_near():
    values, conv, padding = made("two by two")
    values, conv = values.float(), conv.float()
    with torch.autocast("cpu", torch.bfloat16):
        near = reflected_conv(values, conv, padding)
    torch.testing.assert_close(near.float(), long_way(values, conv, padding), rtol=0.05, atol=0.3)
