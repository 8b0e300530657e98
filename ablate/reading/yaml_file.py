"""A strict and safe YAML reader that keeps the place of every value in the file.

PyYAML reads YAML 1.1, where `1e-4` is text, `on` is a boolean, `010` is eight, and `12:30:45` is a
number. This module takes only the events of PyYAML's parser, and turns them into values by the
rules of the YAML 1.2 core schema (https://yaml.org/spec/1.2.2, section 10.3). It rejects tags, so
no file can run code.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ablate.study.nouns import StudyError

LARGEST_FILE = 1_000_000
"""Size limit in bytes; a usual study file has a few thousand."""
DEEPEST = 24
"""Limit for levels of nesting."""
MOST_VALUES = 200_000
"""Limit for values after aliases are filled in.

Without it, ten lines of nested aliases could expand to a billion values.
"""
LONGEST_INTEGER = 100
"""Limit for the characters of a whole number."""

Scalar = bool | int | float | str | None

NULL = re.compile(r"(null|Null|NULL|~|)\Z")
BOOLEAN = re.compile(r"(true|True|TRUE|false|False|FALSE)\Z")
INTEGER = re.compile(r"[-+]?[0-9]+\Z")
OCTAL = re.compile(r"0o[0-7]+\Z")
HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)\Z")
NAN = re.compile(r"\.(nan|NaN|NAN)\Z")


@dataclass(frozen=True)
class Mark:
    """The place of a value: in a file, or in an option of the command line.

    Attributes:
        source: path of the file, or the option.
        line: counts from 1; 0 for an option.
        column: counts from 1; 0 for an option.
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class Node:
    """A value of a file with its place.

    Attributes:
        value: a scalar, a tuple of nodes (list), or a dict of nodes (map).
        mark: the place of the value.
        text: the text of a scalar as the file has it, so that a label `0.10` stays `0.10`.
        folder: the folder where relative paths in the value start.
        keys: the place of each key of a map.
    """

    value: "Scalar | tuple[Node, ...] | dict[str, Node]"
    mark: Mark
    text: str = ""
    folder: Path = Path()
    keys: Mapping[str, Mark] = field(default_factory=dict)

    def plain(self) -> Any:
        """Return the value without places, as dicts, lists, and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return (
            [node.plain() for node in self.value] if isinstance(self.value, tuple) else self.value
        )

    def at(self, path: tuple[str | int, ...]) -> "tuple[Mark, Node]":
        """Return the place of the key or item at `path`, and its node.

        If the path does not exist, return those of the deepest key or item on the way.
        """
        mark, node = self.mark, self
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                mark, node = node.keys.get(str(step), node.mark), node.value[str(step)]
            elif isinstance(node.value, tuple) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                mark = node.mark
            else:
                break
        return mark, node


def read_yaml(path: Path) -> Node:
    """Return the only document of a file.

    Raises:
        StudyError: the file cannot be read, is not UTF-8, is empty or too large, is not valid YAML,
            or has several documents, a tag, a duplicate key, a key that is not text, or a number
            out of range. The message has file, line, and column.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= LARGEST_FILE else b""
    except OSError as error:
        raise StudyError(f"{path}: cannot be read: {error.strerror or error}") from None

    if size > LARGEST_FILE:
        raise StudyError(
            f"{path}: {size} bytes is too large for a study file (at most {LARGEST_FILE})"
        )

    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise StudyError(
            f"{path}:{line}:1: not UTF-8 text (byte 0x{raw[error.start]:02x})"
        ) from None

    return parse_yaml(text, str(path), path.absolute().parent)


