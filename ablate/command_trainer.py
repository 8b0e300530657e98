"""A study of any program, `trainer: {command: ..., metrics: ...}` in a study file, checked and planned.

Two trials are the same when their command lines are, and the content of the files that these name.
"""

import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ablate.command_config import BRACE, WHEN_STARTED, CommandConfig, replaced
from ablate.command_environment import search_path
from ablate.design import Cell, meant_equal
from ablate.identity import cell_id, digest, dumps, file_digest, trial_id
from ablate.patching import Patched, PerLevels
from ablate.problems import Problem, did_you_mean
from ablate.study import Factor, StudySpec, Trial
from ablate.yaml_file import NULL, Node
from g2g_core.checkpoint_names import files_of

METRICS = "metrics.jsonl"
"""The file that a program writes, unless `metrics:` names another."""

OURS = (
    "trial.json",
    "history.jsonl",
    "trial.log",
    "traceback.txt",
    "mlflow.json",
    ".lock",
    "images",
    "checkpoints",
)
"""What this program itself keeps in a trial's folder."""

COMMAND = ("trainer", "command")


@dataclass(frozen=True)
class CommandTrainer:
    """The trainer of a study file.

    Attributes:
        command: as it stands in the file, with names in braces.
        metrics: the file that the program writes, relative to the trial's folder.
        folder: where the program is started, absolute.
        base: the options, each value as it was written.
        factors: the factors of the study, their values as they were written.
    """

    command: str
    metrics: str
    folder: Path
    base: Mapping[str, Any]
    factors: tuple[Factor, ...]

    def record(self) -> dict[str, str]:
        """As the study file has it, for plan.json."""
        return {"command": self.command, "metrics": self.metrics, "folder": str(self.folder)}

    @property
    def words(self) -> list[str]:
        """The words of the command, quoted as in a shell; names in braces stay."""
        return shlex.split(self.command)

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


def command_options(study: Any) -> dict[str, Any] | None:
    """The base of a study whose trainer is a command, if it is a map; None: the core trains."""
    if not isinstance(study, dict) or study.get("trainer") is None:
        return None
    base = study.get("base")
    return base if isinstance(base, dict) else {}


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
        self.config = PerLevels(self.written, identifying(trainer), lambda texts: _identity(trainer, texts))
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
        """The files among the words of the command, also behind a `=`; not the interpreter itself."""
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


def identifying(trainer: CommandTrainer) -> tuple[str, ...]:
    """The options on which a program's numbers depend: those of its command, and its threads."""
    threads = ("threads",) if "threads" in trainer.base else ()
    return tuple(dict.fromkeys((*trainer.options, *threads)))


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


def command_problems(spec: StudySpec, cells: Sequence[Cell]) -> list[Problem]:
    """What is wrong with the trainer of a study and with what its factors do to the command."""
    trainer = spec.trainer
    assert trainer is not None
    problems = [*_file_problems(trainer), *_template_problems(trainer)]
    return problems or [*_cell_problems(trainer, cells), *_idle(spec, trainer, cells)]


def _file_problems(trainer: CommandTrainer) -> Iterator[Problem]:
    """The metrics file is inside the trial's folder and none of ours; the working folder exists."""
    path = PurePosixPath(trainer.metrics)
    if path.is_absolute() or ".." in path.parts or not path.name:
        message = f"'{trainer.metrics}' must be a file inside the trial's folder"
        yield Problem(("trainer", "metrics"), message)
    elif path.parts[0] in OURS:
        message = f"'{trainer.metrics}' is a name that g2g-ablate uses itself"
        yield Problem(("trainer", "metrics"), message)
    if not trainer.folder.is_dir():
        yield Problem(("trainer", "folder"), f"{trainer.folder}: no such folder")


def _template_problems(trainer: CommandTrainer) -> Iterator[Problem]:
    """The command consists of words, every brace names something, and the folder is among them."""
    try:
        words = trainer.words
    except ValueError as error:
        yield Problem(COMMAND, f"cannot be split into words: {str(error).lower()}")
        return
    if not words:
        yield Problem(COMMAND, "is empty")
        return
    if any(match[3] for word in words for match in BRACE.finditer(word)):
        yield Problem(COMMAND, "a brace stands alone; write {{ or }} for a brace")
        return
    for name in trainer.names:
        if name not in WHEN_STARTED and (problem := _unnamed(name, trainer.base)):
            yield Problem(COMMAND, problem)
    if "folder" not in trainer.names:
        yield Problem(COMMAND, f"must name {{folder}}, where the program writes {trainer.metrics}")


def _unnamed(name: str, base: Mapping[str, Any]) -> str | None:
    """Why a name in braces is none of the options; None: it is one."""
    try:
        text_of(name, base)
    except KeyError:
        known = [*leaves(base), *WHEN_STARTED]
        inside = [path for path in known if path.startswith(f"{name}.")]
        if inside:
            return f"{{{name}}} is a map; name a value in it, such as {{{inside[0]}}}"
        return f"{{{name}}} names no option of base{did_you_mean(name, known)}"
    return None


def leaves(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted paths of all values that are no maps."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _cell_problems(trainer: CommandTrainer, cells: Sequence[Cell]) -> Iterator[Problem]:
    """A level that replaces a map must keep what the command names in it."""
    written = Patched(CommandConfig(trainer.base), trainer.factors)

    def lost(texts: dict[str, Any]) -> str | None:
        try:
            trainer.arguments(texts)
        except KeyError as error:
            return str(error.args[0])
        return None

    lacks = PerLevels(written, trainer.options, lost)
    for cell in cells:
        if name := lacks(cell):
            where = " ".join(f"{factor}={cell[factor]}" for factor in lacks.factors)
            yield Problem(COMMAND, f"{{{name}}} names no option with {where}")
            return


def _idle(spec: StudySpec, trainer: CommandTrainer, cells: Sequence[Cell]) -> Iterator[Problem]:
    """Factors that change nothing: the command is the same at all their levels, in every cell."""
    written = Patched(CommandConfig(trainer.base), trainer.factors)
    words: Callable[[Cell], str] = PerLevels(
        written, identifying(trainer), lambda texts: dumps([trainer.arguments(texts), texts.get("threads")])
    )
    for factor in spec.factors:
        pairs = [(cell, {**cell, factor.name: factor.reference}) for cell in cells]
        turned = [(cell, first) for cell, first in pairs if cell[factor.name] != factor.reference]
        if not any(words(cell) != words(first) or meant_equal(spec, cell, first) for cell, first in turned):
            message = (
                "changes nothing: the command is the same at all its levels; "
                "name its option in braces there, or list them in equal_arms"
            )
            yield Problem(("factors", factor.name), message, at_key=True)


def command_cautions(spec: StudySpec) -> list[str]:
    """What runs as it is written and yet is hardly meant, a line each."""
    trainer = spec.trainer
    assert trainer is not None
    unused = [
        path for path in leaves(trainer.base) if path not in trainer.names and path.partition(".")[0] != "threads"
    ]
    found = [f"base.{path}: the command does not name it, so it has no effect" for path in unused]
    if "seed" not in trainer.names:
        found.append("trainer.command: does not name {seed}: every seed is the same run again")
    return found
