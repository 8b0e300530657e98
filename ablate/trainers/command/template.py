"""The trainer of a study of any program: `trainer: {command: ..., metrics: ...}` in a study
file."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.reading.yaml_file import NULL, Node
from ablate.study.identity import dumps
from ablate.study.nouns import Factor
from ablate.trainers.command.config import BRACE, WHEN_STARTED, replaced

METRICS = "metrics.jsonl"
"""The file that a program writes, unless `metrics:` names another."""


@dataclass(frozen=True)
class Command:
    """A command with names in braces, and the options that fill them in.

    Attributes:
        text: the command as the study file has it.
        metrics: the file that the program writes, relative to the trial's folder.
        folder: where the program is started, absolute.
        base: the options, each value as it was written.
        factors: the factors of the study, their values as they were written.
    """

    text: str
    metrics: str
    folder: Path
    base: Mapping[str, Any]
    factors: tuple[Factor, ...]

    def record(self) -> dict[str, str]:
        """As the study file has it, for plan.json."""
        return {"command": self.text, "metrics": self.metrics, "folder": str(self.folder)}

    @property
    def words(self) -> list[str]:
        """The words of the command, quoted as in a shell; names in braces stay."""
        return shlex.split(self.text)

    @property
    def names(self) -> list[str]:
        """The names in braces, each once."""
        found = (match[2] for word in self.words for match in BRACE.finditer(word))
        return list(dict.fromkeys(name for name in found if name is not None))

    @property
    def options(self) -> tuple[str, ...]:
        """The keys of `base:` that the command names, or names something inside of."""
        named = (name.partition(".")[0] for name in self.names if name not in WHEN_STARTED)
        return tuple(dict.fromkeys(name for name in named if name in self.base))

    def arguments(self, written: Mapping[str, Any], but: Sequence[str] = ()) -> tuple[str, ...]:
        """The words of the command with these options filled in, save those named in `but`.

        Raises:
            KeyError: a name is none of the options.
        """

        def named(name: str) -> str:
            if name in WHEN_STARTED or name in but:
                return f"{{{name}}}"
            return text_of(name, written).replace("{", "{{").replace("}", "}}")

        return tuple(replaced(word, doubled=lambda pair: pair, named=named) for word in self.words)


def written(node: Node) -> Any:
    """A value with its scalars as they were written; a list as JSON, which is YAML too."""
    if isinstance(node.value, dict):
        return {key: written(item) for key, item in node.value.items()}
    return dumps(node.plain()) if isinstance(node.value, tuple) else node.text


def text_of(name: str, written: Mapping[str, Any]) -> str:
    """The option behind a name in braces, as it was written; a checkpoint that is null is no text.

    Raises:
        KeyError: there is none, or it is a map.
    """
    value: Any = written
    for key in name.split("."):
        if not isinstance(value, Mapping):
            raise KeyError(name)
        value = value[key]
    if isinstance(value, Mapping):
        raise KeyError(name)
    return "" if name == "checkpoint" and NULL.match(value) else str(value)


def identifying(command: Command) -> tuple[str, ...]:
    """The options on which a program's numbers depend: those of its command, and its threads."""
    threads = ("threads",) if "threads" in command.base else ()
    return tuple(dict.fromkeys((*command.options, *threads)))


def leaves(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted paths of all values that are no maps."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
