"""Loss terms of the naive approach and of CycleFUNIT: cycles, perceptual distance, identity, patch
discriminators.

Each term is a mean over the stacked pair. The authors add the two images of a pair up where they
use an L1, an MSE or a perceptual distance, so their sum is twice our term: a weight w of theirs is
2 w here. Adversarial terms are means in both. `cross.mixed[i]` has the class of `cross.real[i]` and
the content of its partner in the other half.
"""

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss, softplus

from g2g_core.config import TrialConfig
from g2g_core.features import FeatureOptions, identity_encoder, perceptual_network
from g2g_core.passes.cross import CrossPass, DiscriminatorPass, swap


def content_cycle(cross: CrossPass) -> Tensor:
    """MSE of the content codes of x and of the mixed image that took its content (eq. 2)."""
    return mse_loss(swap(cross.mixed_content), cross.content)


def content_cycle_crossed(cross: CrossPass) -> Tensor:
    """Rival of `content_cycle` as in the authors' later code: x against the mixed image with the
    other content.

    It is small only where the content codes of different images agree.
    """
    return mse_loss(cross.mixed_content, cross.content)


def class_cycle(cross: CrossPass) -> Tensor:
    """MSE of the class codes of x and of the mixed image that took its class (eq.

    3, whose A_1 should be A_i).
    """
    return mse_loss(cross.mixed_class, cross.class_)


class Perceptual:
    """L1 of the perceptual features of images and originals; the network is chosen by
    `network.perceptual*`.

    Args:
        config: its `network` may hold the fields of `FeatureOptions`.

    Raises:
        MissingWeights: the weights of the network are not there.
    """

    def __init__(self, config: TrialConfig) -> None:
        self.network = perceptual_network(FeatureOptions.of(config.network))

    def distance(self, images: Tensor, originals: Tensor) -> Tensor:
        """A scalar; the originals' features get no gradient."""
        self.network.to(images)
        with torch.no_grad():
            wanted = self.network(originals)
        return l1_loss(self.network(images), wanted)


class PerceptualLong(Perceptual):
    """L1 of the perceptual features of x and its full reconstruction (eq.

    5, which prints a squared distance).
    """

    def __call__(self, cross: CrossPass) -> Tensor:
        """The term of one pass."""
        return self.distance(cross.full_recon, cross.real)


class PerceptualShort(Perceptual):
    """L1 of the perceptual features of x and G(x, x): the authors' short reconstruction, and Sec.

    IV-B's check.
    """

    def __call__(self, cross: CrossPass) -> Tensor:
        """The term of one pass."""
        return self.distance(cross.self_recon, cross.real)


class Identity:
    """L1 of identity codes; the encoder is chosen by `network.identity*` and never trained by the
    term.

    Args:
        config: its `network` may hold the fields of `FeatureOptions`.

    Raises:
        MissingWeights: the weights of the encoder are not there.
    """

    def __init__(self, config: TrialConfig) -> None:
        self.encoder = identity_encoder(FeatureOptions.of(config.network), trained=False)

    def distance(self, images: Tensor, originals: Tensor) -> Tensor:
        """A scalar; the originals' codes get no gradient."""
        self.encoder.to(images)
        with torch.no_grad():
            wanted = self.encoder(originals)
        return l1_loss(self.encoder(images), wanted)


class IdentityMixed(Identity):
    """L1 of the identity codes of x and of the mixed image that took its class, as the authors'
    code has it (eq. 8)."""

    def __call__(self, cross: CrossPass) -> Tensor:
        """The term of one pass."""
        return self.distance(cross.mixed, cross.real)


class IdentityMixedAsPrinted(Identity):
    """Rival of `identity_mixed` as the equation is printed: x against the mixed image with the
    other identity."""

    def __call__(self, cross: CrossPass) -> Tensor:
        """The term of one pass."""
        return self.distance(swap(cross.mixed), cross.real)


def adversarial_lsgan(cross: CrossPass) -> Tensor:
    """Least squares of the discriminator's verdict on the mixed images to 1: the generator's part
    (eq. 6)."""
    return _to_one(cross.verdict("mixed"))


def adversarial_vanilla(cross: CrossPass) -> Tensor:
    """Cross entropy of the verdict on the mixed images, to be taken for real: rival of
    `adversarial_lsgan`."""
    return softplus(-cross.verdict("mixed")).mean()


def adversarial_wgan(cross: CrossPass) -> Tensor:
    """Minus the mean verdict on the mixed images: Wasserstein rival of `adversarial_lsgan` (arXiv
    1701.07875)."""
    return -cross.verdict("mixed").mean()


def d_lsgan(pair: DiscriminatorPass) -> Tensor:
    """Half the sum of the least squares of real images to 1 and mixed ones to 0 (eq.

    7, which prints the sum).

    The weight is the authors' zeta.
    """
    return (
        _to_one(_verdict(pair, pair.real, pair.labels))
        + _verdict(pair, pair.fake, pair.fake_labels).square().mean()
    ) / 2


def d_vanilla(pair: DiscriminatorPass) -> Tensor:
    """Half the sum of the cross entropies of real and mixed images: rival of `d_lsgan`."""
    real, fake = _verdict(pair, pair.real, pair.labels), _verdict(pair, pair.fake, pair.fake_labels)
    return (softplus(-real).mean() + softplus(fake).mean()) / 2


def d_wgan(pair: DiscriminatorPass) -> Tensor:
    """Half of the mean verdict on mixed images less that on real ones: Wasserstein rival of
    `d_lsgan`.

    It needs `d_wgan_penalty` beside it; the authors' code goes without, so nothing bounds the
    discriminator.
    """
    real, fake = _verdict(pair, pair.real, pair.labels), _verdict(pair, pair.fake, pair.fake_labels)
    return (fake.mean() - real.mean()) / 2


def d_wgan_penalty(pair: DiscriminatorPass) -> Tensor:
    """Mean of (norm of the gradient - 1) squared, on images between real and mixed ones (arXiv
    1704.00028).

    Its usual weight is 10 times that of `d_wgan`, halved as that is: 5 * zeta.
    """
    share = torch.rand(
        len(pair.real), 1, 1, 1, generator=pair.random("d_wgan_penalty"), dtype=pair.real.dtype
    )
    share = share.to(pair.real.device)
    between = (share * pair.real + (1 - share) * pair.fake).detach().requires_grad_()
    verdict = _verdict(pair, between, pair.labels).mean((1, 2, 3)).sum()
    (gradient,) = torch.autograd.grad(verdict, between, create_graph=True)
    penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


def _verdict(pair: DiscriminatorPass, images: Tensor, labels: Tensor) -> Tensor:
    verdict: Tensor = pair.discriminator(images, labels)[0]
    return verdict


def _to_one(verdict: Tensor) -> Tensor:
    return (verdict - 1).square().mean()
