"""The study file, read and validated: everything that is wrong with it at once, each with its
place."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ablate.reading.config_checks import CHECKS, Finding, idle_factors, outcome_problems, sizes
from ablate.reading.menus import Menus, Schema, first_line, science_menus
from ablate.reading.problems import Problem, did_you_mean, schema_problems, shown
from ablate.reading.schema import option_rules, path_rules, study_schema
from ablate.reading.study_tree import find_study, read_study
from ablate.reading.yaml_file import Node
from ablate.study.design import DESIGNS, DesignError, expand
from ablate.study.nouns import Degradation, Factor, FurtherOutcome, Outcome, StudyError, StudySpec
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.command.config import CommandConfig
from ablate.trainers.command.problems import command_problems
from ablate.trainers.command.trainer import METRICS, CommandTrainer, command_options, written
from g2g_core.config import TrialConfig


def load_study(
    study: str | Path, overrides: Iterable[str] = (), menus: Menus | None = None
) -> StudySpec:
    """The study of a file, or of a bundled study's name, validated down to the config of every
    cell.

    Args:
        study: path of a study file, or name of a bundled one.
        overrides: `path=value`, applied to the file in order; values are YAML, relative paths in
            them are relative to the current folder (those in the file are relative to the file).
        menus: what can be chosen; None: what is installed.

    Raises:
        StudyError: a line for each thing that is wrong: `file:line:column: path: what; did you mean
            X?`.
    """
    menus = menus or science_menus()
    tree = read_study(find_study(study), overrides)
    options = command_options(tree.plain())
    problems = schema_problems(tree.plain(), schema(menus, options))
    problems += [
        problem for problem in _name_problems(tree.plain()) if not _covered(problem, problems)
    ]
    if problems:
        raise _error(tree, problems)
    spec = _build(
        _with_absolute_paths(tree, path_rules(menus) if options is None else option_rules(options)),
        menus,
    )
    problems = [*outcome_problems(spec, menus), *_cell_problems(spec, menus, tree)]
    if problems:
        raise _error(tree, problems)
    return spec


def schema(menus: Menus | None = None, options: Mapping[str, Any] | None = None) -> Schema:
    """The JSON Schema of the study file; `options` is the base of one whose trainer is a
    command."""
    designs = {name: first_line(design) for name, design in DESIGNS.items()}
    return study_schema(menus or science_menus(), designs, options)


def _error(tree: Node, problems: list[Problem]) -> StudyError:
    """All problems, in the order of the file."""
    lines = {}
    for problem in problems:
        mark, node = tree.at(problem.path)
        place = mark if problem.at_key or isinstance(node.value, dict | tuple) else node.mark
        text = (
            f"{place}: {problem.place}: {problem.message}"
            if problem.path
            else f"{place}: {problem.message}"
        )
        lines[place.source, place.line, place.column, text] = text
    return StudyError("\n".join(lines[key] for key in sorted(lines)))


def _covered(problem: Problem, problems: list[Problem]) -> bool:
    """Whether a problem at the same place or above is known already."""
    return any(problem.path[: len(other.path)] == other.path for other in problems if other.path)


def _name_problems(study: dict[str, Any]) -> Iterator[Problem]:
    """Names of factors and levels that do not exist, paths that two factors set, conditions that go
    in a circle."""
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
    """Expected verdicts of factors and levels that do not exist, or of a level that is compared
    with itself."""
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
    """An entry of `exclude` without its reason, or each arm of an entry of `equal_arms`."""
    if isinstance(entry, dict):
        yield path, {factor: level for factor, level in entry.items() if factor != "reason"}
    elif isinstance(entry, list):
        yield from (((*path, number), arm) for number, arm in enumerate(entry))


def _choice_problems(
    choice: Any, path: tuple[str | int, ...], levels: Mapping[str, list[str]]
) -> Iterator[Problem]:
    """Factors and levels of a `{factor: level}` that do not exist."""
    for factor, level in choice.items() if isinstance(choice, dict) else ():
        if factor not in levels:
            yield Problem(
                (*path, factor), f"no such factor{did_you_mean(factor, levels)}", at_key=True
            )
        elif levels[factor] and level not in levels[factor]:
            hint = did_you_mean(level, levels[factor])
            yield Problem((*path, factor), f"{shown(level)} is no level of {factor}{hint}")


def _labels(factor: Any) -> list[str]:
    """The labels of a factor's levels, as far as it has some."""
    levels = factor.get("levels") if isinstance(factor, dict) else None
    return list(levels) if isinstance(levels, dict) else []


