"""Checks of the names in a study file: factors, levels, conditions, and paths."""

from collections.abc import Iterator, Mapping
from typing import Any

from ablate.reading.problems import Problem, did_you_mean, shown


def name_problems(study: dict[str, Any]) -> Iterator[Problem]:
    """Yield the problems with the names of factors and levels in a study.

    These are names that do not exist, paths that two factors set, and conditions (`when`) that
    form a cycle.

    Args:
        study: the plain values of a study file, which need not follow the schema.
    """
    factors = study.get("factors")
    factors = factors if isinstance(factors, dict) else {}
    levels = {name: _labels(factor) for name, factor in factors.items()}

    for name, factor in factors.items():
        when = factor.get("when") if isinstance(factor, dict) else None
        if isinstance(when, dict):
            yield from _choice_problems(when, ("factors", name, "when"), levels)
            if name in _conditions(name, factors):
                yield Problem(("factors", name, "when"), "goes in a circle: it depends on itself")

    for key in ("exclude", "equal_arms"):
        for number, entry in enumerate(study[key] if isinstance(study.get(key), list) else ()):
            for path, choice in _choices(entry, (key, number)):
                yield from _choice_problems(choice, path, levels)

    design = study.get("design")
    cells = design.get("custom") if isinstance(design, dict) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else ()):
        yield from _choice_problems(cell, ("design", "custom", number), levels)

    yield from _expectations(study.get("expect"), levels)
    yield from _overlaps(factors)


def _expectations(expect: Any, levels: Mapping[str, list[str]]) -> Iterator[Problem]:
    """Yield the problems with the names of expected verdicts: `factor`, or `factor=level`.

    A name is wrong if its factor or level does not exist, or if the level is the first one, which
    would be compared with itself.
    """
    for name in expect if isinstance(expect, dict) else ():
        factor, equals, level = name.partition("=")
        place = ("expect", name)
        if factor not in levels:
            hint = did_you_mean(factor, levels)
            yield Problem(place, f"no such factor{hint}", at_key=True)
        elif equals and level not in levels[factor]:
            hint = did_you_mean(level, levels[factor][1:])
            yield Problem(place, f"{shown(level)} is no level of {factor}{hint}", at_key=True)
        elif equals and level == levels[factor][0]:
            message = (
                f"{shown(level)} is the first level of {factor}, which the others are compared with"
            )
            yield Problem(place, message, at_key=True)


def _choices(
    entry: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path and the `{factor: level}` of each arm that an entry names.

    An entry of `exclude` is an arm with a reason; an entry of `equal_arms` is a list of arms.
    """
    if isinstance(entry, dict):
        yield path, {factor: level for factor, level in entry.items() if factor != "reason"}
    elif isinstance(entry, list):
        yield from (((*path, number), arm) for number, arm in enumerate(entry))


def _choice_problems(
    choice: Any, path: tuple[str | int, ...], levels: Mapping[str, list[str]]
) -> Iterator[Problem]:
    """Yield the problems with the factors and levels that a `{factor: level}` names."""
    for factor, level in choice.items() if isinstance(choice, dict) else ():
        if factor not in levels:
            yield Problem(
                (*path, factor), f"no such factor{did_you_mean(factor, levels)}", at_key=True
            )
        elif levels[factor] and level not in levels[factor]:
            hint = did_you_mean(level, levels[factor])
            yield Problem((*path, factor), f"{shown(level)} is no level of {factor}{hint}")


def _labels(factor: Any) -> list[str]:
    """Return the labels of a factor's levels; an empty list if they aren't a map."""
    levels = factor.get("levels") if isinstance(factor, dict) else None
    return list(levels) if isinstance(levels, dict) else []


def _conditions(name: str, factors: dict[str, Any]) -> set[str]:
    """Return all factors that a factor's `when` depends on, directly or through others."""
    conditions: set[str] = set()
    waiting = [name]
    while waiting:
        factor = factors.get(waiting.pop())
        when = factor.get("when") if isinstance(factor, dict) else None
        for other in when if isinstance(when, dict) else ():
            if other not in conditions:
                conditions.add(other)
                waiting.append(other)
    return conditions


def _overlaps(factors: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each path that two factors set, since one would have no effect."""
    owner: dict[str, str] = {}
    for name, factor in factors.items():
        for path in dict.fromkeys(path for patch in patches(factor).values() for path in patch):
            if owner.setdefault(path, name) != name:
                yield Problem(
                    ("factors", name),
                    f"sets {path}, which factor {owner[path]} sets too",
                    at_key=True,
                )


def patches(factor: Any) -> dict[str, dict[str, Any]]:
    """Return label -> patch for either form of a factor; nothing if the factor is malformed.

    The patch of a level maps dotted paths into the config to values. A factor has one of two forms:
    `{path, levels: {label: value}}` or `{levels: {label: {path: value}}}`.
    """
    levels = factor.get("levels") if isinstance(factor, dict) else None
    if not isinstance(levels, dict):
        return {}
    if "path" in factor:
        return {label: {str(factor["path"]): value} for label, value in levels.items()}
    return {label: patch for label, patch in levels.items() if isinstance(patch, dict)}
