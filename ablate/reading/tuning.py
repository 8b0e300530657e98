"""The key `tune:` of a study file: its mistakes, its values, and the study of its tries."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ablate.reading.names import patches
from ablate.reading.options import Schema
from ablate.reading.problems import Problem, schema_problems
from ablate.reading.schema import FACTOR, LONGEST_NAME, NOT_FACTORS
from ablate.reading.study_tree import with_value
from ablate.reading.yaml_file import Node
from ablate.study.nouns import StudySpec
from ablate.study.tuning import RANGE, usual_seed

ENDING = "-tuning"
"""End of the name of the study of the tries, whose start is the name of the study itself."""
LEFT_OUT = ("tune", "design", "exclude", "expect", "notes")
"""Keys of a study that the study of its tries doesn't have."""
OF_VERDICTS = ("looks", "spend", "also")
"""Keys of an outcome that only verdicts need."""
DIGITS = 3
"""Digits of a value that is drawn from a range."""


def tuning_problems(study: Mapping[str, Any], rules: Mapping[str, Schema]) -> Iterator[Problem]:
    """Yield what is wrong with `tune:`, and where it contradicts other keys.

    Args:
        study: the plain values of a study file, which need not follow the schema.
        rules: dotted path -> rule of its value.
    """
    tune = study.get("tune")
    if not isinstance(tune, dict):
        return
    path, name = str(tune.get("path")), study.get("name")
    if isinstance(name, str) and len(name) + len(ENDING) > LONGEST_NAME:
        most = LONGEST_NAME - len(ENDING)
        message = f"with tune, at most {most} characters: the tries are the study NAME{ENDING}"
        yield Problem(("name",), message)
    if path in rules:
        wrong = list(_path_problems(path, study))
        check = _list_problems if "values" in tune else _range_problems
        yield from wrong or check(tune, rules[path])

    replicates = study.get("seeds")
    for number, seed in enumerate(tune.get("seeds") or ()):
        if isinstance(replicates, list) and seed in replicates:
            message = f"{seed} is a replicate; tries need seeds that decide nothing else"
            yield Problem(("tune", "seeds", number), message)


