"""The builder of the trials of a study in which every trial runs a program.

Two trials are the same if their command lines are the same, and the files that the command lines
name have the same content.
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
    """Builder of ids and configs for a study whose trials run a program.

    Attributes:
        missing: one message for each thing that the program needs and this machine lacks.
        sources: file that the command names -> digest of its content.
        cautions: always empty, since the program reads its data itself.
    """

    def __init__(self, command: Command, spec: StudySpec) -> None:
        self.spec, self.command = spec, command
        self.missing: list[str] = _missing_program(command)
        self.cautions: list[str] = []
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
        """Return the id of a cell, and keep the cell's identity for its trials."""
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
        """Return the trial of a cell and a seed."""
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
        """Return the digest of the files that the command names; `none` if it names no file."""
        files = list(self._files(texts))
        digests = [file_digest(file) for file in files]
        self.sources |= {str(file): str(code) for file, code in zip(files, digests, strict=True)}
        return digest(dumps(digests)) if digests else "none"

    def _files(self, texts: Mapping[str, Any]) -> Iterator[Path]:
        """Yield the files among the words of the command, also after an equals sign.

        A first word that is an absolute path is left out, because it names the interpreter.
        """
        words = self.command.arguments(texts, but=("checkpoint",))
        for number, word in enumerate(words):
            for part in (word, word.partition("=")[2]):
                if part and not (number == 0 and Path(part).is_absolute()):
                    file = self.command.folder / part
                    if is_file(file):
                        yield file

    def _checkpoint(self, values: Mapping[str, Any]) -> str:
        """Return the digest of the checkpoint that the command starts from; `none` without one."""
        path = values.get("checkpoint")
        if path is None:
            return "none"
        content = file_digest(Path(path))
        if content is None:
            self.missing.append(f"checkpoint: {path}: no such file")
        return content or "missing"


def is_file(path: Path) -> bool:
    """Return whether a path is that of an existing file; False for text that cannot be a path."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _identity(command: Command, texts: Mapping[str, Any]) -> str:
    """Return what a program's numbers depend on: command line, metrics file, and threads."""
    arguments = command.arguments(texts, but=("checkpoint",))
    return dumps([arguments, command.metrics, texts.get("threads", "1")])


def _missing_program(command: Command) -> list[str]:
    """Return a message if the program itself is missing, else an empty list."""
    program = command.words[0]
    if BRACE.search(program):
        return []
    place = str(command.folder / program) if "/" in program else program
    if shutil.which(place, path=search_path()) is not None:
        return []
    return [f"trainer.command: {program}: no such program"]