def parse_yaml(text: str, source: str, folder: Path) -> Node:
    """Return the only document of a text.

    Args:
        text: YAML.
        source: the name of the text in messages.
        folder: the folder where relative paths in the text start.

    Raises:
        StudyError: the text is invalid in one of the ways that `read_yaml` lists.
    """
    builder = _Builder(source, folder)
    try:
        return builder.document(iter(yaml.parse(text, Loader=yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        raise StudyError(_syntax_message(error, source)) from None
    except yaml.reader.ReaderError as error:
        before = text[: int(error.position)]
        place = Mark(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise StudyError(
            f"{place}: character U+{int(error.character):04X} is not allowed in YAML"
        ) from None


def parse_option(option: str, text: str) -> Node:
    """Return the value of an option of the command line; an empty text is null.

    Relative paths in it start at the current folder.

    Args:
        option: the name of the option in messages.
        text: the value as YAML.

    Raises:
        StudyError: the text is not valid.
    """

    def placed(node: Node) -> Node:
        value = node.value
        if isinstance(value, dict):
            keys = dict.fromkeys(value, Mark(option))
            return replace(
                node,
                mark=Mark(option),
                keys=keys,
                value={key: placed(item) for key, item in value.items()},
            )
        if isinstance(value, tuple):
            return replace(node, mark=Mark(option), value=tuple(placed(item) for item in value))
        return replace(node, mark=Mark(option))

    return (
        placed(parse_yaml(text, option, Path.cwd()))
        if text.strip()
        else Node(None, Mark(option), text)
    )


def scalar_value(text: str) -> Scalar:
    """Return the value of an unquoted scalar by the YAML 1.2 core schema.

    Raises:
        ValueError: a number is out of range.
    """
    if NULL.match(text):
        return None
    if BOOLEAN.match(text):
        return text.lower() == "true"

    for pattern, base in ((INTEGER, 10), (OCTAL, 8), (HEX, 16)):
        if pattern.match(text):
            if len(text) > LONGEST_INTEGER:
                raise ValueError("number out of range")
            return int(text, base)

    if INFINITY.match(text):
        return -math.inf if text.startswith("-") else math.inf
    if NAN.match(text):
        return math.nan
    if FLOAT.match(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError("number out of range")
        return number

    return text


def _syntax_message(error: yaml.MarkedYAMLError, source: str) -> str:
    """Return a message on one line from a PyYAML error, which has several."""
    mark = error.problem_mark or error.context_mark
    place = Mark(source, mark.line + 1, mark.column + 1) if mark else Mark(source)
    problem = " ".join((error.problem or "cannot be read").split())

    # PyYAML's own words for two frequent mistakes do not help
    if "'\\t'" in problem:
        problem = "a tab; YAML is indented with spaces"
    elif problem.startswith("mapping values are not allowed"):
        problem = "a colon where none can be; text that holds ': ' needs quotes"
    elif error.context:
        problem += f" ({' '.join(error.context.split())})"

    return f"{place}: not valid YAML: {problem}"


class _Builder:
    """A builder of nodes from parser events that limits nesting, aliases, and size.

    Attributes:
        source: the name of the text in messages.
        folder: the folder where relative paths in the text start.
        values: the number of values so far, with aliases filled in.
        anchors: anchor -> its node, and the number of values in the node.
    """

    def __init__(self, source: str, folder: Path) -> None:
        self.source = source
        self.folder = folder
        self.values = 0
        self.anchors: dict[str, tuple[Node, int]] = {}

    def document(self, events: Iterator[yaml.Event]) -> Node:
        """Return the only document of the stream."""
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            raise StudyError(f"{self.source}: the file is empty")
        node = self.node(next(events), events, 1)
        next(events)  # the end of the document
        event = next(events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self.refuse(event, "a second document; a study file holds one")
        return node

    def refuse(self, event: yaml.Event, message: str) -> StudyError:
        """Return the error with the event's place."""
        return StudyError(f"{self.mark(event)}: {message}")

    def mark(self, event: yaml.Event) -> Mark:
        """Return the event's place."""
        start = event.start_mark
        return Mark(self.source, start.line + 1, start.column + 1) if start else Mark(self.source)

    def count(self, event: yaml.Event, number: int) -> None:
        """Add to the number of values, and raise StudyError above the limit."""
        self.values += number
        if self.values > MOST_VALUES:
            raise self.refuse(event, f"more than {MOST_VALUES} values, aliases filled in")

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        """Return the node that starts with `event`."""
        if depth > DEEPEST:
            raise self.refuse(event, f"nested more than {DEEPEST} deep")

        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise self.refuse(event, f"alias *{event.anchor} has no anchor before it")
            node, size = self.anchors[event.anchor]
            self.count(event, size)
            return node

        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            raise self.refuse(event, f"tag {tag} is not allowed; only plain values")

        before = self.values
        self.count(event, 1)
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, events, depth)
        else:
            node = self.mapping(event, events, depth)

        if anchor := getattr(event, "anchor", None):
            self.anchors[anchor] = (node, self.values - before)
        return node

    def scalar(self, event: yaml.ScalarEvent) -> Node:
        """Return a scalar: quoted ones are text, the core schema decides about plain ones."""
        try:
            value = scalar_value(event.value) if event.implicit[0] else event.value
        except ValueError as error:
            raise self.refuse(event, f"{event.value[:40]}: {error}") from None
        return Node(value, self.mark(event), event.value, self.folder)

    def sequence(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        """Return the list that starts with `start`."""
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.node(event, events, depth + 1))
        return Node(tuple(items), self.mark(start), folder=self.folder)

    def mapping(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        """Return the map that starts with `start`; its keys are text as the file has them.

        The key `<<` merges other maps into the map, whose own keys take precedence.
        """
        values: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        merged: list[Node] = []
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.refuse(event, "a key must be plain text")
            plain_merge = event.value == "<<" and event.implicit[0]
            key = self.node(event, events, depth + 1).text
            if not key:
                raise self.refuse(event, "an empty key")
            if key in keys:
                raise self.refuse(
                    event, f"duplicate key {key}; it stands in line {keys[key].line} already"
                )
            keys[key] = self.mark(event)
            node = self.node(next(events), events, depth + 1)
            if plain_merge:
                merged += node.value if isinstance(node.value, tuple) else [node]
            else:
                values[key] = node

        if merged:
            del keys["<<"]
        for other in merged:
            if not isinstance(other.value, dict):
                raise StudyError(f"{other.mark}: << takes a map or a list of maps")
            for key, node in other.value.items():
                if key not in values:
                    values[key], keys[key] = node, other.keys[key]

        return Node(values, self.mark(start), folder=self.folder, keys=keys)
