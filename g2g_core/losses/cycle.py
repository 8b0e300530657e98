"""Loss terms of the naive approach and of CycleFUNIT.

They are cycles, perceptual distances, identity, and patch discriminators. Each term is a mean over
the stacked pair. Where the authors use an L1, an MSE, or a perceptual distance, they add the two
images of a pair. Their sum is twice the term here, so their weight w is 2 w here. Adversarial terms
are means in both codes. `cross.mixed[i]` has the class of `cross.real[i]` and the content of its
partner in the other half.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss, softplus

from g2g_core.config import TrialConfig
from g2g_core.features import FeatureOptions, identity_encoder, perceptual_network
from g2g_core.losses.term import Term, TermClass
from g2g_core.passes.cross import CrossPass, DiscriminatorPass, swap
from g2g_core.transfer import to_device


def content_cycle(cross: CrossPass) -> Tensor:
    """MSE between the content codes of x and of the mixed image with its content (eq. 2)."""
    return mse_loss(swap(cross.mixed_content), cross.content)


def content_cycle_crossed(cross: CrossPass) -> Tensor:
    """Alternative to `content_cycle`: x against the mixed image with the partner's content.

    The authors' later code pairs the images this way. The term is small only where the content
    codes of different images agree.
    """
    return mse_loss(cross.mixed_content, cross.content)


def class_cycle(cross: CrossPass) -> Tensor:
    """MSE between the class codes of x and of the mixed image with its class (eq. 3).

    The paper prints A_1 where A_i is meant.
    """
    return mse_loss(cross.mixed_class, cross.class_)


class Perceptual:
    """L1 distance between the perceptual features of images and of their originals.

    The options `network.perceptual*` choose the feature network, which no term trains.

    Args:
        config: its `network` may hold the fields of `FeatureOptions`.

    Raises:
        MissingWeights: the weights of the feature network are not installed.
    """

    def __init__(self, config: TrialConfig) -> None:
        self.network = perceptual_network(FeatureOptions.of(config.network))

    def distance(self, images: Tensor, originals: Tensor) -> Tensor:
        """Return the distance, a scalar; the originals' features get no gradient.

        The network has the originals' dtype: in mixed precision, images have fewer bits, and
        weights that were rounded to them would stay so.
        """
        self.network.to(originals)
        with torch.no_grad():
            target = self.network(originals)
        return l1_loss(self.network(images), target)


class PerceptualLong(Perceptual):
    """L1 distance between the perceptual features of x and its full reconstruction (eq. 5).

    The paper prints a squared distance; the authors' code uses L1.
    """

    def __call__(self, cross: CrossPass) -> Tensor:
        """Return the term of one pass."""
        return self.distance(cross.full_recon, cross.real)


class PerceptualShort(Perceptual):
    """L1 distance between the perceptual features of x and its short reconstruction G(x, x).

    The authors' code uses it for short reconstructions, and the check in Sec. IV-B needs it.
    """

    def __call__(self, cross: CrossPass) -> Tensor:
        """Return the term of one pass."""
        return self.distance(cross.self_recon, cross.real)


class Identity:
    """L1 distance between the identity codes of images and of their originals.

    The options `network.identity*` choose the encoder, which the term never trains.

    Args:
        config: its `network` may hold the fields of `FeatureOptions`.

    Raises:
        MissingWeights: the weights of the encoder are not installed.
    """

    def __init__(self, config: TrialConfig) -> None:
        self.encoder = identity_encoder(FeatureOptions.of(config.network), trained=False)

    def distance(self, images: Tensor, originals: Tensor) -> Tensor:
        """Return the distance, a scalar; the originals' codes get no gradient.

        The encoder has the originals' dtype, as for `Perceptual`.
        """
        self.encoder.to(originals)
        with torch.no_grad():
            target = self.encoder(originals)
        return l1_loss(self.encoder(images), target)


class IdentityMixed(Identity):
    """L1 distance between the identity codes of x and of the mixed image with its class (eq. 8).

    The pairing is that of the authors' code.
    """

    def __call__(self, cross: CrossPass) -> Tensor:
        """Return the term of one pass."""
        return self.distance(cross.mixed, cross.real)


class IdentityMixedAsPrinted(Identity):
    """Alternative to `identity_mixed`, as printed: x against the mixed image of the partner.

    The partner's mixed image has the partner's class, and therefore the other identity.
    """

    def __call__(self, cross: CrossPass) -> Tensor:
        """Return the term of one pass."""
        return self.distance(swap(cross.mixed), cross.real)


def adversarial_lsgan(cross: CrossPass) -> Tensor:
    """Least-squares GAN loss of the generator: verdicts on mixed images should be 1 (eq. 6)."""
    return _to_one(cross.verdict("mixed"))


def adversarial_vanilla(cross: CrossPass) -> Tensor:
    """Cross-entropy GAN loss of the generator: mixed images should be judged real.

    It is an alternative to `adversarial_lsgan`.
    """
    return softplus(-cross.verdict("mixed")).mean()


def adversarial_wgan(cross: CrossPass) -> Tensor:
    """Wasserstein GAN loss of the generator: minus the mean verdict on mixed images.

    It is an alternative to `adversarial_lsgan` (arXiv 1701.07875).
    """
    return -cross.verdict("mixed").mean()


def d_lsgan(pair: DiscriminatorPass) -> Tensor:
    """Least-squares GAN loss of the discriminator: real images to 1, mixed images to 0 (eq. 7).

    The term is half the sum of the two mean squares, where the paper prints the sum. The authors
    call its weight zeta.
    """
    return (
        _to_one(_verdict(pair, pair.real, pair.labels))
        + _verdict(pair, pair.fake, pair.fake_labels).square().mean()
    ) / 2


def d_vanilla(pair: DiscriminatorPass) -> Tensor:
    """Cross-entropy GAN loss of the discriminator: half the sum over real and mixed images.

    It is an alternative to `d_lsgan`.
    """
    real, fake = _verdict(pair, pair.real, pair.labels), _verdict(pair, pair.fake, pair.fake_labels)
    return (softplus(-real).mean() + softplus(fake).mean()) / 2


def d_wgan(pair: DiscriminatorPass) -> Tensor:
    """Wasserstein GAN loss of the discriminator: mean mixed minus mean real verdict, halved.

    It is an alternative to `d_lsgan`, to be used together with `d_wgan_penalty`. The authors' code
    has no penalty, so nothing bounds its discriminator.
    """
    real, fake = _verdict(pair, pair.real, pair.labels), _verdict(pair, pair.fake, pair.fake_labels)
    return (fake.mean() - real.mean()) / 2


def d_wgan_penalty(pair: DiscriminatorPass) -> Tensor:
    """Gradient penalty for `d_wgan`: mean of (gradient norm - 1)**2 (arXiv 1704.00028).

    The gradient is taken at images between real and mixed ones. The usual weight is 10 times that
    of `d_wgan`, halved as `d_wgan` is: 5 * zeta.

    It is not computed in mixed precision. The penalty differentiates twice, which made its gradient
    wrong by 2% to 8% with bfloat16.
    """
    share = torch.rand(
        len(pair.real), 1, 1, 1, generator=pair.random("d_wgan_penalty"), dtype=pair.real.dtype
    )
    # Drawn on the CPU: the same numbers on every device
    share = to_device(share, pair.real.device, pair.real.dtype)
    with _full_precision(pair.real.device.type):
        between = (share * pair.real + (1 - share) * pair.fake).detach().requires_grad_()

        # The graph is kept, because the penalty itself is differentiated by the weights.
        verdict = _verdict(pair, between, pair.labels).mean((1, 2, 3)).sum()
        (gradient,) = torch.autograd.grad(verdict, between, create_graph=True)
        penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


def _full_precision(device: str) -> AbstractContextManager[object]:
    """Return a context without mixed precision, where it is on."""
    on = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    return torch.autocast(device, enabled=False) if on else nullcontext()


def _verdict(pair: DiscriminatorPass, images: Tensor, labels: Tensor) -> Tensor:
    verdict: Tensor = pair.discriminator(images, labels)[0]
    return verdict


def _to_one(verdict: Tensor) -> Tensor:
    return (verdict - 1).square().mean()


TERMS: dict[str, Term | TermClass] = {
    "content_cycle": content_cycle,
    "content_cycle_crossed": content_cycle_crossed,
    "class_cycle": class_cycle,
    "perceptual_long": PerceptualLong,
    "perceptual_short": PerceptualShort,
    "identity_mixed": IdentityMixed,
    "identity_mixed_as_printed": IdentityMixedAsPrinted,
    "adversarial_lsgan": adversarial_lsgan,
    "adversarial_vanilla": adversarial_vanilla,
    "adversarial_wgan": adversarial_wgan,
    "d_lsgan": d_lsgan,
    "d_vanilla": d_vanilla,
    "d_wgan": d_wgan,
    "d_wgan_penalty": d_wgan_penalty,
}
"""Name -> term. The order is that of summation: a new term is added behind the others."""
