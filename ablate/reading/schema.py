"""The JSON Schema of study files, for validation and for completion in editors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ablate.reading.options import Schema, first_line, options_of
from ablate.study import tuning
from ablate.study.design import LABEL, Design
from ablate.study.nouns import StudyError

END = r"$(?!\n)"
"""Pattern for the end of a text; in Python, `$` alone also matches before a final newline."""
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*" + END
"""Pattern for the names of studies, which become a folder and an MLflow experiment."""
RESERVED = (
    r"^([cC][oO][nN]|[pP][rR][nN]|[aA][uU][xX]|[nN][uU][lL]|([cC][oO][mM]|[lL][pP][tT])[0-9]"
    r"|ml(flow\.db|artifacts|runs))(\.|$)"
)
"""Pattern for names that Windows reserves for devices, and that MLflow's files in OUT have."""
FACTOR = r"^[A-Za-z][A-Za-z0-9_-]*" + END
"""Pattern for the names of factors, which become columns, tags, and MLflow parameters."""
NOT_FACTORS = ("reason", "seed")
"""Names that no factor can have, as they mean something else where arms are listed."""
LONGEST_NAME = 64
"""Limit for the characters of the name of a study or factor."""
LONGEST_LABEL = 250
"""Limit for the characters of the label of a level."""

VERDICTS = (
    *("harms", "helps", "equivalent", "depends", "no harm", "no benefit"),
    *(
        "harms on average",
        "helps on average",
        "equivalent on average",
        "diverges",
        "not enough data",
    ),
)
"""The verdicts that a report can give, and so those that a study file can expect."""

WORDS: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 80,
    "pattern": r"^[^\x00-\x1f\x7f]*" + END,
}
"""The rule for a plain name."""
TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 500}
"""The rule for a description."""
FACTOR_WORDS = ("label", "description", "labels", "descriptions")
"""Keys of a factor with its plain names."""
STUDY_WORDS = ("label", "description", "metrics")
"""Keys of a study with its plain names."""

TRAINER: Schema = {
    "type": ["object", "string", "null"],
    "description": "what trains: a command, or the name of a Python object; left out: the core",
    "minLength": 1,
    "required": ["command"],
    "additionalProperties": False,
    "properties": {
        "command": {
            "type": "string",
            "minLength": 1,
            "description": (
                "the program and its arguments, with options of base, seed, folder, device in "
                "braces"
            ),
        },
        "metrics": {
            "type": "string",
            "minLength": 1,
            "description": (
                "file that it writes in {folder}: JSON lines with a step, or CSV; metrics.jsonl "
                "if left out"
            ),
        },
        "folder": {
            "type": "string",
            "minLength": 1,
            "format": "path",
            "description": (
                "where it is started; left out: the folder of the file that holds the command"
            ),
        },
    },
}
"""Rule for `trainer:`: a command as a map, or the name of a Python object as text."""


@dataclass(frozen=True)
class Rules:
    """The parts of the schema that depend on the trainer.

    Attributes:
        base: rule for the map `base:`.
        paths: dotted path into `base:` -> rule for its value, for every path that a level may set.
        metric: rule for the metric of an outcome.
        definitions: name -> rule that the other rules refer to as `#/$defs/<name>`.
    """

    base: Schema
    paths: Mapping[str, Schema]
    metric: Schema
    definitions: Mapping[str, Schema] = field(default_factory=dict)


