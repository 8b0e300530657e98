"""Checks of a study's command, and of what the study's factors do to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ablate.disk.folder import OF_A_TRIAL
from ablate.reading.problems import Problem, did_you_mean
from ablate.study.design import Cell
from ablate.study.identity import dumps
from ablate.study.nouns import StudySpec
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.command.config import BRACE, WHEN_STARTED, CommandConfig
from ablate.trainers.command.template import Command, identifying, leaves, text_of
from ablate.trainers.idle import idle_factors

COMMAND = ("trainer", "command")
"""Place of the command in a study file."""


def command_problems(command: Command, spec: StudySpec, cells: Sequence[Cell]) -> list[Problem]:
    """Return what is wrong with a command, or with what the factors do to it in any cell."""
    problems = [*_file_problems(command), *_template_problems(command)]
    return problems or [*_cell_problems(command, cells), *_idle(spec, command, cells)]


def _file_problems(command: Command) -> Iterator[Problem]:
    """Check that the metrics file is allowed and that the working folder exists.

    The metrics file must be inside the trial's folder. Its name must not be one that G2G-Ablate
    uses there.
    """
    path = PurePosixPath(command.metrics)
    if path.is_absolute() or ".." in path.parts or not path.name:
        message = f"'{command.metrics}' must be a file inside the trial's folder"
        yield Problem(("trainer", "metrics"), message)
    elif path.parts[0] in OF_A_TRIAL:
        message = f"'{command.metrics}' is a name that g2g-ablate uses itself"
        yield Problem(("trainer", "metrics"), message)
    if not command.folder.is_dir():
        yield Problem(("trainer", "folder"), f"{command.folder}: no such folder")


def _template_problems(command: Command) -> Iterator[Problem]:
    """Check that the command splits into words, names only known options, and names the folder."""
    try:
        words = command.words
    except ValueError as error:
        yield Problem(COMMAND, f"cannot be split into words: {str(error).lower()}")
        return
    if not words:
        yield Problem(COMMAND, "is empty")
        return
    if any(match[3] for word in words for match in BRACE.finditer(word)):
        yield Problem(COMMAND, "a brace stands alone; write {{ or }} for a brace")
        return

    for name in command.names:
        if name not in WHEN_STARTED and (problem := _unnamed(name, command.base)):
            yield Problem(COMMAND, problem)
    if "folder" not in command.names:
        yield Problem(COMMAND, f"must name {{folder}}, where the program writes {command.metrics}")


def _unnamed(name: str, base: Mapping[str, Any]) -> str | None:
    """Return why a name in braces is not an option, or None if it is an option."""
    try:
        text_of(name, base)
    except KeyError:
        known = [*leaves(base), *WHEN_STARTED]
        inside = [path for path in known if path.startswith(f"{name}.")]
        if inside:
            return f"{{{name}}} is a map; name a value in it, such as {{{inside[0]}}}"
        return f"{{{name}}} names no option of base{did_you_mean(name, known)}"
    return None


def _cell_problems(command: Command, cells: Sequence[Cell]) -> Iterator[Problem]:
    """Check that levels that replace a map keep the options that the command names in it."""
    written = Patched(CommandConfig(command.base), command.factors)

    def lost(texts: dict[str, Any]) -> str | None:
        """Return the first name of the command that is not an option, or None."""
        try:
            command.arguments(texts)
        except KeyError as error:
            return str(error.args[0])
        return None

    lacks = PerLevels(written, command.options, lost)
    for cell in cells:
        if name := lacks(cell):
            where = " ".join(f"{factor}={cell[factor]}" for factor in lacks.factors)
            yield Problem(COMMAND, f"{{{name}}} names no option with {where}")
            return


def _idle(spec: StudySpec, command: Command, cells: Sequence[Cell]) -> list[Problem]:
    """Find factors that change nothing: in every cell, all their levels give the same command."""
    written = Patched(CommandConfig(command.base), command.factors)
    words: Callable[[Cell], str] = PerLevels(
        written,
        identifying(command),
        lambda texts: dumps([command.arguments(texts), texts.get("threads")]),
    )
    message = (
        "changes nothing: the command is the same at all its levels; "
        "name its option in braces there, or list them in equal_arms"
    )
    return idle_factors(
        spec, cells, lambda _: lambda cell, first: words(cell) != words(first), message
    )


def command_cautions(command: Command) -> list[str]:
    """Return warnings about options that the command does not name, and about a missing seed."""
    unused = [
        path
        for path in leaves(command.base)
        if path not in command.names and path.partition(".")[0] != "threads"
    ]
    warnings = [
        f"base.{path}: the command does not name it, so it has no effect" for path in unused
    ]
    if "seed" not in command.names:
        warnings.append("trainer.command: does not name {seed}: every seed is the same run again")
    return warnings
