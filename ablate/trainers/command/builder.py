"""From the cells of a study to its trials, where each is a run of a program.

Two trials are the same when their command lines are, and the content of the files that these name.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ablate.disk.digests import file_digest
from ablate.study.design import Cell
from ablate.study.identity import cell_id, digest, dumps, trial_id
from ablate.study.nouns import StudySpec, Trial
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.command.config import BRACE, CommandConfig
from ablate.trainers.command.environment import search_path
from ablate.trainers.command.template import Command, identifying


class CommandBuilder:
    """Ids and configs of the cells of a study whose trials are runs of a program.

    Attributes:
        missing: what the program needs and is not there, one line each.
    """

    def __init__(self, command: Command, spec: StudySpec) -> None:
        self.spec, self.command = spec, command
        self.missing: list[str] = _missing_program(command)
        self.values = Patched(spec.base, spec.factors)
        self.written = Patched(CommandConfig(command.base), command.factors)

        named = command.options
        self.arguments = PerLevels(self.written, named, command.arguments)
        self.config = PerLevels(
            self.written, identifying(command), lambda texts: _identity(command, texts)
        )
        self.code = PerLevels(self.written, named, self._code)
        files = ("checkpoint",) if "checkpoint" in named else ()
        self.checkpoint = PerLevels(self.values, files, self._checkpoint)
        self.sources: dict[str, str] = {}
        self.identities: dict[str, dict[str, str]] = {}

    def cell_id(self, cell: Cell) -> str:
        """The id of a cell; its identity is kept for its trials."""
        identity = {
            "config": digest(self.config(cell)),
            "data": "none",
            "checkpoint": self.checkpoint(cell),
            "weights": "none",
            "code": self.code(cell),
        }
        id_ = cell_id(identity)
        self.identities.setdefault(id_, identity)
        return id_

    def trial(self, id_: str, cell: Cell, seed: int) -> Trial:
        """The trial of a cell and a seed."""
        config = CommandConfig(
            options=self.values.values(cell),
            arguments=self.arguments(cell),
            metrics=self.command.metrics,
            folder=str(self.command.folder),
            outcome=self.spec.outcome.metric,
            seed=seed,
        )
        identity = self.identities[id_]
        return Trial(trial_id(identity, seed), id_, cell, seed, config, identity)

    def _code(self, texts: Mapping[str, Any]) -> str:
        """The digest of the files that the command names."""
        files = list(self._files(texts))
        digests = [file_digest(file) for file in files]
        self.sources |= {str(file): str(code) for file, code in zip(files, digests, strict=True)}
        return digest(dumps(digests)) if digests else "none"

    def _files(self, texts: Mapping[str, Any]) -> Iterator[Path]:
        """The files among the words of the command, also behind a `=`; not the interpreter
        itself."""
        words = self.command.arguments(texts, but=("checkpoint",))
        for number, word in enumerate(words):
            for part in (word, word.partition("=")[2]):
                if part and not (number == 0 and Path(part).is_absolute()):
                    file = self.command.folder / part
                    if is_file(file):
                        yield file

    def _checkpoint(self, values: Mapping[str, Any]) -> str:
        """The digest of the checkpoint that the command starts from."""
        path = values.get("checkpoint")
        if path is None:
            return "none"
        found = file_digest(Path(path))
        if found is None:
            self.missing.append(f"checkpoint: {path}: no such file")
        return found or "missing"


def is_file(path: Path) -> bool:
    """Whether there is such a file; text that cannot be a path names none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _identity(command: Command, texts: Mapping[str, Any]) -> str:
    """What a program's numbers depend on: its command line, its metrics file, its threads."""
    arguments = command.arguments(texts, but=("checkpoint",))
    return dumps([arguments, command.metrics, texts.get("threads", "1")])


def _missing_program(command: Command) -> list[str]:
    """A line where the program itself is not there."""
    program = command.words[0]
    if BRACE.search(program):
        return []
    place = str(command.folder / program) if "/" in program else program
    if shutil.which(place, path=search_path()) is not None:
        return []
    return [f"trainer.command: {program}: no such program"]
