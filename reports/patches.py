"""What the factors of a plan change in the config of a trial: paths and values, read from the levels' patches."""

from collections.abc import Iterator, Mapping
from typing import Any

Plan = Mapping[str, Any]
UNTOLD = object()
"""The value of what neither the level nor the base says: some default."""


def levels_of(plan: Plan, factor: str) -> tuple[str, ...]:
    """The levels of a factor that some cell has, in the factor's order."""
    entry = plan["factors"][factor]
    first = str(entry.get("reference") or next(iter(entry["levels"])))
    there = {str(cell["levels"].get(factor, first)) for cell in plan["cells"]}
    return tuple(str(level) for level in entry["levels"] if str(level) in there)


def value_at(plan: Plan, factor: str, level: str, path: str) -> Any:
    """What a path of the config is at a level of a factor, others left aside; `UNTOLD` where the plan does not say."""
    patch = patch_of(plan, factor, level)
    return patch[path] if path in patch else _base(plan, path)


def changed(plan: Plan, factor: str) -> frozenset[str]:
    """The paths of the config that differ between the levels of a factor."""
    levels = levels_of(plan, factor)
    paths = {path for level in levels for path in patch_of(plan, factor, level)}
    return frozenset(
        name
        for path in paths
        for level in levels[1:]
        for name in _different(path, *(value_at(plan, factor, one, path) for one in (levels[0], level)))
    )


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


def _base(plan: Plan, path: str) -> Any:
    value: Any = plan.get("base", {})
    for key in path.split("."):
        value = value.get(key, UNTOLD) if isinstance(value, Mapping) else UNTOLD
    return value


def _different(path: str, one: Any, other: Any) -> Iterator[str]:
    """The path, or of mappings the paths inside, at which two values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            yield from _different(f"{path}.{key}", one.get(key, UNTOLD), other.get(key, UNTOLD))
    elif one != other:
        yield path