def _conditions(name: str, factors: dict[str, Any]) -> set[str]:
    """All factors that a factor's `when` depends on, directly or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        factor = factors.get(waiting.pop())
        when = factor.get("when") if isinstance(factor, dict) else None
        for other in when if isinstance(when, dict) else ():
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _overlaps(factors: dict[str, Any]) -> Iterator[Problem]:
    """Paths that two factors set, so that one of them would have no effect."""
    owner: dict[str, str] = {}
    for name, factor in factors.items():
        for path in dict.fromkeys(path for patch in _patches(factor).values() for path in patch):
            if owner.setdefault(path, name) != name:
                yield Problem(
                    ("factors", name),
                    f"sets {path}, which factor {owner[path]} sets too",
                    at_key=True,
                )


def _patches(factor: Any) -> dict[str, dict[str, Any]]:
    """Label -> patch, of both forms of a factor; nothing where the file is wrong."""
    levels = factor.get("levels") if isinstance(factor, dict) else None
    if not isinstance(levels, dict):
        return {}
    if "path" in factor:
        return {label: {str(factor["path"]): value} for label, value in levels.items()}
    return {label: patch for label, patch in levels.items() if isinstance(patch, dict)}


def _with_absolute_paths(tree: Node, rules: Mapping[str, Schema]) -> Node:
    """The tree with every path of a file made absolute, from the folder of the file that names
    it."""
    paths = {path for path, rule in rules.items() if _is_path(rule)}

    def settle(node: Node, path: str) -> Node:
        if isinstance(node.value, dict):
            below = {
                key: settle(item, f"{path}.{key}" if path else key)
                for key, item in node.value.items()
            }
            return replace(node, value=below)
        if path in paths and isinstance(node.value, str) and node.value:
            absolute = os.path.normpath(node.folder / Path(node.value).expanduser())
            return replace(node, value=absolute, text=absolute)
        return node

    values = dict(tree.value) if isinstance(tree.value, dict) else {}
    if "base" in values:
        values["base"] = settle(values["base"], "")
    if "factors" in values and isinstance(values["factors"].value, dict):
        settled = {}
        for name, factor in values["factors"].value.items():
            inside = dict(factor.value) if isinstance(factor.value, dict) else {}
            path = str(inside["path"].value) if "path" in inside else ""
            levels = inside["levels"]
            labels = levels.value if isinstance(levels.value, dict) else {}
            inside["levels"] = replace(
                levels, value={label: settle(node, path) for label, node in labels.items()}
            )
            settled[name] = replace(factor, value=inside)
        values["factors"] = replace(values["factors"], value=settled)
    return replace(tree, value=values)


def _is_path(rule: Schema) -> bool:
    return rule.get("format") == "path" or any(_is_path(part) for part in rule.get("anyOf", ()))


def _build(tree: Node, menus: Menus) -> StudySpec:
    """The study of a tree without problems."""
    study = tree.plain()
    outcome = dict(study["outcome"])
    trainer = _trainer(tree)
    outcome.setdefault("better", "lower" if trainer else _direction(outcome["metric"], menus))
    base = study.get("base") or {}
    degradation = Degradation(**outcome.pop("degradation", {}))
    looks = tuple(outcome.pop("looks", ()))
    also = tuple(_further(entry, None if trainer else menus) for entry in outcome.pop("also", ()))
    return StudySpec(
        name=study["name"],
        question=study.get("question", ""),
        base=CommandConfig(base) if trainer else TrialConfig.from_dict(base),
        factors=tuple(
            Factor(name, _patches(factor), factor.get("when", {}), factor.get("ordered"))
            for name, factor in (study.get("factors") or {}).items()
        ),
        design=_design(study.get("design", "full_factorial")),
        seeds=tuple(study["seeds"]),
        outcome=Outcome(**outcome, degradation=degradation, looks=looks, also=also),
        exclude=tuple(study.get("exclude", ())),
        equal_arms=tuple(tuple(group) for group in study.get("equal_arms", ())),
        notes=study.get("notes", ""),
        expect=study.get("expect") or {},
        trainer=trainer,
    )


def _trainer(tree: Node) -> CommandTrainer | None:
    """The program that trains, with all options as they were written; None: the core trains."""
    study: Mapping[str, Node] = tree.value if isinstance(tree.value, dict) else {}
    told = study["trainer"].value if "trainer" in study else None
    if not isinstance(told, dict):
        return None
    factors = written(study["factors"]) if "factors" in study else {}
    folder = told.get("folder")
    here = told["command"].folder
    return CommandTrainer(
        command=str(told["command"].value),
        metrics=str(told["metrics"].value) if "metrics" in told else METRICS,
        folder=Path(
            os.path.normpath(
                folder.folder / Path(str(folder.value)).expanduser() if folder else here
            )
        ),
        base=written(study["base"]) if "base" in study else {},
        factors=tuple(Factor(name, _patches(factor)) for name, factor in factors.items()),
    )


def _further(entry: str | dict[str, Any], menus: Menus | None) -> FurtherOutcome:
    """A further outcome of its metric's name, or of a map; without menus metrics have no direction
    of their own."""
    given = {"metric": entry} if isinstance(entry, str) else entry
    usual = "lower" if menus is None else _direction(given["metric"], menus)
    return FurtherOutcome(**{"better": usual, **given})


def _design(design: str | dict[str, Any]) -> dict[str, Any]:
    """`{"kind": name, ...options}`."""
    if isinstance(design, str):
        return {"kind": design}
    ((kind, options),) = design.items()
    return (
        {"kind": kind, "cells": options} if isinstance(options, list) else {"kind": kind, **options}
    )


def _direction(metric: str, menus: Menus) -> str:
    """The metric's own better direction."""
    return menus.metrics[menus.metric_of(metric)].better or "lower"


