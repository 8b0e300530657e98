"""The places where a study file sets a value, and the absolute paths of the files it names."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ablate.reading.options import Schema
from ablate.reading.yaml_file import Node
from ablate.study.nouns import StudySpec

TRAINED = "checkpoint.train"
"""Path into the config of the study that makes a checkpoint."""
SETTINGS = "checkpoint.set.base."
"""Start of the paths of what a study changes in the base of that study."""


def with_absolute_paths(tree: Node, rules: Mapping[str, Schema]) -> Node:
    """Return the tree with every path of a file made absolute.

    A relative path starts at the folder of the study file that contains it, which may be an
    extended file in another folder.

    Args:
        tree: a study file that follows the schema.
        rules: dotted path into the config -> rule of its value; the format `path` marks files.
    """
    paths = {path for path, rule in rules.items() if _is_path(rule)}

    def settle(node: Node, path: str) -> Node:
        if isinstance(node.value, dict):
            below = {
                key: settle(item, f"{path}.{key}" if path else key)
                for key, item in node.value.items()
            }
            return replace(node, value=below)
        # What a study changes in another one has the paths of its own config
        while path.startswith(SETTINGS):
            path = path.removeprefix(SETTINGS)
        if path == TRAINED and isinstance(node.value, str):
            # The name of a bundled study stays, unless a file has it
            file = os.path.normpath(node.folder / Path(node.value).expanduser())
            return replace(node, value=file, text=file) if os.path.isfile(file) else node  # noqa: PTH113
        if path in paths and isinstance(node.value, str) and node.value:
            absolute = os.path.normpath(node.folder / Path(node.value).expanduser())
            return replace(node, value=absolute, text=absolute)
        return node

    values = dict(tree.value) if isinstance(tree.value, dict) else {}
    if "base" in values:
        values["base"] = settle(values["base"], "")

    # With `path`, the levels are values of that path; without, they map paths to values
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
    """Return whether a rule, or one of its alternatives, is for the path of a file."""
    return rule.get("format") == "path" or any(_is_path(part) for part in rule.get("anyOf", ()))


def origin(
    path: tuple[str, ...], cell: Mapping[str, str], spec: StudySpec, tree: Node
) -> tuple[str | int, ...]:
    """Return where the file sets a value of a cell's config: in a factor's level, or in the base.

    Args:
        path: keys of the value in the config.
        cell: factor -> label of its level.
        spec: the study.
        tree: the study file that `spec` was read from.

    Returns:
        The path of the value from the root of the file.
    """
    # A level's longer paths are applied after its shorter ones, so they decide
    for factor in reversed(spec.factors):
        for patch in sorted(factor.levels[cell[factor.name]], key=len, reverse=True):
            steps = tuple(patch.split("."))
            if path[: len(steps)] == steps[: len(path)]:
                level = ("factors", factor.name, "levels", cell[factor.name])
                rest = path[len(steps) :]
                _, node = tree.at(level)
                # Levels of a factor with `path` are values; their file has no patch to point into
                has_patch = isinstance(node.value, dict) and patch in node.value
                return (*level, patch, *rest) if has_patch else (*level, *rest)

    return ("base", *path)
