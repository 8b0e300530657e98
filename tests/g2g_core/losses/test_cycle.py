"""Terms of the naive approach and of CycleFUNIT in mixed precision."""

import pytest
import torch
from torch import nn

from g2g_core.features import identity, perceptual
from g2g_core.losses.cycle import IdentityMixed, PerceptualLong, d_wgan_penalty
from g2g_core.models.patchgan import PatchGan
from g2g_core.passes.cross import DiscriminatorPass
from tests.g2g_core.tiny_funit import config


class Features(nn.Module):
    """A convolution with the arguments of a perceptual network and of an identity encoder."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images, _layer=""):
        return self.conv(images)


@pytest.mark.parametrize("kind", ["perceptual", "identity"])
def test_mixed_precision_leaves_the_weights_of_frozen_networks_alone(monkeypatch, kind):
    if kind == "perceptual":
        monkeypatch.setitem(
            perceptual.PERCEPTUAL, "vgg16", lambda _: perceptual.PerceptualNetwork(Features(), "")
        )
        term = PerceptualLong(config())
        network = term.network
    else:
        monkeypatch.setitem(identity.IDENTITY, "resnet50_vggface2", lambda _: (Features(), 4))
        term = IdentityMixed(config())
        network = term.encoder

    before = [weight.clone() for weight in network.parameters()]
    originals = torch.rand(2, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        images = originals.to(torch.bfloat16).requires_grad_()
        term.distance(images, originals).backward()
    assert images.grad is not None
    for weight, was in zip(network.parameters(), before, strict=True):
        assert torch.equal(weight, was)


def test_the_gradient_penalty_is_not_computed_in_mixed_precision():
    torch.manual_seed(0)
    network, images = PatchGan("n_layers", 8, 2), torch.rand(2, 4, 3, 32, 32) * 2 - 1
    labels = torch.zeros(4, dtype=torch.int64)

    def weight_gradients(mixed):
        pair = DiscriminatorPass(
            *(network, images[0], labels, images[1], labels, 2),
            lambda _: torch.Generator().manual_seed(3),
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            penalty = d_wgan_penalty(pair)
        return torch.autograd.grad(penalty, list(network.parameters()), allow_unused=True)

    for full, mixed in zip(weight_gradients(False), weight_gradients(True), strict=True):
        assert (full is None and mixed is None) or torch.equal(full, mixed)
