"""The command of a study: `trainer: {command: ..., metrics: ...}` in a study file."""

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
"""The file that a program writes, unless `metrics:` names another file."""


@dataclass(frozen=True)
class Command:
    """A command with names in braces, and the options that fill them in.

    Attributes:
        text: the command as the study file has it.
        metrics: the file that the program writes, relative to the trial's folder.
        folder: absolute path of the folder in which the program starts.
        base: the options, with each value as the study file writes it.
        factors: the factors of the study, with each value as the study file writes it.
    """

    text: str
    metrics: str
    folder: Path
    base: Mapping[str, Any]
    factors: tuple[Factor, ...]

    def record(self) -> dict[str, str]:
        """Return the command as the study file has it, for plan.json."""
        return {"command": self.text, "metrics": self.metrics, "folder": str(self.folder)}

    @property
    def words(self) -> list[str]:
        """Words of the command, quoted as in a shell, with the names in braces."""
        return shlex.split(self.text)

    @property
    def names(self) -> list[str]:
        """Names in braces, each once."""
        names = (match[2] for word in self.words for match in BRACE.finditer(word))
        return list(dict.fromkeys(name for name in names if name is not None))

    @property
    def options(self) -> tuple[str, ...]:
        """Keys of `base:` that the command names, or in which it names a value."""
        named = (name.partition(".")[0] for name in self.names if name not in WHEN_STARTED)
        return tuple(dict.fromkeys(name for name in named if name in self.base))

    def arguments(self, written: Mapping[str, Any], but: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the words of the command with the options filled in.

        Args:
            written: the options as the study file writes them.
            but: names that stay in braces, like those that are filled in when a trial starts.

        Raises:
            KeyError: a name in braces is not an option.
        """

        def named(name: str) -> str:
            if name in WHEN_STARTED or name in but:
                return f"{{{name}}}"
            return text_of(name, written).replace("{", "{{").replace("}", "}}")

        return tuple(replaced(word, doubled=lambda pair: pair, named=named) for word in self.words)


def written(node: Node) -> Any:
    """Return a value with its scalars as the file writes them, and lists as JSON."""
    if isinstance(node.value, dict):
        return {key: written(item) for key, item in node.value.items()}
    return dumps(node.plain()) if isinstance(node.value, tuple) else node.text


def text_of(name: str, written: Mapping[str, Any]) -> str:
    """Return the text of the option that a name in braces means; empty for a null checkpoint.

    Args:
        name: dotted path of the option.
        written: the options as the study file writes them.

    Raises:
        KeyError: there is no such option, or it is a map.
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
    """Return the options that a program's numbers depend on: the command's, and `threads`."""
    threads = ("threads",) if "threads" in command.base else ()
    return tuple(dict.fromkeys((*command.options, *threads)))


def leaves(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted paths of all values that are not maps."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
