"""What a study file may say of the options of a command, as JSON Schemas."""

from collections.abc import Mapping
from typing import Any

from ablate.reading.options import Schema
from ablate.reading.schema import END, LONGEST_NAME, Rules

OPTION_NAMES: Schema = {"pattern": r"^[A-Za-z_][A-Za-z0-9_-]*" + END, "maxLength": LONGEST_NAME}
OPTIONS: Schema = {
    "type": "object",
    "description": "the options of the command",
    "propertyNames": {**OPTION_NAMES, "not": {"enum": ["seed", "folder", "device"]}},
    "additionalProperties": {"$ref": "#/$defs/options"},
}
NESTED: Schema = {
    "propertyNames": OPTION_NAMES,
    "additionalProperties": {"$ref": "#/$defs/options"},
}
"""Of an option that is a map; the keywords say nothing about other values."""
CHECKPOINT: Schema = {"type": ["string", "null"], "format": "path"}
KINDS: tuple[tuple[type, Schema], ...] = (
    (bool, {"type": "boolean"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (list, {"type": "array"}),
    (dict, {"type": "object"}),
    (object, {}),
)
"""Type of a value -> rule of others in its place; null says nothing of them."""


def option_rules(options: Mapping[str, Any], prefix: str = "") -> dict[str, Schema]:
    """Dotted path -> rule of its value, for every option of a command's base: each has the type of
    its value."""
    rules: dict[str, Schema] = {}
    for name, value in options.items():
        path = f"{prefix}{name}"
        rules[path] = (
            CHECKPOINT
            if path == "checkpoint"
            else next(dict(rule) for kind, rule in KINDS if isinstance(value, kind))
        )
        if isinstance(value, Mapping):
            rules |= option_rules(value, f"{path}.")
    return rules


METRIC: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_NAME,
    "not": {"const": "step"},
}
"""A metric has any name, as the program records it."""


def command_rules(options: Mapping[str, Any]) -> Rules:
    """Return what a study file may say whose `base:` holds these options of a command."""
    return Rules(OPTIONS, option_rules(options), METRIC, {"options": NESTED})
