"""The gradient by slices is that of torch's own reflection padding, up to the second derivative."""

import pytest
import torch
from torch.nn import functional

from g2g_core.models.padding import folded, reflect
from g2g_core.seeding import generator


def drawn(*shape):
    return torch.randn(shape, generator=generator(0, f"test/{shape}"), dtype=torch.float64)


@pytest.mark.parametrize(("padding", "sides"), [(1, (4, 5)), (3, (7, 4)), (1, (2, 2)), (2, (3,))])
def test_folding_is_the_adjoint_of_padding(padding, sides):
    values = drawn(2, 3, *sides).requires_grad_()
    own = functional.pad(values, (padding,) * 2 * len(sides), mode="reflect")
    assert torch.equal(folded(values, padding), own)
    assert torch.equal(reflect(values, padding), own)
    pull = drawn(*own.shape)
    expected, found = (
        torch.autograd.grad(padded, values, pull)[0] for padded in (own, folded(values, padding))
    )
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)
    torch.autograd.gradcheck(lambda v: folded(v, padding), values)
    torch.autograd.gradgradcheck(lambda v: folded(v, padding), values)
