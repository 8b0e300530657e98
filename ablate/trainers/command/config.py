"""The config of a trial that any program trains: its options, and the command line made of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

BRACE = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|([{}])")
"""A doubled brace, a name in braces, or a brace that stands alone."""

WHEN_STARTED = ("seed", "folder", "device")
"""Names in braces that are filled in when a trial starts; all others are known when it is
planned."""


@dataclass(frozen=True)
class CommandConfig:
    """What one run of a program depends on.

    Attributes:
        options: the keys of `base:`, with the patches of the trial's levels.
        arguments: the command line, in which only `{seed}`, `{folder}` and `{device}` are left to
            fill in and a brace is doubled.
        metrics: the file that the program writes, relative to the trial's folder.
        folder: where the program is started, absolute.
        outcome: the metric that it must record.
        seed: the replicate.
        entry: the training run, `module:function`.
        elsewhere: the training is in another process, which itself says what it took.
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
        """0: how many steps a program takes is not known beforehand."""
        return 0

    @property
    def log_every(self) -> int:
        """0: a program records when it likes."""
        return 0

    @property
    def checkpoint_every(self) -> int:
        """0: a program that was interrupted starts from its beginning."""
        return 0

    @property
    def threads(self) -> int:
        """CPU threads of the program: its option `threads`, else 1."""
        threads = self.options.get("threads", 1)
        return threads if isinstance(threads, int) and threads > 0 else 1

    def to_dict(self) -> dict[str, Any]:
        """The options and the seed, ready for JSON."""
        return {**self.options, "seed": self.seed}

    def trainer_record(self) -> dict[str, Any]:
        """How the program is run, ready for JSON: the entry `trainer` of trial.json."""
        return {
            "arguments": list(self.arguments),
            "metrics": self.metrics,
            "folder": self.folder,
            "outcome": self.outcome,
        }

    @classmethod
    def from_records(cls, config: Mapping[str, Any], trainer: Mapping[str, Any]) -> "CommandConfig":
        """The config that `to_dict` and `trainer_record` wrote."""
        options = {name: value for name, value in config.items() if name != "seed"}
        command = {**trainer, "arguments": tuple(trainer["arguments"])}
        return cls(options=options, seed=config["seed"], **command)

    def command_line(self, folder: Path, device: str) -> list[str]:
        """The words of the command for a trial in this folder, with nothing left to fill in."""
        values = {"seed": str(self.seed), "folder": str(folder), "device": device}
        return [
            replaced(argument, doubled=lambda pair: pair[0], named=values.__getitem__)
            for argument in self.arguments
        ]


def replaced(text: str, doubled: Callable[[str], str], named: Callable[[str], str]) -> str:
    """A text with its doubled braces and its names in braces replaced; a lone brace stays."""

    def replacement(found: re.Match[str]) -> str:
        if found[1]:
            return doubled(found[1])
        return found[0] if found[3] else named(found[2])

    return BRACE.sub(replacement, text)
