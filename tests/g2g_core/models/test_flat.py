"""A blank image neither spoils a step nor changes what other images do."""

import pytest
import torch
from torch import Tensor

from g2g_core.data.pairs import Batch
from g2g_core.losses.funit import long_recon
from g2g_core.models.blocks import stop_where_flat
from g2g_core.models.funit import FunitGenerator
from g2g_core.models.options import FunitOptions
from g2g_core.passes.cross import CrossPass

SMALL = FunitOptions(filters=4, mlp_filters=8, class_dim=6, class_downs=2, content_downs=2)


def gradients(images: Tensor) -> list[Tensor]:
    torch.manual_seed(0)
    generator = FunitGenerator(SMALL)
    labels = torch.zeros(len(images), dtype=torch.int64)
    batch = Batch(images, labels, images.flip(3), labels)
    long_recon(CrossPass(generator, None, batch)).backward()  # type: ignore[no-untyped-call]
    return [value.grad for value in generator.parameters() if value.grad is not None]


@pytest.mark.parametrize("color", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, -1.0, 0.2)])
def test_a_blank_image_of_any_color_gives_finite_gradients(color: tuple[float, ...]) -> None:
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    images[0] = torch.tensor(color).view(3, 1, 1)
    norms = torch.stack([gradient.norm() for gradient in gradients(images)])
    assert torch.isfinite(norms).all()
    assert norms.max() < 1e4


@pytest.mark.parametrize("change", [1 / 127.5, 1.0])
def test_an_image_that_is_blank_but_for_a_pixel_gives_finite_gradients(change: float) -> None:
    images = torch.ones(2, 3, 16, 16)
    images[:, :, 7, 7] -= change
    assert all(torch.isfinite(gradient).all() for gradient in gradients(images))


def test_only_entries_of_flat_maps_lose_their_gradient() -> None:
    source = torch.randn(3, 2, 4, 4)
    source[1] = torch.tensor([0.5, -2.0]).view(2, 1, 1)
    weights = torch.randn(3, 5, 2, 2)
    plain = torch.randn(3, 5, 2, 2, requires_grad=True)
    (plain * weights).sum().backward()  # type: ignore[no-untyped-call]
    guarded = plain.detach().clone().requires_grad_()
    result = stop_where_flat(guarded * 1, source)
    assert torch.equal(result, guarded)
    (result * weights).sum().backward()
    assert plain.grad is not None
    assert guarded.grad is not None
    assert torch.equal(guarded.grad[[0, 2]], plain.grad[[0, 2]])
    assert not guarded.grad[1].any()
    # A single channel without variance is not flat: the others still say something.
    source[1, 0, 0, 0] = 3
    assert stop_where_flat(guarded * 1, source)[1].sum().backward() is None  # type: ignore[no-untyped-call]
    assert guarded.grad[1].any()