def study_schema(rules: Rules, designs: Mapping[str, Design]) -> Schema:
    """Return the JSON Schema (2020-12) of a study file.

    Args:
        rules: the parts that depend on the trainer.
        designs: name -> design.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A study of g2g-ablate",
        "type": "object",
        "additionalProperties": False,
        "if": {"not": {"required": ["extends"]}},
        "then": {"required": ["name", "seeds", "outcome"]},
        "properties": {
            "name": {
                "type": "string",
                "pattern": NAME,
                "not": {"pattern": RESERVED},
                "maxLength": LONGEST_NAME,
                "description": (
                    "folder and experiment name: letters, digits, `_`, `-` and inner dots"
                ),
            },
            "question": {"type": "string", "description": "what the study asks, one sentence"},
            "label": {**WORDS, "description": "what the study is about, in plain words"},
            "description": {**TEXT, "description": "more about the study, for its report"},
            "metrics": {
                "type": "object",
                "description": "metric -> its name in reports, in plain words",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "label": {**WORDS, "description": "such as: the error of mixed images"},
                        "description": {**TEXT, "description": "how it is measured"},
                    },
                },
            },
            "extends": {
                "type": "string",
                "description": (
                    "another study file, relative to this one; maps merge, lists replace"
                ),
            },
            "trainer": TRAINER,
            "base": rules.base,
            "factors": {
                "type": "object",
                "description": "what varies: name -> levels; the first level is the reference",
                "propertyNames": {
                    "pattern": FACTOR,
                    "maxLength": LONGEST_NAME,
                    "not": {"enum": list(NOT_FACTORS)},
                },
                "additionalProperties": {"$ref": "#/$defs/factor"},
            },
            "design": _design(designs),
            "seeds": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
                "description": "the replicates; every cell runs with every seed",
            },
            "outcome": outcome_rule(rules.metric),
            "tune": _tune(rules.paths),
            "exclude": {
                "type": "array",
                "description": "cells to leave out: {factor: level, ..., reason: text}",
                "items": {
                    "type": "object",
                    "required": ["reason"],
                    "minProperties": 2,
                    "properties": {
                        "reason": {"type": "string", "minLength": 1, "description": "why"}
                    },
                    "additionalProperties": LABEL,
                },
            },
            "equal_arms": {
                "type": "array",
                "description": (
                    "groups of cells that are meant to be equal: "
                    "[[{factor: level}, {factor: level}]]"
                ),
                "items": {
                    "type": "array",
                    "minItems": 2,
                    "items": {"type": "object", "additionalProperties": LABEL},
                },
            },
            "notes": {"type": "string", "description": "free text of the author"},
            "expect": {
                "type": "object",
                "description": (
                    "expected verdicts: factor, or factor=level -> verdict; `plan --register` "
                    "keeps them"
                ),
                "additionalProperties": {"enum": list(VERDICTS)},
            },
        },
        "$defs": {
            "factor": _factor(rules.paths),
            "patch": _patch(rules.paths),
            **rules.definitions,
        },
    }


def _factor(paths: Mapping[str, Schema]) -> Schema:
    """Return the rule for a factor, in either of its two forms.

    The forms are `{path, levels: {label: value}}` and `{levels: {label: {path: value}}}`.

    Args:
        paths: dotted path into the config -> rule for its value.
    """
    labels: Schema = {
        "minLength": 1,
        "maxLength": LONGEST_LABEL,
        "pattern": r"^[^\x00-\x1f\x7f]*" + END,
    }

    # With `path`, each value among the levels must follow the rule for that path
    typed = [
        {
            "if": {"required": ["path"], "properties": {"path": {"const": path}}},
            "then": {"properties": {"levels": {"additionalProperties": rule, "items": rule}}},
        }
        for path, rule in paths.items()
    ]

    return {
        "type": "object",
        "required": ["levels"],
        "additionalProperties": False,
        "properties": {
            "path": {
                "enum": list(paths),
                "description": "dotted path into the config that the levels are values of",
            },
            "levels": {
                "type": ["object", "array"],
                "minProperties": 2,
                "minItems": 2,
                "propertyNames": labels,
                "description": (
                    "label -> value (with `path`) or label -> {path: value}; the first is the "
                    "reference"
                ),
            },
            "when": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": LABEL,
                "description": (
                    "{factor: level, ...}: varies only there, elsewhere it stays at its reference"
                ),
            },
            "code": {
                "type": "string",
                "pattern": "^[A-Za-z0-9]" + END,
                "x-needs": "must be one letter from A to Z or one digit",
                "description": (
                    "its letter or digit in the codes of arms, such as G in G+S; left out: a "
                    "letter of its level's name"
                ),
            },
            "label": {**WORDS, "description": "what it is, in plain words, for reports"},
            "description": {**TEXT, "description": "more about it, for reports"},
            "labels": {
                "type": "object",
                "additionalProperties": WORDS,
                "description": (
                    "level -> what it does, in words that can start a sentence: restoring only "
                    "the generator"
                ),
            },
            "descriptions": {
                "type": "object",
                "additionalProperties": TEXT,
                "description": "level -> more about it, for reports",
            },
            "ordered": {
                "type": "boolean",
                "description": (
                    "whether the levels are steps of one quantity, in the order of the file"
                ),
            },
        },
        "if": {"not": {"required": ["path"]}},
        "then": {
            "properties": {
                "levels": {"type": "object", "additionalProperties": {"$ref": "#/$defs/patch"}}
            }
        },
        "allOf": typed,
    }


def _tune(paths: Mapping[str, Schema]) -> Schema:
    """Return the rule for the value that every arm chooses.

    Args:
        paths: dotted path into the config -> rule for its value.
    """
    path = {**tuning.SCHEMA["properties"]["path"], "enum": list(paths)}
    return {**tuning.SCHEMA, "properties": {**tuning.SCHEMA["properties"], "path": path}}


def _patch(paths: Mapping[str, Schema]) -> Schema:
    """Return the rule for a level in the form `{path: value}`."""
    return {
        "type": "object",
        "description": "dotted path into the config -> value",
        "additionalProperties": False,
        "properties": dict(paths),
    }


def _design(designs: Mapping[str, Design]) -> Schema:
    """Return the rule for the design: a name, or a name with its options.

    Args:
        designs: name -> design.
    """
    options = {
        name: rule for name, design in designs.items() if (rule := design_options(name, design))
    }
    needs = {name: text for name in options if (text := _needs(name, designs[name], options[name]))}

    return {
        "description": "; ".join(
            f"{name}: {first_line(design.cells)}" for name, design in designs.items()
        ),
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": {"enum": [name for name in designs if name not in needs], "x-instead": needs},
        "else": {
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": options,
        },
    }


def design_options(name: str, design: Design) -> Schema | None:
    """Return the rule for the options of a design; None if it has none.

    Raises:
        StudyError: a study file can't give a field of their dataclass.
    """
    if not isinstance(design.options, type):
        return design.options
    try:
        rules = options_of(design.options)
    except Exception as error:
        reason = " ".join(str(error).split("\n")[0].split())
        raise StudyError(f"design {name}: its options have no schema: {reason}") from error

    required = [option for option, rule in rules.items() if "default" not in rule]
    rule: Schema = {"type": "object", "additionalProperties": False, "properties": rules}
    return rule | ({"required": required} if required else {})


def _needs(name: str, design: Design, rule: Schema) -> str:
    """Return what is missing where a study file gives only the name of a design; often empty."""
    if design.needs or not rule.get("required"):
        return design.needs
    options = ", ".join(f"{option}: ..." for option in rule["required"])
    return f"needs its options: {{{name}: {{{options}}}}}"


def outcome_rule(metric: Schema) -> Schema:
    """Return the rule for the outcome.

    Args:
        metric: rule for the name of its metric.
    """
    degradation: dict[str, Any] = {
        "relative": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "share of the value at step 0, 0.10: 10 %",
        },
        "after_step": {
            "type": "integer",
            "minimum": 0,
            "description": "evaluations up to this step do not count",
        },
        "patience": {
            "type": "integer",
            "minimum": 1,
            "description": "evaluations in a row that must be worse",
        },
    }

    return {
        "type": "object",
        "description": "the primary outcome and the rule of decision, fixed before the runs",
        "additionalProperties": False,
        "required": ["metric"],
        "properties": {
            "metric": {**metric, "description": "metric of `g2g-ablate list metrics`"},
            "better": {
                "enum": ["lower", "higher"],
                "description": "direction; left out: the metric's own",
            },
            "summary": {
                "enum": ["last", "best", "mean", "auc"],
                "description": "how a curve becomes one number",
            },
            "smallest_effect": {
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
                "description": (
                    "smallest difference that matters, in the metric's unit; scale log: ratio "
                    "minus 1"
                ),
            },
            "scale": {
                "enum": ["linear", "log"],
                "description": "effects are differences (linear) or ratios (log)",
            },
            "also": _also(metric),
            "spend": {
                "enum": ["even", "middle", "late"],
                "description": "how the permitted error is spent over the looks",
            },
            "looks": {
                "type": "array",
                "minItems": 2,
                "uniqueItems": True,
                "items": {"type": "integer", "minimum": 2},
                "description": (
                    "numbers of seeds after which to stop if every factor has its verdict; the "
                    "last is all"
                ),
            },
            "degradation": {
                "type": "object",
                "description": "when a trial counts as degraded",
                "additionalProperties": False,
                "properties": degradation,
            },
        },
    }


def _also(metric: Schema) -> Schema:
    """Return the rule for further outcomes: a list of metrics, or of maps with a metric.

    Args:
        metric: rule for the name of a metric.
    """
    return {
        "type": "array",
        "minItems": 1,
        "description": "further outcomes: a metric, or {metric, better, smallest_effect}",
        "items": {
            "type": ["string", "object"],
            "if": {"type": "string"},
            "then": metric,
            "else": {
                "additionalProperties": False,
                "required": ["metric"],
                "properties": {
                    "metric": {**metric, "description": "metric of `g2g-ablate list metrics`"},
                    "better": {
                        "enum": ["lower", "higher"],
                        "description": "left out: the metric's own",
                    },
                    "smallest_effect": {
                        "type": ["number", "null"],
                        "exclusiveMinimum": 0,
                        "description": "smallest difference that matters, in the metric's unit",
                    },
                },
            },
        },
    }
