"""How many first steps two training runs have in common, bit by bit."""

from collections.abc import Callable, Mapping
from typing import Any

from g2g_core.config import TrialConfig, canonical, facts
from g2g_core.losses.schedules import Schedule

LATER = ("losses", "schedules", "discriminator_warmup", "lr_generator", "lr_discriminator")
"""Fields that may begin to act after the first step."""

Weight = Callable[[int], float]
"""Weight of a term in the step that follows a number of completed ones."""


def common_steps(one: TrialConfig, other: TrialConfig) -> int:
    """Return the number of first steps after which two runs are still bit-identical.

    Runs differ from the first step on unless they differ only in weights and schedules of losses,
    in the discriminator's warm-up, or in learning rates, which act once their network is trained.
    Both runs must also measure and record in the same way, because records are compared too, and
    start from the same checkpoint, which isn't compared here.

    Args:
        one: a config.
        other: another config.

    Returns:
        From 0 to the number of steps; all steps if both train alike.
    """
    first, second = one.to_dict(), other.to_dict()
    for name, known in facts().items():
        if name in LATER or known.neutral:
            continue
        if canonical(name, first) != canonical(name, second) or (
            # Whether there is a checkpoint says nothing about which one it is
            name == "checkpoint" and first[name] != second[name]
        ):
            return 0

    here, there = _weights(first), _weights(second)
    names = here.keys() | there.keys()
    # Which term the discriminator has also decides how its accuracy is measured
    if any(name.startswith("d_") and (name not in here or name not in there) for name in names):
        return 0

    parts = [one.steps]
    if one.discriminator_warmup != other.discriminator_warmup:
        parts.append(min(one.discriminator_warmup, other.discriminator_warmup))
    for name in names:
        warmup = 0 if name.startswith("d_") else one.discriminator_warmup
        parts.append(
            _first(_differ(here.get(name), there.get(name)), warmup, _turns(name, first, second))
        )
    for field, kind in (("lr_generator", False), ("lr_discriminator", True)):
        if first[field] != second[field]:
            parts.append(min(_trained_from(config, kind) for config in (one, other)))
    return min(parts)


def _weights(values: Mapping[str, Any]) -> dict[str, Weight]:
    """Return the weight of each active term of a plain config."""
    schedules = canonical("schedules", values)

    def of(name: str, weight: float) -> Weight:
        schedule = Schedule.of(schedules.get(name), f"schedules.{name}")
        return lambda step: weight * schedule.factor(step)

    return {name: of(name, weight) for name, weight in canonical("losses", values).items()}


def _differ(one: Weight | None, other: Weight | None) -> Callable[[int], bool]:
    """Return a function that says whether two weights differ in a step."""
    first, second = one or _nothing, other or _nothing
    return lambda step: first(step) != second(step)


def _nothing(_step: int) -> float:
    """Return the weight of a term that is off."""
    return 0.0


def _turns(name: str, *configs: Mapping[str, Any]) -> list[int]:
    """Return all steps at which the line of a term's weight may bend or jump."""
    schedules = [config["schedules"].get(name) or {} for config in configs]
    ends = [int(schedule.get(key, 0)) for schedule in schedules for key in ("start", "end")]
    return sorted({max(0, end + shift) for end in ends for shift in (-1, 0, 1)} | {0})


def _first(differ: Callable[[int], bool], start: int, turns: list[int]) -> int:
    """Return the first step from `start` on in which two weights differ.

    Between two turns both weights lie on lines. Lines that meet at the first turn and not at the
    second differ in every step between them.

    Args:
        differ: whether the weights differ in a step.
        start: first step that counts.
        turns: steps between which neither weight bends.
    """
    before = start
    for turn in (start, *(turn for turn in turns if turn > start), max(start, *turns) + 1):
        if differ(turn):
            return turn if turn == start or differ(before) else before + 1
        before = turn
    return 2**62


def _trained_from(config: TrialConfig, discriminator: bool) -> int:
    """Return the first step in which a network is updated."""
    start = 0 if discriminator else config.discriminator_warmup
    values = config.to_dict()
    return min(
        (
            _first(_differ(weight, None), start, _turns(name, values))
            for name, weight in _weights(values).items()
            if name.startswith("d_") == discriminator
        ),
        default=2**62,
    )
