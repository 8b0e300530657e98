"""The interface of files in run folders: which hold a run's options, and which its numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ablate.study.nouns import Status
from g2g_base.declared import declared

Curves = dict[str, list[tuple[int, float]]]
"""Name of a number -> pairs of step and value."""


@dataclass
class Content:
    """What a file says about its run.

    Attributes:
        options: name -> text.
        curves: name of a number -> its values by step.
        status: how the run ended, as a status of a trial; empty if the file doesn't say.
    """

    options: dict[str, str] = field(default_factory=dict)
    curves: Curves = field(default_factory=dict)
    status: Status | Literal[""] = ""


@dataclass(frozen=True)
class RunFile:
    """A kind of file in the folder of a run.

    Attributes:
        pattern: glob of its path, relative to the folder of the run.
        read: returns what a file of this kind says.
        numbers: whether it holds numbers, so that its folder is one of a run.
    """

    pattern: str
    read: Callable[[Path], Content]
    numbers: bool = True


def all_files() -> Mapping[str, RunFile]:
    """Return the kinds of files by name, in the order in which they are read."""
    folder = Path(__file__).parent / "files"
    return {
        name: entry
        for name, entry in declared("ablate.judging.files", folder, "FILES")
        if isinstance(entry, RunFile)
    }


def flat(values: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Return nested options as dotted name -> text."""
    options: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            options |= flat(value, f"{name}.")
        elif value is not None:
            options[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return options


def add_row(curves: Curves, row: Mapping[str, object], place: int, steps: tuple[str, ...]) -> None:
    """Add the numbers of one record to curves.

    Args:
        curves: what is added to.
        row: name -> value; only numbers are added.
        place: place of the record, which is its step if it names none.
        steps: names of the step, the first one that the record has counts.
    """
    at = next((row[name] for name in steps if isinstance(row.get(name), int | float)), place)
    for name, value in row.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in steps:
            curves.setdefault(str(name), []).append((int(at), float(value)))  # type: ignore[call-overload]
