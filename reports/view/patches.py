"""What the factors of a plan change in the config of a trial: paths and values, read from the
levels' patches."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Plan = Mapping[str, Any]
UNTOLD = object()
"""The value of what neither the level nor the base says: some default."""


def first_level(plan: Plan, factor: str) -> str:
    """The level of a factor that its others are compared with."""
    entry = plan["factors"][factor]
    return str(entry.get("reference") or next(iter(entry["levels"])))


def levels_of(plan: Plan, factor: str) -> tuple[str, ...]:
    """The levels of a factor that some cell has, in the factor's order."""
    first = first_level(plan, factor)
    there = {str(cell["levels"].get(factor, first)) for cell in plan["cells"]}
    return tuple(str(level) for level in plan["factors"][factor]["levels"] if str(level) in there)


def value_at(plan: Plan, factor: str, level: str, path: str) -> Any:
    """What a path of the config is at a level of a factor, others left aside; `UNTOLD` where the
    plan does not say."""
    value: Any = _config(plan, factor, level)
    for key in path.split("."):
        value = value.get(key, UNTOLD) if isinstance(value, Mapping) else UNTOLD
    return value


def changed(plan: Plan, factor: str) -> frozenset[str]:
    """The paths of the config that differ between the levels of a factor."""
    configs = [_config(plan, factor, level) for level in levels_of(plan, factor)]
    return frozenset(path for other in configs[1:] for path in _different("", configs[0], other))


def raised(plan: Plan, factor: str, before: str, level: str) -> frozenset[str]:
    """The paths whose number is larger at a level than at another one; a loss that is not named
    weighs 0."""
    one, other = (_config(plan, factor, name) for name in (before, level))
    return frozenset(
        path
        for path in _different("", one, other)
        if _number(plan, factor, level, path) > _number(plan, factor, before, path)
    )


def _number(plan: Plan, factor: str, level: str, path: str) -> float:
    """The number at a path, nan where there is none."""
    value = value_at(plan, factor, level, path)
    if value is UNTOLD and path.startswith("losses."):
        return 0.0
    return float(value) if isinstance(value, int | float) else math.nan


def changing(plan: Plan, path: str) -> tuple[str, ...]:
    """The factors between whose levels a path, or what is below it, differs."""
    return tuple(
        factor
        for factor in plan.get("factors", {})
        if any(name == path or name.startswith(f"{path}.") for name in changed(plan, factor))
    )


def patch_of(plan: Plan, factor: str, level: str) -> Mapping[str, Any]:
    """What a level of a factor sets: path of the config -> value."""
    patches: Mapping[str, Any] = plan["factors"][factor]["levels"]
    found: Mapping[str, Any] = patches.get(level, {})
    return found


def _config(plan: Plan, factor: str, level: str) -> Mapping[str, Any]:
    """The base with a level's patch applied, shorter paths first, as a trial has it."""
    config: Any = plan.get("base", {})
    for path, value in sorted(
        patch_of(plan, factor, level).items(), key=lambda change: change[0].count(".")
    ):
        config = _replaced(config, path.split("."), value)
    found: Mapping[str, Any] = config
    return found


def _replaced(config: Any, path: Sequence[str], value: Any) -> Any:
    """The config with another value at a path."""
    if not path:
        return value
    here = config if isinstance(config, Mapping) else {}
    return {**here, path[0]: _replaced(here.get(path[0]), path[1:], value)}


def _different(path: str, one: Any, other: Any) -> Iterator[str]:
    """The path, or of mappings the paths inside, at which two values differ; what is not there has
    nothing inside."""
    sides = [{} if side is UNTOLD else side for side in (one, other)]
    if all(isinstance(side, Mapping) for side in sides):
        for key in sorted({*sides[0], *sides[1]}):
            below = f"{path}.{key}" if path else key
            yield from _different(below, *(side.get(key, UNTOLD) for side in sides))
    elif one != other:
        yield path
