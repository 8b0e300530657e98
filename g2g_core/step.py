"""One optimisation step: discriminator, generator and average, on one forward pass of the generator."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from g2g_core.config import TrialConfig
from g2g_core.cross import CrossPass, DiscriminatorPass
from g2g_core.data.pairs import Batch
from g2g_core.losses import WeightedTerm, active_terms
from g2g_core.models.networks import Networks
from g2g_core.optimizers import gradient_norm, make_optimizer, update_average
from g2g_core.seeding import generator as seeded

Values = dict[str, Tensor]
"""Name -> scalar on the networks' device."""


class TrainingStep:
    """The step of a training run; it holds the optimizers.

    The generator's images are computed once and serve both updates: the discriminator sees them detached. The
    discriminator is frozen while the generator is updated. Numbers are those of the authors' order of computation.

    Args:
        config: losses, schedules, optimizers, warm-up, precision.
        networks: on their device, of their dtype; trained in place.

    Raises:
        ValueError: unknown losses, schedules or optimizer; discriminator terms for a model without discriminator.
    """

    def __init__(self, config: TrialConfig, networks: Networks) -> None:
        self.config = config
        self.networks = networks
        self.generator_terms, self.discriminator_terms = active_terms(config)
        if self.discriminator_terms and networks.discriminator is None:
            raise ValueError(f"losses.{self.discriminator_terms[0].name}: {config.model} has no discriminator")
        self.generator_optimizer = make_optimizer(config, networks.generator, config.lr_generator)
        self.discriminator_optimizer = (
            make_optimizer(config, networks.discriminator, config.lr_discriminator)
            if networks.discriminator is not None
            else None
        )

    def __call__(self, batch: Batch, step: int) -> Values:
        """Do the step that follows `step` completed ones.

        Args:
            batch: on the networks' device.
            step: completed steps; schedules, warm-up and random terms depend on it.

        Returns:
            `loss/<term>` (unweighted) of the terms that were on, `loss/total_generator`, `loss/total_discriminator`,
            `health/grad_norm_generator`, `health/grad_norm_discriminator`.
        """
        warming = step < self.config.discriminator_warmup
        values: Values = {}
        with torch.set_grad_enabled(not warming):
            cross = self.networks.make_pass(self.networks.generator, self.networks.discriminator, batch)
        if warming:
            with torch.no_grad():
                self._update_discriminator(cross, step, values)
        elif self.networks.generator_first:
            self._update_generator(cross, step, values)
            self._update_discriminator(cross, step, values)
        else:
            self._update_discriminator(cross, step, values)
            self._update_generator(cross, step, values)
        return values

    def _update_discriminator(self, cross: CrossPass, step: int, values: Values) -> None:
        """Update the discriminator on the real and the mixed images."""
        network, optimizer = self.networks.discriminator, self.discriminator_optimizer
        if network is None or optimizer is None or not _on(self.discriminator_terms, step):
            return
        with self._precision(cross.real.device):
            fake = cross.mixed
        with torch.enable_grad(), self._precision(cross.real.device):
            pair = DiscriminatorPass(
                network,
                cross.real,
                cross.labels,
                fake,
                cross.labels,
                len(cross.batch.content_images),
                lambda purpose: seeded(self.config.seed, purpose, step),
            )
            total = _weighted(self.discriminator_terms, pair, step, values)
        _minimise(total, network, optimizer)
        values["loss/total_discriminator"] = total.detach()
        values["health/grad_norm_discriminator"] = gradient_norm(network.parameters())

    def _update_generator(self, cross: CrossPass, step: int, values: Values) -> None:
        """Update the generator, then its average."""
        network = self.networks.generator
        if not _on(self.generator_terms, step):
            return
        with frozen(self.networks.discriminator), self._precision(cross.real.device):
            total = _weighted(self.generator_terms, cross, step, values)
        _minimise(total, network, self.generator_optimizer)
        values["loss/total_generator"] = total.detach()
        values["health/grad_norm_generator"] = gradient_norm(network.parameters())
        if self.networks.average is not None and self.config.ema_decay is not None:
            update_average(self.networks.average, network, self.config.ema_decay)

    def _precision(self, device: torch.device) -> AbstractContextManager[object]:
        """Mixed precision where the config asks for it."""
        if self.config.precision == "bfloat16":
            return torch.autocast(device.type, torch.bfloat16)
        return nullcontext()


@contextmanager
def frozen(network: nn.Module | None) -> Iterator[None]:
    """Inside, no parameter of the network gets a gradient."""
    trainable = [] if network is None else [p for p in network.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


def _on(terms: list[WeightedTerm], step: int) -> bool:
    return any(term.weight_at(step) for term in terms)


def _weighted(terms: list[WeightedTerm], seen: CrossPass | DiscriminatorPass, step: int, values: Values) -> Tensor:
    """The weighted sum (eqs. 4, 12) in the order of the terms; a term at weight 0 is not computed."""
    parts = []
    for term in terms:
        if weight := term.weight_at(step):
            value = term.term(seen)
            values[f"loss/{term.name}"] = value.detach()
            parts.append(weight * value)
    return torch.stack(parts).sum()


def _minimise(total: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """One step of the optimizer on the gradient of `total` by the network's parameters alone."""
    optimizer.zero_grad(set_to_none=True)
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    torch.autograd.backward(total, inputs=parameters)
    optimizer.step()
