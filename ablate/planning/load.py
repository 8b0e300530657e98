"""Reading and validation of study files, which reports all problems at once with their places."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ablate.planning.plan import TOO_LARGE
from ablate.planning.pretraining import MOST_LINKS, trained_studies
from ablate.reading.names import name_problems, patches
from ablate.reading.options import Schema
from ablate.reading.places import with_absolute_paths
from ablate.reading.problems import Problem, did_you_mean, schema_problems
from ablate.reading.schema import FACTOR_WORDS, STUDY_WORDS, Rules, study_schema
from ablate.reading.study_tree import find_study, read_study
from ablate.reading.tuning import (
    arranged,
    place_of,
    tries_tree,
    tuning_problems,
    with_first_value,
)
from ablate.reading.yaml_file import Node
from ablate.study.design import DesignError, all_designs, expand
from ablate.study.nouns import (
    Degradation,
    Factor,
    FurtherOutcome,
    Outcome,
    StudyError,
    StudySpec,
    Tuning,
)
from ablate.study.starts import SPACING, networks_of, trained_checkpoints
from ablate.trainers.core.menus import Menus
from ablate.trainers.core.trainer import CoreTrainer
from ablate.trainers.resolve import find_trainer, trainer_of
from ablate.trainers.trainer import StudyTrainer


def load_study(
    study: str | Path, overrides: Iterable[str] = (), menus: Menus | None = None
) -> StudySpec:
    """Return the study that a file describes, validated in every cell.

    Args:
        study: path of a study file, or name of a bundled study.
        overrides: `path=value` settings, applied to the file one after the other. Values are YAML.
            Relative paths in them are relative to the current folder, while those in the file are
            relative to the file.
        menus: what studies can choose from; None: what is installed.

    Raises:
        StudyError: one line per problem: `file:line:column: path: problem; did you mean X?`.
    """
    return _loaded(read_study(find_study(study), overrides), menus, MOST_LINKS)


def _loaded(tree: Node, menus: Menus | None, links: int) -> StudySpec:
    """Return the study that a tree describes.

    Args:
        tree: the study file.
        menus: what studies can choose from; None: what is installed.
        links: how many studies a chain of studies that start from each other may still have.

    Raises:
        StudyError: one line per problem.
    """
    if not links:
        raise StudyError(f"{tree.mark}: more than {MOST_LINKS} studies start from each other")
    trainer = find_trainer(tree, menus)
    if isinstance(trainer, Problem):
        raise error_of(tree, [trainer])

    # First each key for itself: the checks between keys below need a study that can be built.
    rules = trainer.rules()
    problems = schema_problems(tree.plain(), _schema(rules))
    problems += [
        problem
        for problem in (*name_problems(tree.plain()), *tuning_problems(tree.plain(), rules.paths))
        if not _covered(problem, problems)
    ]
    if problems:
        raise error_of(tree, problems)

    given, tree = tree, with_first_value(tree, rules.paths)
    settled = with_absolute_paths(tree, rules.paths)
    trainer = find_trainer(settled, menus)
    assert not isinstance(trainer, Problem)

    trained, problems = trained_studies(settled, lambda other: _loaded(other, menus, links - 1))
    if problems:
        raise error_of(tree, problems)

    spec = replace(_build(settled, trainer), trains=trained)
    problems = [
        *outcome_problems(spec, menus),
        *_network_problems(spec),
        *_code_problems(spec),
        *_word_problems(spec),
        *_cell_problems(spec, trainer, tree),
    ]
    if problems:
        raise error_of(tree, problems)
    if given is tree:
        return spec
    tuning, problems = _tuned(tree, spec, rules, menus)
    if problems:
        listed = "values" in given.at(("tune",))[1].plain()
        values = [item.text for item in tree.at(("tune", "values"))[1].value]  # type: ignore[union-attr]
        raise error_of(
            given, [place_of(problem, tuning.factor, values, listed) for problem in problems]
        )
    return replace(spec, tune=tuning)


def _tuned(
    tree: Node, spec: StudySpec, rules: Rules, menus: Menus | None
) -> tuple[Tuning, list[Problem]]:
    """Return how the arms of a study choose a value, and the problems of the study of the tries.

    Args:
        tree: the study file, which lists the values.
        spec: the study.
        rules: the rules of its file.
        menus: what studies can choose from; None: what is installed.
    """
    tries, factor = tries_tree(tree)
    settled = with_absolute_paths(tries, rules.paths)
    trainer = find_trainer(settled, menus)
    assert not isinstance(trainer, Problem)
    expansion = expand(spec)
    cells = sorted(expansion.cells, key=lambda cell: cell != expansion.reference)
    study = arranged(_build(settled, trainer), spec, cells)
    path = str(tree.at(("tune", "path"))[1].value)
    return Tuning(path, study, factor), _cell_problems(study, trainer, tries)


def schema(trainer: StudyTrainer | None = None) -> Schema:
    """Return the JSON Schema of study files that use this trainer; None: the core."""
    return _schema((trainer or CoreTrainer()).rules())


def _schema(rules: Rules) -> Schema:
    """Return the JSON Schema of study files whose trainer has these rules."""
    return study_schema(rules, all_designs())


def outcome_problems(spec: StudySpec, menus: Menus | None = None) -> list[Problem]:
    """Return what is wrong with the metrics, the scale, and the looks of a study's outcomes."""
    trainer, outcome = trainer_of(spec, menus), spec.outcome
    problems = trainer.outcome_problems(spec, outcome, ("outcome",))

    known = {outcome.metric: "is the primary outcome already"}
    for number, further in enumerate(outcome.also):
        place = ("outcome", "also", number)
        if further.metric in known:
            problems.append(Problem(place, f"{further.metric} {known[further.metric]}"))
        else:
            known[further.metric] = "is listed twice"
            problems += trainer.outcome_problems(spec, further, place)

    if outcome.scale == "log" and outcome.smallest_effect is None:
        message = "log needs a smallest_effect, a ratio minus 1: 0.1 for 10%"
        problems.append(Problem(("outcome", "scale"), message))
    return problems + _look_problems(spec)