def _cell_problems(spec: StudySpec, menus: Menus, tree: Node) -> list[Problem]:
    """What is wrong with the design, and with the config of any cell."""
    try:
        cells = expand(spec).cells
    except DesignError as error:
        return [Problem(path, message) for path, message in error.problems]
    patched = Patched(spec.base, spec.factors)
    found: dict[tuple[str | int, ...], Problem] = {}
    if spec.trainer:
        return command_problems(spec, cells)
    checks: list[Callable[[Any], list[Finding]]] = [
        PerLevels(patched, fields, lambda values, check=check: check(values, menus))  # type: ignore[misc]
        for fields, check in CHECKS
    ]
    for checked in (*checks, sizes(patched, cells)):
        for cell in cells:
            for path, message in checked(cell):
                place = _origin(path, cell, spec, tree)
                found.setdefault(place, Problem(place, message))
    return [*found.values(), *(() if found else idle_factors(spec, cells, menus))]


def _origin(
    path: tuple[str, ...], cell: Mapping[str, str], spec: StudySpec, tree: Node
) -> tuple[str | int, ...]:
    """Where the file sets a path of a cell's config: in a level of a factor, or in the base."""
    for factor in reversed(spec.factors):
        for patch in sorted(factor.levels[cell[factor.name]], key=len, reverse=True):
            steps = tuple(patch.split("."))
            if path[: len(steps)] == steps[: len(path)]:
                label = cell[factor.name]
                whole = ("factors", factor.name, "levels", label)
                _, node = tree.at(whole)
                inside = isinstance(node.value, dict) and patch in node.value
                return (
                    (*whole, patch, *path[len(steps) :])
                    if inside
                    else (*whole, *path[len(steps) :])
                )
    return ("base", *path)
