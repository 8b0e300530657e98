"""The loss terms by name: FUNIT's and FUNIT2FUNIT's here, those of the cycle systems in
    `losses_cycle`.

A generator term is a function of the pass, a discriminator term (`d_...`) of the discriminator's
pass; each gives an unweighted scalar, a mean over the images of the pair. A term with networks of
its own is a class that takes the config.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, relu

from g2g_core import plugins
from g2g_core.config import TrialConfig
from g2g_core.losses import cycle
from g2g_core.losses.schedules import Schedule
from g2g_core.passes.cross import CrossPass, DiscriminatorPass

Term = Callable[[Any], Tensor]


def judges(*names: str) -> Callable[[Term], Term]:
    """Marks a term by the generated images that it has judged, so that they share calls
    (`CrossPass.expect`).

    A term without the mark works as well, only not as fast.
    """

    def mark(term: Term) -> Term:
        term.judges = names  # type: ignore[attr-defined]
        return term

    return mark


@judges("mixed", "self_recon")
def adversarial(cross: CrossPass) -> Tensor:
    """Minus the mean verdict on mixed images and short reconstructions: the generator's side of the
    hinge loss."""
    return -(cross.verdict("mixed").mean() + cross.verdict("self_recon").mean()) / 2


def short_recon(cross: CrossPass) -> Tensor:
    """L1 of x and its short reconstruction G(x, x) (lambda_short beside `long_recon`'s; authors'
    `r_w`)."""
    return l1_loss(cross.self_recon, cross.content_images)


def long_recon(cross: CrossPass) -> Tensor:
    """L1 of x and its full reconstruction (eq.

    1; with `short_recon` eq. 9, lambda_long; authors' `rl_w`).
    """
    return l1_loss(cross.full_recon, cross.real)


@judges("self_recon")
def self_fm(cross: CrossPass) -> Tensor:
    """L1 of the discriminator features of x and G(x, x): FUNIT's own feature matching (authors'
    `fm_rec_w`)."""
    return l1_loss(cross.features("self_recon"), cross.features("content_images"))


@judges("mixed")
def short_fm(cross: CrossPass) -> Tensor:
    """L1 of the discriminator features of x and of the mixed image of its class (lambda_D;
    `fm_w`)."""
    return l1_loss(cross.features("mixed"), cross.features("class_images"))


@judges("full_recon")
def long_fm(cross: CrossPass) -> Tensor:
    """L1 of the discriminator features of x and its full reconstruction (eq.

    10: lambda_L, `fml_w`).
    """
    return l1_loss(cross.features("full_recon"), cross.features("real"))


@judges("full_recon", "mixed")
def reassembly_fm(cross: CrossPass) -> Tensor:
    """L1 of the features of the mixed image and the full reconstruction of its class (lambda_R
    beside `long_fm`'s).

    Both sides get gradients, as in the authors' code (`fml_mix_rec_w`).
    """
    return l1_loss(cross.features("full_recon"), cross.features("mixed"))


def d_hinge(pair: DiscriminatorPass) -> Tensor:
    """Hinge loss of real and mixed images, each under the class that it should have (eq.

    11, lambda_dis).
    """
    return _hinge(pair, pair.fake_labels)


def d_hinge_swapped(pair: DiscriminatorPass) -> Tensor:
    """Rival of `d_hinge` as in the authors' code: mixed images are judged under their partner's
    class."""
    return _hinge(pair, pair.fake_labels.roll(pair.batch_size, 0))


def d_r1(pair: DiscriminatorPass) -> Tensor:
    """Gradient penalty on real images (lambda_reg beside `d_hinge`'s; arXiv 1801.04406), scaled by
    1 / B**2.

    FUNIT takes the gradient of the mean over the batch, so the usual per-image penalty is divided
    by the square of the images per call, B; at another batch size the same weight is another
    penalty.
    """
    each = pair.real_verdict.flatten(1).mean(1).sum()
    (gradient,) = torch.autograd.grad(each, pair.real, create_graph=True)
    return gradient.square().sum() / (len(pair.real) * pair.batch_size**2)


def _hinge(pair: DiscriminatorPass, fake_labels: Tensor) -> Tensor:
    fake: Tensor = pair.discriminator(pair.fake, fake_labels)[0]
    return relu(1 - pair.real_verdict).mean() + relu(1 + fake).mean()


LOSSES: dict[str, Term | Callable[[TrialConfig], Term]] = {
    "adversarial": adversarial,
    "short_recon": short_recon,
    "long_recon": long_recon,
    "self_fm": self_fm,
    "short_fm": short_fm,
    "long_fm": long_fm,
    "reassembly_fm": reassembly_fm,
    "content_cycle": cycle.content_cycle,
    "content_cycle_crossed": cycle.content_cycle_crossed,
    "class_cycle": cycle.class_cycle,
    "perceptual_long": cycle.PerceptualLong,
    "perceptual_short": cycle.PerceptualShort,
    "identity_mixed": cycle.IdentityMixed,
    "identity_mixed_as_printed": cycle.IdentityMixedAsPrinted,
    "adversarial_lsgan": cycle.adversarial_lsgan,
    "adversarial_vanilla": cycle.adversarial_vanilla,
    "adversarial_wgan": cycle.adversarial_wgan,
    "d_hinge": d_hinge,
    "d_hinge_swapped": d_hinge_swapped,
    "d_r1": d_r1,
    "d_lsgan": cycle.d_lsgan,
    "d_vanilla": cycle.d_vanilla,
    "d_wgan": cycle.d_wgan,
    "d_wgan_penalty": cycle.d_wgan_penalty,
}
"""Name -> term; the order is the order of summation, so equal configs give equal bits."""


def all_losses() -> dict[str, Term | Callable[[TrialConfig], Term]]:
    """Our own terms, then those of installed packages (group `g2g_ablate.losses`), by name.

    Raises:
        PluginError: an installed package brings a name that is taken, or what cannot be loaded.
    """
    return plugins.with_plugins(LOSSES, plugins.LOSSES)


@dataclass(frozen=True)
class WeightedTerm:
    """A term that is on, with its weight and what becomes of it over the steps."""

    name: str
    weight: float
    term: Term
    schedule: Schedule

    @property
    def judges(self) -> tuple[str, ...]:
        """The generated images that the term says it has judged, see `judges`."""
        return getattr(self.term, "judges", ())

    def weight_at(self, step: int) -> float:
        """The weight in the step that follows `step` completed ones."""
        return self.weight * self.schedule.factor(step)


def active_terms(config: TrialConfig) -> tuple[list[WeightedTerm], list[WeightedTerm]]:
    """The generator's and the discriminator's terms with a weight other than 0, in the order of
    `all_losses`.

    Raises:
        ValueError: an unknown term, or a schedule that is none or belongs to no term.
        MissingWeights: a term's network is not there.
    """
    known = all_losses()
    for kind, names in (("losses", config.losses), ("schedules", config.schedules)):
        if unknown := sorted(set(names) - set(known)):
            raise ValueError(f"{kind}.{unknown[0]}: no such loss")
    on = []
    for name, entry in known.items():
        if weight := config.losses.get(name, 0.0):
            term: Term = entry(config) if isinstance(entry, type) else entry  # type: ignore[assignment]
            schedule = Schedule.of(config.schedules.get(name), f"schedules.{name}")
            on.append(WeightedTerm(name, float(weight), term, schedule))
    return [t for t in on if not t.name.startswith("d_")], [
        t for t in on if t.name.startswith("d_")
    ]
