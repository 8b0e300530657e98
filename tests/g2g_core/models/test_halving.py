"""The discriminator's halving gives the numbers of padding and pooling."""

import pytest
import torch
from torch.nn import functional

from g2g_core.models.halving import Halving
from g2g_core.seeding import generator


@pytest.mark.parametrize(("height", "width"), [(2, 2), (4, 2), (6, 8), (5, 6), (4, 7)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_equal(height, width, layout):
    drawn = torch.randn(
        (2, 3, height, width), generator=generator(0, "test/halving"), dtype=torch.float64
    )
    values = drawn.to(memory_format=layout).requires_grad_()
    short = Halving()(values)
    long = functional.avg_pool2d(functional.pad(values, (1, 1, 1, 1), mode="reflect"), 3, 2)
    torch.testing.assert_close(short, long, rtol=1e-12, atol=1e-12)
    pull = torch.cos(torch.arange(short.numel(), dtype=torch.float64)).view_as(short)
    one, other = (torch.autograd.grad(made, values, pull)[0] for made in (short, long))
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
