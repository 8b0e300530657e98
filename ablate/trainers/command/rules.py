"""JSON Schemas of the options of a command in a study file."""

from collections.abc import Mapping
from typing import Any

from ablate.reading.options import Schema
from ablate.reading.schema import END, LONGEST_NAME, Rules

OPTION_NAMES: Schema = {"pattern": r"^[A-Za-z_][A-Za-z0-9_-]*" + END, "maxLength": LONGEST_NAME}
"""Schema of the name of an option."""

OPTIONS: Schema = {
    "type": "object",
    "description": "the options of the command",
    "propertyNames": {**OPTION_NAMES, "not": {"enum": ["seed", "folder", "device"]}},
    "additionalProperties": {"$ref": "#/$defs/options"},
}
"""Schema of `base:`; the names of what is filled in when a trial starts are not allowed."""

NESTED: Schema = {
    "propertyNames": OPTION_NAMES,
    "additionalProperties": {"$ref": "#/$defs/options"},
}
"""Schema of an option that is a map; it allows every value that is not a map."""

CHECKPOINT: Schema = {"type": ["string", "null"], "format": "path"}
"""Schema of the option `checkpoint`."""

KINDS: tuple[tuple[type, Schema], ...] = (
    (bool, {"type": "boolean"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (list, {"type": "array"}),
    (dict, {"type": "object"}),
    (object, {}),
)
"""Type of a value in `base:` -> schema of the values of levels; null in `base:` allows any."""


def option_rules(options: Mapping[str, Any], prefix: str = "") -> dict[str, Schema]:
    """Return dotted path -> schema for every option in a command's `base:`.

    A level must set an option to a value of the same type as in `base:`.

    Args:
        options: the options with their values.
        prefix: start of the dotted paths.
    """
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
"""Schema of the name of a metric, which is any name that the program records."""


def command_rules(options: Mapping[str, Any]) -> Rules:
    """Return the schemas of a study file whose `base:` holds these options of a command."""
    return Rules(OPTIONS, option_rules(options), METRIC, {"options": NESTED})
