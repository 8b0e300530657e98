"""From the cells of a study to its trials, where each is a run of a program.

Two trials are the same when their command lines are, and the content of the files that these name.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ablate.planning.identity import cell_id, digest, dumps, file_digest, trial_id
from ablate.study.design import Cell
from ablate.study.nouns import StudySpec, Trial
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.command.config import BRACE, CommandConfig
from ablate.trainers.command.environment import search_path
from ablate.trainers.command.trainer import CommandTrainer, identifying
from g2g_core.checkpoints.names import files_of


class CommandBuilder:
    """Ids and configs of the cells of a study whose trials are runs of a program.

    Attributes:
        missing: what the program needs and is not there, one line each.
    """

    def __init__(self, spec: StudySpec) -> None:
        trainer = spec.trainer
        assert trainer is not None
        self.spec, self.trainer = spec, trainer
        self.missing: list[str] = _missing_program(trainer)
        self.values = Patched(spec.base, spec.factors)
        self.written = Patched(CommandConfig(trainer.base), trainer.factors)

        named = trainer.options
        self.arguments = PerLevels(self.written, named, trainer.arguments)
        self.config = PerLevels(
            self.written, identifying(trainer), lambda texts: _identity(trainer, texts)
        )
        self.code = PerLevels(self.written, named, self._code)
        files = ("checkpoint",) if "checkpoint" in named else ()
        self.checkpoint = PerLevels(self.values, files, self._checkpoint)
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
            metrics=self.trainer.metrics,
            folder=str(self.trainer.folder),
            outcome=self.spec.outcome.metric,
            seed=seed,
        )
        identity = self.identities[id_]
        return Trial(trial_id(identity, seed), id_, cell, seed, config, identity)

    def _code(self, texts: Mapping[str, Any]) -> str:
        """The digest of the files that the command names."""
        found = [file_digest(file) for file in self._files(texts)]
        return digest(dumps(found)) if found else "none"

    def _files(self, texts: Mapping[str, Any]) -> Iterator[Path]:
        """The files among the words of the command, also behind a `=`; not the interpreter
        itself."""
        words = self.trainer.arguments(texts, but=("checkpoint",))
        for number, word in enumerate(words):
            for part in (word, word.partition("=")[2]):
                if part and not (number == 0 and Path(part).is_absolute()):
                    file = self.trainer.folder / part
                    if is_file(file):
                        yield file

    def _checkpoint(self, values: Mapping[str, Any]) -> str:
        """The digest of the checkpoint that the command starts from."""
        path = values.get("checkpoint")
        if path is None:
            return "none"
        found = file_digest(*files_of(Path(path)))
        if found is None:
            self.missing.append(f"checkpoint: {path}: no such file")
        return found or "missing"


def is_file(path: Path) -> bool:
    """Whether there is such a file; text that cannot be a path names none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _identity(trainer: CommandTrainer, texts: Mapping[str, Any]) -> str:
    """What a program's numbers depend on: its command line, its metrics file, its threads."""
    arguments = trainer.arguments(texts, but=("checkpoint",))
    return dumps([arguments, trainer.metrics, texts.get("threads", "1")])


def _missing_program(trainer: CommandTrainer) -> list[str]:
    """A line where the program itself is not there."""
    program = trainer.words[0]
    if BRACE.search(program):
        return []
    place = str(trainer.folder / program) if "/" in program else program
    if shutil.which(place, path=search_path()) is not None:
        return []
    return [f"trainer.command: {program}: no such program"]
