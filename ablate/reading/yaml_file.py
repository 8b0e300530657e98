"""Strict, safe YAML: the scalars of YAML 1.2, every value with its place in the file, nothing ever
    executed.

PyYAML reads YAML 1.1, where `1e-4` is text, `on` a boolean, `010` eight and `12:30:45` a number.
Here its scanner and parser give the events, and the rules of the YAML 1.2 core schema give the
values (https://yaml.org/spec/1.2.2, 10.3).
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
"""Bytes; a study file has a few thousand."""
DEEPEST = 24
"""Levels of nesting."""
MOST_VALUES = 200_000
"""Values after aliases are filled in, so that ten lines of aliases cannot stand for a billion
values."""
LONGEST_INTEGER = 100
"""Digits."""

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
    """A place: a file and a line and column that count from 1, or an option of the command line
    (line 0)."""

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
        mark: where it stands.
        text: a scalar as it was written, so that a label `0.10` stays `0.10`.
        folder: what relative paths in it are relative to.
        keys: place of each key of a map.
    """

    value: "Scalar | tuple[Node, ...] | dict[str, Node]"
    mark: Mark
    text: str = ""
    folder: Path = Path()
    keys: Mapping[str, Mark] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without places: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return (
            [node.plain() for node in self.value] if isinstance(self.value, tuple) else self.value
        )

    def at(self, path: tuple[str | int, ...]) -> "tuple[Mark, Node]":
        """Place of the key (or item) at `path`, or of the deepest one on the way that exists, and
        its node."""
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
    """The one document of a file.

    Raises:
        StudyError: one line with file, line and column: the file cannot be read, is not UTF-8, is
            empty or too large, is not valid YAML, holds several documents, a tag, a duplicate key,
            a key that is no text, or a number out of range.
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
    """The one document of a text; `source` names it in messages.

    Raises StudyError as `read_yaml` does.
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
    """The value of an option of the command line, which messages name; relative paths are to the
    current folder."""

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
    """A plain scalar by the YAML 1.2 core schema; ValueError when a number is out of range."""
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
    """One line from PyYAML's several."""
    mark = error.problem_mark or error.context_mark
    place = Mark(source, mark.line + 1, mark.column + 1) if mark else Mark(source)
    problem = " ".join((error.problem or "cannot be read").split())
    if "'\\t'" in problem:
        problem = "a tab; YAML is indented with spaces"
    elif problem.startswith("mapping values are not allowed"):
        problem = "a colon where none can be; text that holds ': ' needs quotes"
    elif error.context:
        problem += f" ({' '.join(error.context.split())})"
    return f"{place}: not valid YAML: {problem}"


class _Builder:
    """Nodes from parser events, with depth, aliases and size under control."""

    def __init__(self, source: str, folder: Path) -> None:
        self.source = source
        self.folder = folder
        self.values = 0
        self.anchors: dict[str, tuple[Node, int]] = {}

    def document(self, events: Iterator[yaml.Event]) -> Node:
        """The only document of the stream."""
        next(events)
        if isinstance(next(events), yaml.StreamEndEvent):
            raise StudyError(f"{self.source}: the file is empty")
        node = self.node(next(events), events, 1)
        next(events)
        event = next(events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self.refuse(event, "a second document; a study file holds one")
        return node

    def refuse(self, event: yaml.Event, message: str) -> StudyError:
        """The error with the event's place."""
        return StudyError(f"{self.mark(event)}: {message}")

    def mark(self, event: yaml.Event) -> Mark:
        """The event's place."""
        start = event.start_mark
        return Mark(self.source, start.line + 1, start.column + 1) if start else Mark(self.source)

    def count(self, event: yaml.Event, number: int) -> None:
        """Add to the number of values."""
        self.values += number
        if self.values > MOST_VALUES:
            raise self.refuse(event, f"more than {MOST_VALUES} values, aliases filled in")

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        """The node that starts with `event`."""
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
        """Quoted scalars are text; plain ones go through the core schema."""
        try:
            value = scalar_value(event.value) if event.implicit[0] else event.value
        except ValueError as error:
            raise self.refuse(event, f"{event.value[:40]}: {error}") from None
        return Node(value, self.mark(event), event.value, self.folder)

    def sequence(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        """A list."""
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.node(event, events, depth + 1))
        return Node(tuple(items), self.mark(start), folder=self.folder)

    def mapping(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        """A map; keys are text as written, `<<` brings in other maps that own keys go before."""
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
