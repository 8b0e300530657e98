"""Loss terms of FUNIT and FUNIT2FUNIT.

A generator term is a function of the pass; a discriminator term (`d_...`) is a function of the
discriminator's pass. Each returns an unweighted scalar, a mean over the images of the pair. A new
term is a function here and its name in `TERMS`.
"""

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, relu

from g2g_core.losses.term import Term, judges
from g2g_core.passes.cross import CrossPass, DiscriminatorPass


@judges("mixed", "self_recon")
def adversarial(cross: CrossPass) -> Tensor:
    """Hinge GAN loss of the generator: minus the mean verdict on mixed images and G(x, x).

    Mixed images and short reconstructions G(x, x) have the same weight.
    """
    return -(cross.verdict("mixed").mean() + cross.verdict("self_recon").mean()) / 2


def short_recon(cross: CrossPass) -> Tensor:
    """L1 distance between x and its short reconstruction G(x, x) (lambda_short; authors' `r_w`)."""
    return l1_loss(cross.self_recon, cross.content_images)


def long_recon(cross: CrossPass) -> Tensor:
    """L1 distance between x and its full reconstruction (eq. 1; lambda_long; authors' `rl_w`).

    Together with `short_recon` it forms eq. 9.
    """
    return l1_loss(cross.full_recon, cross.real)


@judges("self_recon")
def self_fm(cross: CrossPass) -> Tensor:
    """L1 distance between the discriminator features of x and of G(x, x) (authors' `fm_rec_w`).

    This is FUNIT's own feature matching.
    """
    return l1_loss(cross.features("self_recon"), cross.features("content_images"))


@judges("mixed")
def short_fm(cross: CrossPass) -> Tensor:
    """L1 distance between the discriminator features of x and of the mixed image of its class.

    The paper calls its weight lambda_D, the authors' code `fm_w`.
    """
    return l1_loss(cross.features("mixed"), cross.features("class_images"))


@judges("full_recon")
def long_fm(cross: CrossPass) -> Tensor:
    """L1 distance between the discriminator features of x and its full reconstruction (eq. 10).

    The paper calls its weight lambda_L, the authors' code `fml_w`.
    """
    return l1_loss(cross.features("full_recon"), cross.features("real"))


@judges("full_recon", "mixed")
def reassembly_fm(cross: CrossPass) -> Tensor:
    """L1 distance between the features of the mixed image and of its class's full reconstruction.

    Both sides get gradients, as in the authors' code. The paper calls its weight lambda_R, the
    authors' code `fml_mix_rec_w`.
    """
    return l1_loss(cross.features("full_recon"), cross.features("mixed"))


def d_hinge(pair: DiscriminatorPass) -> Tensor:
    """Hinge GAN loss of the discriminator: each image is judged under its own class (eq. 11).

    The class of a mixed image is the one that it should have. The paper calls the weight
    lambda_dis.
    """
    return _hinge(pair, pair.fake_labels)


def d_hinge_swapped(pair: DiscriminatorPass) -> Tensor:
    """Alternative to `d_hinge`, as in the authors' code: mixed images under the partner's class."""
    return _hinge(pair, pair.fake_labels.roll(pair.batch_size, 0))


def d_r1(pair: DiscriminatorPass) -> Tensor:
    """Gradient penalty on real images for `d_hinge` (arXiv 1801.04406), scaled by 1 / B**2.

    FUNIT takes the gradient of the mean over the batch. The usual penalty per image is therefore
    divided by the square of B, the number of images per call, and the same weight means another
    penalty at another batch size. The paper calls the weight lambda_reg.
    """
    # The gradient of the sum holds the gradients of all images.
    verdict = pair.real_verdict.flatten(1).mean(1).sum()
    (gradient,) = torch.autograd.grad(verdict, pair.real, create_graph=True)
    return gradient.square().sum() / (len(pair.real) * pair.batch_size**2)


def _hinge(pair: DiscriminatorPass, fake_labels: Tensor) -> Tensor:
    fake: Tensor = pair.discriminator(pair.fake, fake_labels)[0]
    return relu(1 - pair.real_verdict).mean() + relu(1 + fake).mean()


TERMS: dict[str, Term] = {
    term.__name__: term
    for term in (
        adversarial,
        short_recon,
        long_recon,
        self_fm,
        short_fm,
        long_fm,
        reassembly_fm,
        d_hinge,
        d_hinge_swapped,
        d_r1,
    )
}
"""Name -> term. The order is that of summation: a new term is added behind the others."""