def _network_problems(spec: StudySpec) -> list[Problem]:
    """Return what is wrong with the networks that a study's seeds are repeated with."""
    networks = networks_of(spec)
    if networks is None:
        return []

    problems = []
    for checkpoint in trained_checkpoints(spec):
        own = checkpoint.get("networks", networks)
        if own != networks:
            message = f"networks must be the same number in all arms, not {networks} and {own}"
            problems.append(Problem(("base", "checkpoint"), message))
        if checkpoint.get("per") == "seed":
            message = "per: seed can't be in one study with networks, which have seeds of their own"
            problems.append(Problem(("base", "checkpoint"), message))
    if max(spec.seeds) >= SPACING:
        problems.append(Problem(("seeds",), f"{TOO_LARGE}, not {max(spec.seeds)}"))
    return list(dict.fromkeys(problems))


def _code_problems(spec: StudySpec) -> list[Problem]:
    """Return what is wrong with the codes of a study's factors."""
    problems = []
    taken: dict[str, str] = {}
    for factor in spec.factors:
        if factor.code is None:
            continue
        place, code = ("factors", factor.name, "code"), factor.code.upper()
        if code in taken:
            message = f"{factor.code} is the code of {taken[code]} already"
            problems.append(Problem(place, message))
        elif code.isdigit() and len(factor.levels) > 2:
            many = len(factor.levels)
            message = (
                f"must be a letter, not {factor.code}: the number of one of {many} levels follows"
            )
            problems.append(Problem(place, message))
        taken.setdefault(code, factor.name)
    return problems


