"""The config changes of a plan's factors: paths and values from the patches of the levels."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.documents.plan import first_level

Plan = Mapping[str, Any]
UNTOLD = object()
"""The value of a path that neither the level nor the base sets, so that a default holds."""


def levels_of(plan: Plan, factor: str) -> tuple[str, ...]:
    """Return the levels of a factor that occur in some cell, in the factor's order."""
    first = first_level(plan, factor)
    used = {str(cell["levels"].get(factor, first)) for cell in plan["cells"]}
    return tuple(str(level) for level in plan["factors"][factor]["levels"] if str(level) in used)


def value_at(plan: Plan, factor: str, level: str, path: str) -> Any:
    """Return the value of a config path at a level of a factor, with other factors left aside.

    Args:
        plan: the plan, as in plan.json.
        factor: the name of the factor.
        level: the label of one of its levels.
        path: a dotted path of the config.

    Returns:
        The value, or `UNTOLD` where the plan does not give one.
    """
    value: Any = _config(plan, factor, level)
    for key in path.split("."):
        value = value.get(key, UNTOLD) if isinstance(value, Mapping) else UNTOLD
    return value


def changed(plan: Plan, factor: str) -> frozenset[str]:
    """Return the config paths that differ between the levels of a factor."""
    configs = [_config(plan, factor, level) for level in levels_of(plan, factor)]
    return frozenset(path for other in configs[1:] for path in _different("", configs[0], other))


def raised(plan: Plan, factor: str, before: str, level: str) -> frozenset[str]:
    """Return the paths whose number is larger at one level of a factor than at another.

    A loss that a config does not name has weight 0.

    Args:
        plan: the plan, as in plan.json.
        factor: the name of the factor.
        before: the level that may have the smaller number.
        level: the level that may have the larger number.
    """
    one, other = (_config(plan, factor, name) for name in (before, level))
    return frozenset(
        path
        for path in _different("", one, other)
        if _number(plan, factor, level, path) > _number(plan, factor, before, path)
    )


def _number(plan: Plan, factor: str, level: str, path: str) -> float:
    """Return the number at a path; nan where there is none."""
    value = value_at(plan, factor, level, path)
    if value is UNTOLD and path.startswith("losses."):
        return 0.0
    return float(value) if isinstance(value, int | float) else math.nan


def changing(plan: Plan, path: str) -> tuple[str, ...]:
    """Return the factors between whose levels a path, or any path below it, differs."""
    return tuple(
        factor
        for factor in plan.get("factors", {})
        if any(name == path or name.startswith(f"{path}.") for name in changed(plan, factor))
    )


def patch_of(plan: Plan, factor: str, level: str) -> Mapping[str, Any]:
    """Return what a level of a factor sets, as config path -> value."""
    patches: Mapping[str, Any] = plan["factors"][factor]["levels"]
    patch: Mapping[str, Any] = patches.get(level, {})
    return patch


def _config(plan: Plan, factor: str, level: str) -> Mapping[str, Any]:
    """Return the base with a level's patch applied, shorter paths first, as a trial has it."""
    config: Any = plan.get("base", {})
    for path, value in sorted(
        patch_of(plan, factor, level).items(), key=lambda change: change[0].count(".")
    ):
        config = _replaced(config, path.split("."), value)
    patched: Mapping[str, Any] = config
    return patched


def _replaced(config: Any, path: Sequence[str], value: Any) -> Any:
    """Return the config with another value at a path."""
    if not path:
        return value
    here = config if isinstance(config, Mapping) else {}
    return {**here, path[0]: _replaced(here.get(path[0]), path[1:], value)}


def _different(path: str, one: Any, other: Any) -> Iterator[str]:
    """Yield the paths at which two values differ: those inside of mappings, else the path itself.

    A value that is missing counts as an empty mapping.
    """
    sides = [{} if side is UNTOLD else side for side in (one, other)]
    if all(isinstance(side, Mapping) for side in sides):
        for key in sorted({*sides[0], *sides[1]}):
            below = f"{path}.{key}" if path else key
            yield from _different(below, *(side.get(key, UNTOLD) for side in sides))
    elif one != other:
        yield path
