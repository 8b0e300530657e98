"""JSON Schema for the options of a dataclass, with descriptions from its docstring."""

import dataclasses
import re
import typing
from typing import Any

Schema = dict[str, Any]
"""A JSON Schema."""


def first_line(thing: object) -> str:
    """Return the first line of a docstring, without backticks and the final period."""
    text = (thing.__doc__ or "").strip().partition("\n")[0]
    return text.replace("`", "").rstrip(".")


def options_of(options: type) -> dict[str, Schema]:
    """Return field -> JSON Schema for a dataclass of options.

    The descriptions come from the `Attributes:` section of its docstring. Unions of plain types
    become a list of types, so that every value has one flat rule. The metadata of a field adds two
    marks: `path` the format `path`, and `neutral` the key `x-neutral`.
    """
    from pydantic import TypeAdapter

    described = attributes(options)
    whole: Schema = TypeAdapter(options).json_schema()
    rules = {}
    for entry in dataclasses.fields(options):
        rule = _flat(whole["properties"][entry.name])
        if entry.metadata.get("path") or _holds_path(typing.get_type_hints(options)[entry.name]):
            rule["format"] = "path"
        if entry.metadata.get("neutral"):
            rule["x-neutral"] = True
        rules[entry.name] = {**rule, "description": described.get(entry.name, "")}
    return rules


def attributes(documented: type) -> dict[str, str]:
    """Return name -> description from the `Attributes:` sections of a class and of its bases.

    The docstrings are Google-style; line breaks in a description become spaces. Where a class and
    its base describe the same name, the class counts.
    """
    descriptions: dict[str, str] = {}
    for one in reversed(documented.__mro__):
        descriptions |= _attributes(one.__dict__.get("__doc__") or "")
    return descriptions


def _attributes(docstring: str) -> dict[str, str]:
    """Return name -> description from the `Attributes:` section of one docstring."""
    _, _, section = docstring.partition("Attributes:\n")
    descriptions: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if start := re.match(r"\s{4,8}(\w+)(?: \(.*?\))?: (.*)", line):
            name = start[1]
            descriptions[name] = start[2].strip()
        elif not line.strip():
            name = ""
        elif name:
            descriptions[name] += " " + line.strip()
    return descriptions


def _holds_path(hint: Any) -> bool:
    """Return whether a type hint mentions `Path`."""
    return "Path" in str(hint)


def _flat(rule: Schema) -> Schema:
    """Return a rule without its title and with `anyOf` over plain types merged into one rule."""
    rule = {key: value for key, value in rule.items() if key != "title"}
    if "anyOf" not in rule:
        return rule

    kinds = [_flat(part) for part in rule.pop("anyOf")]
    merged: Schema = {}
    for kind in kinds:
        merged |= kind
    merged["type"] = [name for kind in kinds for name in _types(kind)]
    if "enum" in merged and "null" in merged["type"]:
        merged["enum"] = [*merged["enum"], None]
    return {**merged, **rule}


def _types(rule: Schema) -> list[str]:
    """Return the types of a flat rule; a rule without types, such as an enum, holds text."""
    kind = rule.get("type", "string")
    return kind if isinstance(kind, list) else [kind]