def _word_problems(spec: StudySpec) -> list[Problem]:
    """Return the plain names that are given to levels or metrics that don't exist."""
    problems = []
    for factor in spec.factors:
        for key in ("labels", "descriptions"):
            for level in factor.words.get(key, {}):
                if level not in factor.levels:
                    message = f"no level {level}{did_you_mean(level, factor.levels)}"
                    place = ("factors", factor.name, key, level)
                    problems.append(Problem(place, message, at_key=True))

    named = spec.words.get("metrics", {})
    known = trainer_of(spec).metrics(spec) if named else {}
    for metric in named:
        if metric not in known:
            message = f"no metric {metric}{did_you_mean(metric, known)}"
            problems.append(Problem(("metrics", metric), message, at_key=True))
    return problems


def _look_problems(spec: StudySpec) -> list[Problem]:
    """Return what is wrong with the looks of a study."""
    outcome, looks, problems = spec.outcome, spec.outcome.looks, []
    if outcome.spend and not looks:
        message = "spends nothing: without outcome.looks all seeds run"
        problems.append(Problem(("outcome", "spend"), message))
    networks = networks_of(spec)
    last, unit = (len(spec.seeds), "seeds") if networks is None else (networks, "networks")
    if looks and (list(looks) != sorted(looks) or looks[-1] != last):
        message = f"must rise to the number of {unit}, {last}, not {list(looks)}"
        problems.append(Problem(("outcome", "looks"), message))
    if looks and not spec.factors:
        message = "nothing is compared: the study has no factors"
        problems.append(Problem(("outcome", "looks"), message))
    return problems


def error_of(tree: Node, problems: list[Problem]) -> StudyError:
    """Return an error that lists all problems in the order of the file."""
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
    """Return whether a problem at the same place or above it is known already."""
    return any(problem.path[: len(other.path)] == other.path for other in problems if other.path)


def _build(tree: Node, trainer: StudyTrainer) -> StudySpec:
    """Return the study that a tree without problems describes."""
    study = tree.plain()
    outcome = dict(study["outcome"])
    outcome.setdefault("better", trainer.better(outcome["metric"]))
    degradation = Degradation(**outcome.pop("degradation", {}))
    looks = tuple(outcome.pop("looks", ()))
    also = tuple(_further(entry, trainer) for entry in outcome.pop("also", ()))

    return StudySpec(
        name=study["name"],
        question=study.get("question", ""),
        base=trainer.config(study.get("base") or {}),
        factors=tuple(
            Factor(
                name,
                patches(factor),
                factor.get("when", {}),
                factor.get("ordered"),
                factor.get("code"),
                {key: factor[key] for key in FACTOR_WORDS if key in factor},
            )
            for name, factor in (study.get("factors") or {}).items()
        ),
        design=_design(study.get("design", "full_factorial")),
        seeds=tuple(study["seeds"]),
        outcome=Outcome(**outcome, degradation=degradation, looks=looks, also=also),
        exclude=tuple(study.get("exclude", ())),
        equal_arms=tuple(tuple(group) for group in study.get("equal_arms", ())),
        notes=study.get("notes", ""),
        expect=study.get("expect") or {},
        words={key: study[key] for key in STUDY_WORDS if study.get(key)},
        trainer=None if isinstance(trainer, CoreTrainer) else trainer,
    )


def _further(entry: str | dict[str, Any], trainer: StudyTrainer) -> FurtherOutcome:
    """Return a further outcome, given as the name of its metric or as a map."""
    given = {"metric": entry} if isinstance(entry, str) else entry
    return FurtherOutcome(**{"better": trainer.better(given["metric"]), **given})


def _design(design: str | dict[str, Any]) -> dict[str, Any]:
    """Return a design as `{"kind": name, ...}`, with its options next to its kind."""
    if isinstance(design, str):
        return {"kind": design}
    ((kind, options),) = design.items()
    return (
        {"kind": kind, "cells": options} if isinstance(options, list) else {"kind": kind, **options}
    )


def _cell_problems(spec: StudySpec, trainer: StudyTrainer, tree: Node) -> list[Problem]:
    """Return what is wrong with the design, or with the config of any cell."""
    try:
        cells = expand(spec).cells
    except DesignError as error:
        return [Problem(path, message) for path, message in error.problems]
    return trainer.problems(spec, cells, tree)