def _path_problems(path: str, study: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield why the value at a path can't be chosen."""
    place = ("tune", "path")
    if path.partition(".")[0] == "checkpoint":
        yield Problem(place, "a checkpoint can't be chosen, since tries and trials start from it")
    factors = study.get("factors")
    for name, factor in factors.items() if isinstance(factors, dict) else ():
        for other in dict.fromkeys(path for patch in patches(factor).values() for path in patch):
            if f"{other}.".startswith(f"{path}.") or f"{path}.".startswith(f"{other}."):
                yield Problem(place, f"factor {name} sets {other}; arms can't choose it too")


def _list_problems(tune: Mapping[str, Any], rule: Schema) -> Iterator[Problem]:
    """Yield what is wrong with values that are listed."""
    for key in (*RANGE, "scale"):
        if key in tune:
            yield Problem(("tune", key), "goes with a range, and not with values", at_key=True)
    values = tune["values"]
    for number, value in enumerate(values if isinstance(values, list) else ()):
        yield from schema_problems(value, rule, ("tune", "values", number))


def _range_problems(tune: Mapping[str, Any], rule: Schema) -> Iterator[Problem]:
    """Yield what is wrong with a range."""
    given = [key for key in RANGE if key in tune]
    if missing := [key for key in RANGE if key not in tune]:
        message = (
            f"a range needs from, to, and tries; {missing[0]} is missing"
            if given
            else "needs values: [...], or a range: from, to, and tries"
        )
        yield Problem(("tune",), message)
        return

    low, high = tune["from"], tune["to"]
    if not (_is_number(low) and _is_number(high)):
        return
    if not {"number", "integer"} & {*_kinds(rule)}:
        yield Problem(("tune",), f"{tune.get('path')} isn't a number; list its values instead")
        return
    yield from schema_problems(low, rule, ("tune", "from"))
    yield from schema_problems(high, rule, ("tune", "to"))
    if low >= high:
        yield Problem(("tune", "to"), f"must be above from, {low:g}")
    elif tune.get("scale") == "log" and low <= 0:
        yield Problem(("tune", "from"), "must be above 0 on the scale log")
    elif isinstance(tune["tries"], int) and tune["tries"] > 1:
        different = len(set(_drawn(tune, rule)))
        if different < tune["tries"]:
            message = f"the range gives only {different} different values"
            yield Problem(("tune", "tries"), message)


def _kinds(rule: Schema) -> list[str]:
    """Return the types that a rule allows."""
    kinds = rule.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _is_number(value: Any) -> bool:
    """Return whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def with_first_value(tree: Node, rules: Mapping[str, Schema]) -> Node:
    """Return a study whose `tune:` lists its values, with the first one in its `base:`.

    So what is written in `base:` at that path doesn't matter.

    Args:
        tree: a study file without problems.
        rules: dotted path -> rule of its value.
    """
    tune = tree.value.get("tune") if isinstance(tree.value, dict) else None
    if tune is None or not isinstance(tune.value, dict):
        return tree
    path = str(tune.value["path"].value)
    if "values" not in tune.value:
        drawn = [
            Node(value, tune.mark, repr(value), tune.folder)
            for value in _drawn(tune.plain(), rules[path])
        ]
        tree = with_value(tree, "tune.values", Node(tuple(drawn), tune.mark))
    _, values = tree.at(("tune", "values"))
    assert isinstance(values.value, tuple)
    return with_value(tree, f"base.{path}", values.value[0])


def _drawn(tune: Mapping[str, Any], rule: Schema) -> list[float]:
    """Return the values of a range: quasi-random, and the first ones stay if more are asked for."""
    from scipy.stats import qmc  # takes a second

    shares = qmc.Halton(d=1, scramble=False).fast_forward(1).random(tune["tries"])[:, 0]
    low, high = float(tune["from"]), float(tune["to"])
    values = []
    for share in map(float, shares):
        value = (
            low * (high / low) ** share
            if tune.get("scale") == "log"
            else low + (high - low) * share
        )
        whole = "number" not in _kinds(rule)
        values.append(round(value) if whole else float(f"{value:.{DIGITS}g}"))
    return values


def tries_tree(tree: Node) -> tuple[Node, str]:
    """Return the study of the tries of a study, and the factor whose levels are the values.

    Args:
        tree: a study whose `tune:` lists its values, see `with_first_value`.
    """
    assert isinstance(tree.value, dict)
    values = dict(tree.value)
    tune, mark = values["tune"], tree.mark
    path, tried = tune.at(("path",))[1], tune.at(("values",))[1]
    assert isinstance(tried.value, tuple)
    factors = values.get("factors", Node({}, mark))
    factor = _factor_name(str(path.value), factors.plain())
    levels = {item.text: item for item in tried.value}
    entry = {"path": path, "levels": Node(levels, tried.mark)}

    name, seeds = str(values["name"].value), values["seeds"].plain()
    own = tune.plain().get("seeds") or [usual_seed(seeds)]
    outcome = values["outcome"]
    assert isinstance(outcome.value, dict)
    decided = {key: node for key, node in outcome.value.items() if key not in OF_VERDICTS}
    question = f"Which {path.value} suits each arm of {name}?"
    values |= {
        "name": Node(f"{name}{ENDING}", mark),
        "question": Node(question, mark),
        "seeds": Node(tuple(Node(seed, mark) for seed in own), mark),
        "outcome": replace(outcome, value=decided),
        "factors": with_value(factors, factor, Node(entry, tune.mark)),
    }
    kept = {key: node for key, node in values.items() if key not in LEFT_OUT}
    return replace(tree, value=kept), factor


def _factor_name(path: str, factors: Any) -> str:
    """Return the name of the factor of the tries: the end of the path, if that is free."""
    taken = {*NOT_FACTORS, *(factors if isinstance(factors, dict) else ())}
    names = (path.rpartition(".")[2], path.replace(".", "_"), *(f"tried{n}" for n in range(99)))
    return next(name for name in names if re.search(FACTOR, name) and name not in taken)


def arranged(study: StudySpec, spec: StudySpec, cells: Sequence[Mapping[str, str]]) -> StudySpec:
    """Return the study of the tries with its cells: every arm of the study with every value.

    Args:
        study: the study of the tries, whose last factor has the values.
        spec: the study itself.
        cells: its cells, first the reference.
    """
    reference = cells[0]
    *own, tried = study.factors
    # A cell that a design doesn't name is at the first levels, and here that is the reference
    factors = tuple(
        replace(
            factor,
            when={},
            levels={
                label: factor.levels[label]
                for label in sorted(factor.levels, key=lambda one: one != reference[factor.name])
            },
        )
        for factor in own
    )
    listed = [{**cell, tried.name: label} for cell in cells for label in tried.levels]
    return replace(
        study,
        factors=(*factors, tried),
        design={"kind": "custom", "cells": listed},
        trains=spec.trains,
    )


def place_of(problem: Problem, factor: str, values: Sequence[str], listed: bool) -> Problem:
    """Return a problem of the study of the tries where the study file causes it.

    Args:
        problem: the problem.
        factor: the factor whose levels are the values.
        values: the labels of the values.
        listed: whether the file lists the values.
    """
    if problem.path[:2] != ("factors", factor):
        return problem
    if problem.path[2:3] != ("levels",) or len(problem.path) < 4:
        return Problem(("tune", "path"), "changes nothing: every value trains alike in every arm")
    label = str(problem.path[3])
    if listed:
        return Problem(("tune", "values", values.index(label)), problem.message)
    return Problem(("tune",), f"{label}: {problem.message}")
