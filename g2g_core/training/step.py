"""One optimization step of discriminator, generator, and average, on one forward pass."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from g2g_core.config import TrialConfig
from g2g_core.data.pairs import Batch
from g2g_core.losses.weighted import WeightedTerm, active_terms
from g2g_core.metrics.health import gradient_shares, update_ratio, verdict_accuracies
from g2g_core.models.networks import Networks
from g2g_core.passes.cross import CrossPass, DiscriminatorPass
from g2g_core.seeding import generator as seeded
from g2g_core.training.optimizers import gradient_norm, make_optimizer, update_average

Values = dict[str, Tensor]
"""Name -> scalar on the networks' device."""


class TrainingStep:
    """The step of a training run, with the optimizers.

    The generator's images are computed once and serve both updates: the discriminator sees them
    detached. The discriminator is frozen while the generator is updated. The order of computation
    is that of the authors' code.

    Args:
        config: losses, schedules, optimizers, warm-up, precision.
        networks: on their device, with their dtype; trained in place.

    Raises:
        ValueError: unknown losses, schedules, or optimizer; or discriminator terms for a model
            without a discriminator.
    """

    def __init__(self, config: TrialConfig, networks: Networks) -> None:
        self.config = config
        self.networks = networks
        self.generator_terms, self.discriminator_terms = active_terms(config)
        if self.discriminator_terms and networks.discriminator is None:
            raise ValueError(
                f"losses.{self.discriminator_terms[0].name}: {config.model} has no discriminator"
            )
        self.generator_optimizer = make_optimizer(config, networks.generator, config.lr_generator)
        self.discriminator_optimizer = (
            make_optimizer(config, networks.discriminator, config.lr_discriminator)
            if networks.discriminator is not None
            else None
        )

    def __call__(self, batch: Batch, step: int, health: dict[str, float] | None = None) -> Values:
        """Take the step that follows `step` completed ones.

        Args:
            batch: on the networks' device.
            step: number of completed steps; schedules, warm-up, and random terms depend on it.
            health: receives the values of `g2g_core.metrics.health`, at the cost of one backward
                pass per loss term. They don't change the numbers of the step. None measures
                nothing.

        Returns:
            `loss/<term>` (unweighted) of the active terms, `loss/total_generator`,
            `loss/total_discriminator`, `health/grad_norm_generator`,
            `health/grad_norm_discriminator`.
        """
        warming = step < self.config.discriminator_warmup
        values: Values = {}

        # The generator is not updated during the warm-up, so its pass runs without gradients.
        with torch.set_grad_enabled(not warming):
            cross = self.networks.make_pass(
                self.networks.generator, self.networks.discriminator, batch
            )
        if self.networks.image_by_image and not warming:
            cross.expect(
                name
                for term in self.generator_terms
                if term.weight_at(step)
                for name in term.judges
            )

        if warming:
            with torch.no_grad():
                self._update_discriminator(cross, step, values, health)
        elif self.networks.generator_first:
            self._update_generator(cross, step, values, health)
            self._update_discriminator(cross, step, values, health)
        else:
            self._update_discriminator(cross, step, values, health)
            self._update_generator(cross, step, values, health)
        return values

    def _update_discriminator(
        self, cross: CrossPass, step: int, values: Values, health: dict[str, float] | None
    ) -> None:
        """Update the discriminator on the real and the mixed images."""
        network, optimizer = self.networks.discriminator, self.discriminator_optimizer
        if network is None or optimizer is None or not _on(self.discriminator_terms, step):
            return

        # The pass computes the images in the gradient mode that it was made in.
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
            total = _sum(_weighted(self.discriminator_terms, pair, step, values))
            if health is not None:
                health |= self._accuracies(pair)

        norm = _minimize(total, network, optimizer)
        values["loss/total_discriminator"] = total.detach()
        values["health/grad_norm_discriminator"] = norm

    def _accuracies(self, pair: DiscriminatorPass) -> dict[str, float]:
        """Return how often the discriminator is right, before its update."""
        least_squares = any(term.name == "d_lsgan" for term in self.discriminator_terms)
        with torch.no_grad():
            fake = pair.discriminator(pair.fake, pair.fake_labels)[0]
            return verdict_accuracies(
                pair.real_verdict.detach(), fake, 0.5 if least_squares else 0.0
            )

    def _update_generator(
        self, cross: CrossPass, step: int, values: Values, health: dict[str, float] | None
    ) -> None:
        """Update the generator, then its average."""
        network = self.networks.generator
        if not _on(self.generator_terms, step):
            return

        with frozen(self.networks.discriminator), self._precision(cross.real.device):
            weighted = _weighted(self.generator_terms, cross, step, values)
            total = _sum(weighted)

        if health is None:
            norm = _minimize(total, network, self.generator_optimizer)
        else:
            health |= gradient_shares(weighted, _trained(network))
            before = [parameter.detach().clone() for parameter in _trained(network)]
            norm = _minimize(total, network, self.generator_optimizer)
            health["health/update_ratio_generator"] = update_ratio(before, _trained(network))

        values["loss/total_generator"] = total.detach()
        values["health/grad_norm_generator"] = norm
        if self.networks.average is not None and self.config.ema_decay is not None:
            update_average(self.networks.average, network, self.config.ema_decay)

    def _precision(self, device: torch.device) -> AbstractContextManager[object]:
        """Return the context of mixed precision if the config asks for it."""
        if self.config.precision == "bfloat16":
            return torch.autocast(device.type, torch.bfloat16)
        return nullcontext()


@contextmanager
def frozen(network: nn.Module | None) -> Iterator[None]:
    """Keep gradients away from all parameters of a network, inside the `with` block."""
    trainable = [] if network is None else _trained(network)
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


def _on(terms: list[WeightedTerm], step: int) -> bool:
    return any(term.weight_at(step) for term in terms)


def _weighted(
    terms: list[WeightedTerm], seen: CrossPass | DiscriminatorPass, step: int, values: Values
) -> dict[str, Tensor]:
    """Return the weighted value of each term, in the order of the terms.

    A term at weight 0 is not computed.
    """
    parts = {}
    for term in terms:
        if weight := term.weight_at(step):
            value = term.term(seen)
            values[f"loss/{term.name}"] = value.detach()
            parts[term.name] = weight * value
    return parts


def _sum(weighted: dict[str, Tensor]) -> Tensor:
    """Return the weighted sum of the terms (eqs. 4, 12)."""
    return torch.stack(list(weighted.values())).sum()


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _minimize(total: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
    """Take one optimizer step on the gradient of `total` by the parameters of the network alone.

    On a CPU, a gradient that isn't finite leaves the weights as they are, so that the step can be
    repeated to find where it goes wrong. A GPU isn't waited for.

    Returns:
        The L2 norm of the gradient.
    """
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total, inputs=_trained(network))
    norm = gradient_norm(network.parameters())
    if norm.device.type != "cpu" or torch.isfinite(norm):
        optimizer.step()
    return norm
