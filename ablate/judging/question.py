"""A question about runs that others made: a study file without a trainer, `judge.yaml`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ablate.planning.load import error_of
from ablate.reading.options import Schema
from ablate.reading.problems import schema_problems
from ablate.reading.schema import FACTOR, LONGEST_NAME, NAME, RESERVED, outcome_rule
from ablate.reading.yaml_file import Node, read_yaml
from ablate.reading.yaml_text import dumped
from ablate.study.nouns import StudyError

DUPLICATES = ("first", "last", "mean")
"""What to take where several runs of one arm and one seed finished with different values."""


@dataclass(frozen=True)
class AskedFactor:
    """A factor, and where the source has it.

    Attributes:
        column: name of the column or parameter; empty: not settled yet.
        levels: its levels, the first one first; empty: all that the source has.
    """

    column: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """Which runs are compared, by what, and by which rule.

    What is empty is guessed from the source, see `judging.columns`.

    Attributes:
        source: a path or an address.
        factors: name -> factor.
        pair: column whose values pair runs, such as the seed.
        outcome: `metric`, `better`, `smallest_effect`, `summary`, and so on, as in a study file.
        name: name of the study that is made of the runs.
        question: what it asks, one sentence.
        where: column -> value that runs must have to be judged.
        duplicates: what to take of runs of one arm and one seed; empty: refuse them.
        step: column of a table with the step of each row.
        run: column of a table with the run of each row.
        guessed: names of the keys above that nobody gave.
    """

    source: str
    factors: Mapping[str, AskedFactor] = field(default_factory=dict)
    pair: str = ""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    question: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    duplicates: str = ""
    step: str = ""
    run: str = ""
    guessed: frozenset[str] = frozenset()

    @property
    def metric(self) -> str:
        """The name of the outcome; empty if nobody gave it."""
        return str(self.outcome.get("metric", ""))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the outcome and of further outcomes, as they were given."""
        also = self.outcome.get("also") or ()
        names = [self.metric, *(one if isinstance(one, str) else one["metric"] for one in also)]
        return tuple(str(name) for name in names if name)

    def guess(self, **values: Any) -> "Question":
        """Return the question with values that were guessed."""
        return replace(self, **values, guessed=self.guessed | set(values))

    def document(self) -> dict[str, Any]:
        """Return the question as `judge.yaml` has it."""
        document: dict[str, Any] = {"source": self.source, "name": self.name}
        if self.question:
            document["question"] = self.question
        document["factors"] = {
            name: {"column": factor.column, "levels": list(factor.levels)}
            for name, factor in self.factors.items()
        }
        document |= {"pair": self.pair, "outcome": dict(self.outcome)}
        optional = {
            "where": dict(self.where),
            "duplicates": self.duplicates,
            "step": self.step,
            "run": self.run,
        }
        return document | {key: value for key, value in optional.items() if value}


def _schema() -> Schema:
    """Return the JSON Schema of `judge.yaml`."""
    text: Schema = {"type": "string", "minLength": 1}
    label: Schema = {"type": ["string", "number", "boolean"]}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["source"],
        "properties": {
            "source": text,
            "name": {
                "type": "string",
                "pattern": NAME,
                "not": {"pattern": RESERVED},
                "maxLength": LONGEST_NAME,
                "description": "letters, digits, `_`, `-` and inner dots",
            },
            "question": {"type": "string"},
            "factors": {
                "type": ["object", "array"],
                "minItems": 1,
                "minProperties": 1,
                "items": text,
                "propertyNames": {"pattern": FACTOR, "maxLength": LONGEST_NAME},
                "additionalProperties": {
                    "type": ["object", "null"],
                    "additionalProperties": False,
                    "properties": {
                        "column": text,
                        "levels": {"type": "array", "minItems": 2, "items": label},
                    },
                },
            },
            "pair": text,
            "outcome": outcome_rule(dict(text)),
            "where": {"type": "object", "additionalProperties": label},
            "duplicates": {"enum": list(DUPLICATES)},
            "step": text,
            "run": text,
        },
    }


def is_question(source: str) -> bool:
    """Return whether a source is a `judge.yaml` rather than results."""
    return source.endswith((".yaml", ".yml"))


def read_question(path: Path) -> Question:
    """Return the question of a file; relative paths in it are relative to the file.

    Raises:
        StudyError: one line per problem: `file:line:column: key: problem`.
    """
    if not path.is_file():
        raise StudyError(f"{path}: no such file")
    tree = read_yaml(path)
    if problems := schema_problems(tree.plain(), _schema()):
        raise error_of(tree, problems)

    plain = tree.plain()
    source = str(plain["source"])
    if "://" not in source:
        source = str(path.parent / Path(source).expanduser())
    factors = plain.get("factors") or {}
    if isinstance(factors, list):
        factors = {factor_name(name): {"column": name} for name in factors}
    return Question(
        source=source,
        factors={
            name: AskedFactor(
                (entry or {}).get("column", name), _texts(tree, name, (entry or {}).get("levels"))
            )
            for name, entry in factors.items()
        },
        pair=plain.get("pair", ""),
        outcome=plain.get("outcome") or {},
        name=plain.get("name", ""),
        question=plain.get("question", ""),
        where={key: text_of(value) for key, value in (plain.get("where") or {}).items()},
        duplicates=plain.get("duplicates", ""),
        step=plain.get("step", ""),
        run=plain.get("run", ""),
    )


def question_text(question: Question) -> str:
    """Return the text of `judge.yaml`; it names the source by an absolute path."""
    document = question.document()
    source = Path(question.source)
    if source.exists():
        document["source"] = str(source.resolve())
    guessed = ", ".join(sorted(question.guessed))
    head = f"# Guessed: {guessed}. Change what is wrong, and judge this file.\n" if guessed else ""
    return head + dumped(document)


def factor_name(column: str) -> str:
    """Return the name of a factor for a column: its last part, in letters that names may have.

    `config/optimizer.lr` becomes `lr`.
    """
    last = (re.split(r"[/.]", column)[-1] or column).removeprefix("params_")
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", last).strip("_")[:LONGEST_NAME]
    return name if re.match(r"[A-Za-z]", name) else f"factor_{name}"


def text_of(value: Any) -> str:
    """Return a value of a YAML file as sources write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def choices(option: str, given: Iterable[str]) -> dict[str, str]:
    """Return name -> value of `name=value` choices on the command line.

    Raises:
        StudyError: a choice isn't `name=value`, or a name is given twice.
    """
    chosen: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise StudyError(f"{option} {text}: must be name=value")
        if name in chosen:
            raise StudyError(f"{option} {text}: {name} is given twice")
        chosen[name] = value
    return chosen


def _texts(tree: Node, name: str, levels: Sequence[Any] | None) -> tuple[str, ...]:
    """Return the levels of a factor as text, and refuse those that are given twice.

    Raises:
        StudyError: a level is given twice.
    """
    texts = tuple(text_of(level) for level in levels or ())
    if len(set(texts)) < len(texts):
        raise StudyError(f"{tree.mark}: factors.{name}.levels: contains a duplicate")
    return texts
