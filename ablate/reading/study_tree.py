"""Read a study file, the files it extends, and overrides into one tree of values with places.

Labels of levels become text in the tree, as the file has them.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from ablate.reading.problems import did_you_mean
from ablate.reading.yaml_file import Mark, Node, parse_option, read_yaml
from ablate.study.nouns import StudyError

DEEPEST_CHAIN = 20
"""Limit for the files in a chain of `extends`."""


def bundled_studies() -> dict[str, Path]:
    """Return name -> file of the studies that come with the package."""
    paths = sorted(
        Path(str(entry)) for entry in files("studies").iterdir() if entry.name.endswith(".yaml")
    )
    return {path.stem: path for path in paths}


def find_study(name: str | Path) -> Path:
    """Return the study file that a path or the name of a bundled study refers to.

    A file takes precedence over a bundled study of the same name.

    Raises:
        StudyError: neither exists.
    """
    try:
        if Path(name).is_file():
            return Path(name)
        if Path(name).is_dir():
            raise StudyError(f"{name}: is a folder, not a study file")
    except (OSError, ValueError):
        raise StudyError(f"{str(name)[:100]!r}: no such study file") from None

    bundled = bundled_studies()
    if str(name) in bundled:
        return bundled[str(name)]

    hint = (
        did_you_mean(Path(name).stem, bundled)
        or "; `g2g-ablate list studies` names the bundled ones"
    )
    raise StudyError(f"{name}: no such study file{hint}")


def read_study(
    path: Path, overrides: Iterable[str] = (), settings: Mapping[str, Node] | None = None
) -> Node:
    """Return the merged tree of a study file, with overrides applied and labels as text.

    Args:
        path: the study file.
        overrides: texts of the form `path=value`, where the path has dots and the value is YAML.
        settings: dotted path -> value, which another study file changes in this one.

    Raises:
        StudyError: a file cannot be read, `extends` forms a cycle, or an override has no `=`.
    """
    tree = _extended(path, ())
    for name, node in (settings or {}).items():
        tree = with_value(tree, name, node)
    for option in overrides:
        name, equals, text = option.partition("=")
        cited = f"--set {' '.join(option.split())[:80]}"
        if not equals or not name.strip():
            raise StudyError(f"{cited}: must be path=value, e.g. base.steps=100")
        tree = with_value(tree, name.strip(), parse_option(cited, text))
    return _labels_as_text(tree)


def merge(parent: Node, child: Node) -> Node:
    """Return the child merged over the parent: maps merge by key, everything else is replaced."""
    if not isinstance(parent.value, dict) or not isinstance(child.value, dict):
        return child
    values = dict(parent.value)
    for key, node in child.value.items():
        values[key] = merge(values[key], node) if key in values else node
    return replace(child, value=values, keys={**parent.keys, **child.keys})


def _extended(path: Path, chain: tuple[Path, ...]) -> Node:
    """Return a file merged over the files that it extends.

    Args:
        path: the file.
        chain: the resolved paths of the files that extend it, the outermost first.

    Raises:
        StudyError: a file is missing or invalid, the chain forms a cycle or is too long, or a
            factor is `null` that the extended file does not have.
    """
    real = path.resolve()
    if real in chain:
        circle = " -> ".join(step.name for step in (*chain[chain.index(real) :], real))
        raise StudyError(f"{path}: extends goes in a circle: {circle}")
    if len(chain) >= DEEPEST_CHAIN:
        raise StudyError(f"{path}: more than {DEEPEST_CHAIN} files extend each other")

    tree = read_yaml(path)
    if tree.value is None:
        raise StudyError(f"{path}: the file is empty")
    if not isinstance(tree.value, dict):
        raise StudyError(f"{tree.mark}: a study file is a map with name, base, factors, ...")

    parent = tree.value.get("extends")
    if parent is None:
        return tree
    if not isinstance(parent.value, str) or not parent.value or "\0" in parent.value:
        raise StudyError(
            f"{parent.mark}: extends: must be the path of a study file, "
            "or the name of a bundled study"
        )

    extended = _extended(_parent(path, parent), (*chain, real))
    _refuse_unknown_drops(tree, extended)
    merged = merge(extended, tree)
    values = {key: node for key, node in merged.value.items() if key != "extends"}  # type: ignore[union-attr]
    return _at(replace(merged, value=values), ("factors",), _without_dropped)


def _parent(path: Path, extends: Node) -> Path:
    """Return the file that `extends` names: a path relative to `path`, or a bundled study.

    A file takes precedence over a bundled study of the same name.
    """
    name = str(extends.value)
    file = Path(os.path.normpath(path.parent / name))
    if file.is_file():
        return file

    bundled = bundled_studies()
    if name.removesuffix(".yaml") in bundled:
        return bundled[name.removesuffix(".yaml")]

    if file.is_dir():
        raise StudyError(f"{extends.mark}: extends: {name}: is a folder, not a study file")
    siblings = [other.name for other in file.parent.glob("*.yaml")]
    hint = did_you_mean(file.name, (*siblings, *bundled))
    raise StudyError(f"{extends.mark}: extends: {name}: no such file{hint}")


def _refuse_unknown_drops(tree: Node, extended: Node) -> None:
    """Refuse a factor that is `null` if the extended file has no factor of this name.

    `null` removes a factor of the extended file. A misspelled name would remove nothing and leave
    the factor in the study.

    Raises:
        StudyError: the extended file has no such factor.
    """
    own, inherited = (
        factors.value
        if (factors := node.value.get("factors")) and isinstance(factors.value, dict)
        else {}
        for node in (tree, extended)
        if isinstance(node.value, dict)
    )
    for name, node in own.items():
        if node.value is None and name not in inherited:
            hint = did_you_mean(name, inherited)
            raise StudyError(
                f"{node.mark}: factors.{name}: null, but the extended file has no such factor{hint}"
            )


def _without_dropped(factors: Node) -> Node:
    """Return the factors without those that the extending file removes with `null`."""
    if not isinstance(factors.value, dict):
        return factors
    return replace(
        factors,
        value={name: node for name, node in factors.value.items() if node.value is not None},
    )


def with_value(tree: Node, name: str, new: Node) -> Node:
    """Return the tree with the value at a dotted path replaced; missing maps are added.

    Keys can contain dots themselves, such as the paths in a level. The longest key that fits the
    path is taken.
    """
    values = dict(tree.value) if isinstance(tree.value, dict) else {}
    known = [key for key in values if name == key or name.startswith(key + ".")]
    key = max(known, key=len) if known else name.partition(".")[0]
    rest = name[len(key) + 1 :]

    values[key] = with_value(values.get(key, Node({}, new.mark)), rest, new) if rest else new
    keys = {**tree.keys} if isinstance(tree.value, dict) else {}
    keys[key] = keys.get(key, new.mark) if rest else new.mark
    return replace(tree, value=values, keys=keys)


def _labels_as_text(tree: Node) -> Node:
    """Return the tree with each label of a level, and each code, as the text that the file has.

    So the labels `0.10`, `true`, and `64` are text wherever the file names a level.
    """
    tree = _at(tree, ("factors", "*", "levels"), _listed_levels)
    for path in (
        ("factors", "*", "code"),
        ("factors", "*", "when", "*"),
        ("exclude", "*", "*"),
        ("equal_arms", "*", "*", "*"),
        ("design", "custom", "*", "*"),
        ("base", "checkpoint", "trial", "*"),
        ("factors", "*", "levels", "*", "trial", "*"),
        ("factors", "*", "levels", "*", "checkpoint", "trial", "*"),
    ):
        tree = _at(tree, path, _text)
    return tree


def _text(node: Node) -> Node:
    """Return a scalar as the text that the file has; lists and maps stay."""
    return node if isinstance(node.value, dict | tuple | str) else replace(node, value=node.text)


def _listed_levels(node: Node) -> Node:
    """Return levels that are a list of values as a map from the text of each value to the value.

    Raises:
        StudyError: two values have the same text.
    """
    if not isinstance(node.value, tuple) or any(
        isinstance(item.value, dict | tuple) for item in node.value
    ):
        return node

    labels = [item.text or "null" for item in node.value]
    if len(set(labels)) < len(labels):
        raise StudyError(f"{node.mark}: levels holds a value twice")
    marks: dict[str, Mark] = {
        label: item.mark for label, item in zip(labels, node.value, strict=True)
    }
    return replace(node, value=dict(zip(labels, node.value, strict=True)), keys=marks)


def _at(node: Node, path: Sequence[str], change: Callable[[Node], Node]) -> Node:
    """Return the tree with `change` applied to the nodes at a path; `*` is every key or item."""
    if not path:
        return change(node)
    first, rest = path[0], path[1:]
    if isinstance(node.value, dict):
        values = {
            k: _at(v, rest, change) if first in ("*", k) else v for k, v in node.value.items()
        }
        return replace(node, value=values)
    if isinstance(node.value, tuple) and first == "*":
        return replace(node, value=tuple(_at(item, rest, change) for item in node.value))
    return node
