"""Problems with the values of a study file, in words.

Each error of the JSON Schema check becomes a short message that suggests the nearest valid name.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from ablate.reading.options import Schema

Path = tuple[str | int, ...]

KINDS = {
    "losses": "loss",
    "schedules": "loss",
    "network": "option of the model",
    "data": "option of the dataset",
}
"""Map of the config -> what its keys name, for messages."""
WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}
"""Type of JSON Schema -> its name in messages."""


def _is_integer(_checker: object, value: object) -> bool:
    """Return whether a value is a whole number; JSON Schema alone would accept 10.0."""
    return isinstance(value, int) and not isinstance(value, bool)


_strict = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
Strict = extend(Draft202012Validator, type_checker=_strict)
"""JSON Schema validator that does not accept 10.0 as a whole number, as the study file's rule."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a study file.

    Attributes:
        path: the place of the mistake, as keys and positions from the root of the file.
        message: what is wrong, and what would be right.
        at_key: whether the key at `path` is wrong instead of its value.
    """

    path: Path
    message: str
    at_key: bool = False

    @property
    def place(self) -> str:
        """The path with dots between its steps."""
        return ".".join(_one_line(str(step)) for step in self.path)


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """Return the end of a message that suggests a name; empty text if nothing can be suggested.

    It is `; did you mean X?` if a name is similar, or `; one of a, b, c` if none is and at most
    twelve exist.

    Args:
        name: what the user wrote.
        names: the valid names.
    """
    names = [str(known) for known in names]
    short = str(name)[:100]
    near = (
        difflib.get_close_matches(short, names, 1, 0.6)
        or difflib.get_close_matches(short.rpartition(".")[2], names, 1, 0.6)
        or [known for known in names if len(short) > 2 and known.startswith(short)]
    )
    if near:
        return f"; did you mean {near[0]}?"
    return f"; one of {', '.join(names)}" if 0 < len(names) <= 12 else ""


def schema_problems(value: Any, schema: Schema, at: Path = ()) -> list[Problem]:
    """Return the problems of a plain value: one per place, and one for each missing key.

    Args:
        value: dicts, lists, and scalars.
        schema: the rules for the value.
        at: the place of the value in the file.
    """
    problems: dict[tuple[Path, str], Problem] = {}
    for path in _not_finite(value, at):
        problems[path, ""] = Problem(path, "must be a finite number")
    for error in Strict(schema).iter_errors(value):
        for problem in _in_words(error, at):
            key = (problem.path, problem.message if problem.message.endswith(" is missing") else "")
            problems.setdefault(key, problem)
    return list(problems.values())


def describe(rule: Schema) -> str:
    """Return what a rule allows, in words, for example `a whole number, at least 1`."""
    if "anyOf" in rule:
        return " or ".join(dict.fromkeys(describe(part) for part in rule["anyOf"]))
    if "enum" in rule:
        names = [shown(item) for item in rule["enum"]]
        return f"one of {', '.join(names)}" if len(names) <= 12 else "one of its menu"

    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    text = " or ".join(WORDS[kind] for kind in kinds) or "something else"
    for key, words in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
    ):
        if key in rule:
            text += f", {words} {rule[key]}"
    return text


def shown(value: object) -> str:
    """Return a value as messages cite it; long values are cut."""
    text = (
        {True: "true", False: "false", None: "null"}.get(value)
        if isinstance(value, bool | None)
        else None
    )
    text = text or (f"'{value}'" if isinstance(value, str) else str(value))
    return _one_line(text)


def _one_line(text: str) -> str:
    """Return a text that fits into a message: printable, on one line, at most 60 characters."""
    text = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return text if len(text) <= 60 else text[:57] + "..."


def _not_finite(value: Any, at: Path) -> Iterator[Path]:
    """Yield the paths of numbers that are infinite or not a number."""
    if isinstance(value, float) and not math.isfinite(value):
        yield at
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _not_finite(item, (*at, key))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _not_finite(item, (*at, number))


def _in_words(error: ValidationError, at: Path) -> Iterator[Problem]:
    """Yield the problems that one schema error reports, in words.

    Args:
        error: of the validator `Strict`.
        at: the place in the file of the value that was checked.
    """
    path: Path = (*at, *error.absolute_path)
    kind, instance, rule = str(error.validator), error.instance, error.schema
    if kind == "additionalProperties":
        known = list(rule.get("properties", {}))
        for key in [key for key in instance if key not in known]:
            yield Problem((*path, key), _unknown(path, key, known), at_key=True)
    elif "propertyNames" in error.absolute_schema_path:
        yield Problem((*path, str(instance)), _bad_name(str(instance), kind), at_key=True)
    elif kind == "not":
        yield Problem(path, f"{shown(instance)} is a reserved name")
    elif kind == "required":
        for key in error.validator_value:
            if key not in instance:
                yield Problem(path, f"{key} is missing")
    elif kind == "enum":
        names = [item for item in error.validator_value if item is not None]
        instead = rule.get("x-instead", {}).get(str(instance))
        yield Problem(
            path, instead or f"{shown(instance)} is not known{did_you_mean(instance, names)}"
        )
    elif kind == "pattern":
        needs = rule.get("x-needs", "is no name for a folder: letters, digits, _ and -, inner dots")
        yield Problem(path, f"{shown(instance)} {needs}")
    elif kind in ("minLength", "maxLength"):
        yield Problem(
            path, f"{shown(instance)} is too {'short' if kind == 'minLength' else 'long'}"
        )
    elif kind in ("minItems", "minProperties"):
        yield Problem(path, f"needs at least {error.validator_value}, has {len(instance)}")
    elif kind in ("maxItems", "maxProperties"):
        yield Problem(path, f"can have at most {error.validator_value}, has {len(instance)}")
    elif kind == "uniqueItems":
        yield Problem(path, "holds a value twice")
    else:
        yield Problem(path, f"{shown(instance)} must be {describe(rule)}{_hint(instance, rule)}")


def _unknown(path: Path, key: str, known: list[str]) -> str:
    """Return the message for a key that the schema does not know."""
    parent = str(path[-1]) if path else ""
    if parent in KINDS:
        return f"no such {KINDS[parent]}{did_you_mean(key, known)}"
    if "levels" in path:
        return f"no such path of the config{did_you_mean(key, known)}"
    if key == "seed":
        return "unknown key; the replicates are seeds, at the top of the file"
    return f"unknown key{did_you_mean(key, known)}"


def _bad_name(name: str, kind: str) -> str:
    """Return the message for an invalid name of a factor or an invalid label of a level."""
    if kind == "not":
        return f"{shown(name)} is a reserved name"
    if kind == "maxLength":
        return "the name is too long"
    return (
        f"{shown(name)} is no name: letters, digits, _ and -, a letter first; "
        "labels without control characters"
    )


def _hint(value: object, rule: Schema) -> str:
    """Return the end of a message that says how to write the intended value, or empty text."""
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    # YAML 1.1 reads these words as booleans, YAML 1.2 as text
    if (
        isinstance(value, str)
        and "boolean" in kinds
        and value.lower() in ("on", "off", "yes", "no", "y", "n")
    ):
        boolean = "true" if value.lower() in ("on", "yes", "y") else "false"
        return f"; {value} is text here, write {boolean}"

    if (
        isinstance(value, str)
        and ({"integer", "number"} & set(kinds))
        and value.replace("_", "").isdigit()
    ):
        return f"; write {value.replace('_', '')} without quotes or underscores"
    if isinstance(value, float) and "integer" in kinds and value.is_integer() and abs(value) < 1e15:
        return f"; write {int(value)}"
    return ""
