"""The config of a trial that runs a program: its options, and its command line made of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ablate.trainers.foreign import ForeignConfig

BRACE = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|([{}])")
"""A doubled brace, a name in braces, or a single brace."""

WHEN_STARTED = ("seed", "folder", "device")
"""Names in braces that are filled in when a trial starts; `plan` fills in all others."""


@dataclass(frozen=True)
class CommandConfig(ForeignConfig):
    """Config of a trial that runs a program.

    Attributes:
        options: the keys of `base:`, with the patches of the trial's levels.
        arguments: the command line. Only `{seed}`, `{folder}`, and `{device}` are still to fill in;
            all other braces are doubled.
        metrics: the file that the program writes, relative to the trial's folder.
        folder: absolute path of the folder in which the program starts.
        outcome: the metric that the program must record.
        seed: the seed of the trial.
        entry: the training run, `module:function`.
        elsewhere: whether the training is in another process, which reports its own memory.
    """

    entry: ClassVar[str] = "ablate.trainers.command.run:train"
    elsewhere: ClassVar[bool] = True

    options: Mapping[str, Any]
    arguments: tuple[str, ...] = ()
    metrics: str = ""
    folder: str = ""
    outcome: str = ""
    seed: int = 0

    @property
    def steps(self) -> int:
        """Number of steps; always 0, because it is not known before the program runs."""
        return 0

    @property
    def threads(self) -> int:
        """Number of CPU threads of the program: its option `threads`, or else 1."""
        threads = self.options.get("threads", 1)
        return threads if isinstance(threads, int) and threads > 0 else 1

    def trainer_record(self) -> dict[str, Any]:
        """Return the entry `trainer` of trial.json, which says how the program runs."""
        return {
            "arguments": list(self.arguments),
            "metrics": self.metrics,
            "folder": self.folder,
            "outcome": self.outcome,
        }

    @classmethod
    def from_records(cls, config: Mapping[str, Any], trainer: Mapping[str, Any]) -> "CommandConfig":
        """Return the config that `to_dict` and `trainer_record` wrote."""
        options = {name: value for name, value in config.items() if name != "seed"}
        command = {**trainer, "arguments": tuple(trainer["arguments"])}
        return cls(options=options, seed=config["seed"], **command)

    def command_line(self, folder: Path, device: str) -> list[str]:
        """Return the words of the command, completely filled in.

        Args:
            folder: the trial's folder.
            device: `cpu` or `cuda`.
        """
        values = {"seed": str(self.seed), "folder": str(folder), "device": device}
        return [
            replaced(argument, doubled=lambda pair: pair[0], named=values.__getitem__)
            for argument in self.arguments
        ]


def replaced(text: str, doubled: Callable[[str], str], named: Callable[[str], str]) -> str:
    """Return a text with its doubled braces and its names in braces replaced.

    Single braces stay.

    Args:
        text: the text.
        doubled: replacement of `{{` or `}}`.
        named: replacement of a name in braces, which is passed without the braces.
    """

    def replacement(match: re.Match[str]) -> str:
        if match[1]:
            return doubled(match[1])
        return match[0] if match[3] else named(match[2])

    return BRACE.sub(replacement, text)
