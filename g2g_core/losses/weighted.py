"""The terms that a config switches on, with their weights and schedules."""

from dataclasses import dataclass

from g2g_core.config import TrialConfig
from g2g_core.losses.menu import all_losses
from g2g_core.losses.schedules import Schedule
from g2g_core.losses.term import Term


@dataclass(frozen=True)
class WeightedTerm:
    """An active term with its weight and its schedule.

    Attributes:
        name: key of the term in `all_losses`.
        weight: weight in the config, never 0.
        term: function from a pass to an unweighted scalar.
        schedule: factor on the weight over the steps.
    """

    name: str
    weight: float
    term: Term
    schedule: Schedule

    @property
    def judges(self) -> tuple[str, ...]:
        """The generated images that the term judges, as marked by `judges`."""
        return getattr(self.term, "judges", ())

    def weight_at(self, step: int) -> float:
        """Return the weight in the step that follows `step` completed ones."""
        return self.weight * self.schedule.factor(step)


def active_terms(config: TrialConfig) -> tuple[list[WeightedTerm], list[WeightedTerm]]:
    """Return the terms with a weight other than 0, in the order of `all_losses`.

    Returns:
        The generator's terms and the discriminator's terms.

    Raises:
        ValueError: an unknown term, an invalid schedule, or a schedule of an unknown term.
        MissingWeights: the weights of a term's network are not installed.
    """
    known = all_losses()
    for kind, names in (("losses", config.losses), ("schedules", config.schedules)):
        if unknown := sorted(set(names) - set(known)):
            raise ValueError(f"{kind}.{unknown[0]}: no such loss")

    active = []
    for name, entry in known.items():
        if weight := config.losses.get(name, 0.0):
            term: Term = entry(config) if isinstance(entry, type) else entry  # type: ignore[assignment]
            schedule = Schedule.of(config.schedules.get(name), f"schedules.{name}")
            active.append(WeightedTerm(name, float(weight), term, schedule))

    generator_terms = [weighted for weighted in active if not weighted.name.startswith("d_")]
    discriminator_terms = [weighted for weighted in active if weighted.name.startswith("d_")]
    return generator_terms, discriminator_terms
