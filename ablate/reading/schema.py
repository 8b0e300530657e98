"""The JSON Schema of the study file, made from the menus: what validation checks and what editors
complete from."""

from collections.abc import Mapping
from typing import Any

from ablate.reading.menus import Choice, Menus, Schema

END = r"$(?!\n)"
"""The end of a text; Python's `$` alone also matches before a final newline."""
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*" + END
"""Study names: they become a folder and an experiment's name."""
RESERVED = (
    r"^([cC][oO][nN]|[pP][rR][nN]|[aA][uU][xX]|[nN][uU][lL]|([cC][oO][mM]|[lL][pP][tT])[0-9]"
    r"|ml(flow\.db|artifacts|runs))(\.|$)"
)
"""Names that Windows keeps for devices, and those of the tracking store beside the studies."""
FACTOR = r"^[A-Za-z][A-Za-z0-9_-]*" + END
"""Factor names: they become columns, tags and parameters."""
LONGEST_NAME = 64
LONGEST_LABEL = 250

LIMITS: dict[str, Schema] = {
    "checkpoint": {"format": "path"},
    "image_size": {"minimum": 4, "maximum": 8192},
    "batch_size": {"minimum": 1, "maximum": 65536},
    "steps": {"minimum": 1, "maximum": 10_000_000},
    "optimizer": {"enum": ["rmsprop", "adam"]},
    "lr_generator": {"minimum": 0},
    "lr_discriminator": {"minimum": 0},
    "weight_decay": {"minimum": 0},
    "ema_decay": {"minimum": 0, "maximum": 1},
    "discriminator_warmup": {"minimum": 0},
    "eval_every": {"minimum": 1},
    "eval_pairs": {"minimum": 1, "maximum": 100_000},
    "eval_shots": {"minimum": 1, "maximum": 100},
    "checkpoint_every": {"minimum": 0},
    "log_every": {"minimum": 1},
    "seed": {"minimum": 0},
    "threads": {"minimum": 1, "maximum": 1024},
    "precision": {"enum": ["float32", "float64", "bfloat16"]},
}
"""What the types of `TrialConfig` do not say."""

NEEDED = {
    "fractional_factorial": "needs its size: {fractional_factorial: {resolution: 4}}, or {runs: 8}",
    "custom": "needs its cells: {custom: [{factor: level}, ...]}",
}
"""Designs that are no design without options, and how to write them."""

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
"""What a report can say of a factor, and so what a study file can expect of it."""

TRAINER: Schema = {
    "type": ["object", "null"],
    "description": "the program that trains; left out: the core",
    "x-not-text": "only a program can be a trainer so far: {command: 'python train.py --out {folder}'}",
    "required": ["command"],
    "additionalProperties": False,
    "properties": {
        "command": {
            "type": "string",
            "minLength": 1,
            "description": "the program and its arguments, with options of base, seed, folder, device in braces",
        },
        "metrics": {
            "type": "string",
            "minLength": 1,
            "description": "file that it writes in {folder}: JSON lines with a step, or CSV; metrics.jsonl if left out",
        },
        "folder": {
            "type": "string",
            "minLength": 1,
            "format": "path",
            "description": "where it is started; left out: the folder of the file that holds the command",
        },
    },
}
OPTION_NAMES: Schema = {"pattern": r"^[A-Za-z_][A-Za-z0-9_-]*" + END, "maxLength": LONGEST_NAME}
OPTIONS: Schema = {
    "type": "object",
    "description": "the options of the command",
    "propertyNames": {**OPTION_NAMES, "not": {"enum": ["seed", "folder", "device"]}},
    "additionalProperties": {"$ref": "#/$defs/options"},
}
NESTED: Schema = {
    "propertyNames": OPTION_NAMES,
    "additionalProperties": {"$ref": "#/$defs/options"},
}
"""Of an option that is a map; the keywords say nothing about other values."""
CHECKPOINT: Schema = {"type": ["string", "null"], "format": "path"}
KINDS: tuple[tuple[type, Schema], ...] = (
    (bool, {"type": "boolean"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (list, {"type": "array"}),
    (dict, {"type": "object"}),
    (object, {}),
)
"""Type of a value -> rule of others in its place; null says nothing of them."""

LABEL: Schema = {"type": ["string", "number", "boolean"], "description": "label of a level"}
SCHEDULE: Schema = {
    "type": ["object", "null"],
    "required": ["kind"],
    "additionalProperties": False,
    "properties": {
        "kind": {
            "enum": ["constant", "ramp", "delay"],
            "description": "course of the weight over the steps",
        },
        "start": {
            "type": "integer",
            "minimum": 0,
            "description": "step at which the weight starts to act",
        },
        "end": {
            "type": "integer",
            "minimum": 0,
            "description": "step at which a ramp reaches the full weight",
        },
    },
}


def study_schema(
    menus: Menus, designs: Mapping[str, str], options: Mapping[str, Any] | None = None
) -> Schema:
    """JSON Schema (2020-12) of a study file.

    Args:
        menus: what can be chosen.
        designs: design -> one line.
        options: the base of a study whose trainer is a command, which may hold any keys; None: the
            core trains.
    """
    core = options is None
    paths = path_rules(menus) if options is None else option_rules(options)
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
                "description": "folder and experiment name: letters, digits, `_`, `-` and inner dots",
            },
            "question": {"type": "string", "description": "what the study asks, one sentence"},
            "extends": {
                "type": "string",
                "description": "another study file, relative to this one; maps merge, lists replace",
            },
            "trainer": TRAINER,
            "base": _base(menus) if core else OPTIONS,
            "factors": {
                "type": "object",
                "description": "what varies: name -> levels; the first level is the reference",
                "propertyNames": {
                    "pattern": FACTOR,
                    "maxLength": LONGEST_NAME,
                    "not": {"enum": ["reason", "seed"]},
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
            "outcome": _outcome(menus if core else None),
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
                "description": "groups of cells that are meant to be equal: [[{factor: level}, {factor: level}]]",
                "items": {
                    "type": "array",
                    "minItems": 2,
                    "items": {"type": "object", "additionalProperties": LABEL},
                },
            },
            "notes": {"type": "string", "description": "free text of the author"},
            "expect": {
                "type": "object",
                "description": "expected verdicts: factor, or factor=level -> verdict; `plan --register` keeps them",
                "additionalProperties": {"enum": list(VERDICTS)},
            },
        },
        "$defs": {"factor": _factor(paths), "patch": _patch(paths), "options": NESTED},
    }


def option_rules(options: Mapping[str, Any], prefix: str = "") -> dict[str, Schema]:
    """Dotted path -> rule of its value, for every option of a command's base: each has the type of
    its value."""
    rules: dict[str, Schema] = {}
    for name, value in options.items():
        path = f"{prefix}{name}"
        rules[path] = (
            CHECKPOINT
            if path == "checkpoint"
            else next(dict(rule) for kind, rule in KINDS if isinstance(value, kind))
        )
        if isinstance(value, Mapping):
            rules |= option_rules(value, f"{path}.")
    return rules


def path_rules(menus: Menus) -> dict[str, Schema]:
    """Dotted path into the config -> rule of its value, for every path that a level may set."""
    rules = {name: rule for name, rule in config_rules(menus).items() if name != "seed"}
    for name in menus.losses:
        rules[f"losses.{name}"] = _weight(menus.losses[name])
        rules[f"schedules.{name}"] = SCHEDULE
        rules |= {f"schedules.{name}.{key}": rule for key, rule in SCHEDULE["properties"].items()}
    for field, choices in (("network", menus.models), ("data", menus.datasets)):
        rules |= {f"{field}.{name}": rule for name, rule in _united(choices).items()}
    return rules


def config_rules(menus: Menus) -> dict[str, Schema]:
    """Field of `TrialConfig` -> rule."""
    rules = {name: {**rule, **LIMITS.get(name, {})} for name, rule in menus.config.items()}
    rules["model"] = {**rules["model"], "enum": list(menus.models)}
    rules["dataset"] = {**rules["dataset"], "enum": list(menus.datasets)}
    rules["losses"] = _menu(
        rules["losses"], {name: _weight(choice) for name, choice in menus.losses.items()}
    )
    rules["schedules"] = _menu(rules["schedules"], dict.fromkeys(menus.losses, SCHEDULE))
    rules["network"] = _menu(rules["network"], _united(menus.models))
    rules["data"] = _menu(rules["data"], _united(menus.datasets))
    rules["stop_beyond"] = _menu(
        rules["stop_beyond"], {name: {"type": "number"} for name in _bounded(menus)}
    )
    for name, names in (
        ("restore", menus.parts),
        ("evaluate", ("raw", "average")),
        ("metrics", tuple(menus.metrics)),
    ):
        rules[name] = {**rules[name], "items": {"enum": list(names)}, "uniqueItems": True}
    rules["evaluate"]["minItems"] = 1
    return rules


def _bounded(menus: Menus) -> list[str]:
    """Recorded metrics that have a better direction, so that one can be beyond a bound."""
    return [name for name, metric in menus.recorded().items() if metric.better]


def _weight(term: Choice) -> Schema:
    return {"type": "number", "minimum": 0, "description": term.description}


def _menu(rule: Schema, properties: Mapping[str, Schema]) -> Schema:
    """A map with these keys only."""
    return {
        "type": "object",
        "description": rule.get("description", ""),
        "properties": dict(properties),
        "additionalProperties": False,
    }


def _united(choices: Mapping[str, Choice]) -> dict[str, Schema]:
    """Options of all choices; where two of them share a name with other rules, either rule may
    hold."""
    found: dict[str, list[Schema]] = {}
    for choice in choices.values():
        for name, rule in choice.options.items():
            rules = found.setdefault(name, [])
            plain = {
                key: value for key, value in rule.items() if key not in ("default", "description")
            }
            if plain not in [
                {k: v for k, v in r.items() if k not in ("default", "description")} for r in rules
            ]:
                rules.append(dict(rule))
    return {
        name: rules[0] if len(rules) == 1 else {"anyOf": rules} for name, rules in found.items()
    }


def _base(menus: Menus) -> Schema:
    """The base config; options must be those of the named model and dataset."""
    rules = {name: rule for name, rule in config_rules(menus).items() if name != "seed"}
    conditions = []
    for chooser, field, choices in (
        ("model", "network", menus.models),
        ("dataset", "data", menus.datasets),
    ):
        for name, choice in choices.items():
            conditions.append(
                {
                    "if": {"required": [chooser], "properties": {chooser: {"const": name}}},
                    "then": {"properties": {field: _menu({}, choice.options)}},
                }
            )
    return {
        "type": "object",
        "description": "the config that levels are patches of",
        "additionalProperties": False,
        "properties": rules,
        "allOf": conditions,
    }


def _factor(paths: Mapping[str, Schema]) -> Schema:
    """Both forms: `{path, levels: {label: value}}` and `{levels: {label: {path: value}}}`."""
    labels: Schema = {
        "minLength": 1,
        "maxLength": LONGEST_LABEL,
        "pattern": r"^[^\x00-\x1f\x7f]*" + END,
    }
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
                "description": "label -> value (with `path`) or label -> {path: value}; the first is the reference",
            },
            "when": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": LABEL,
                "description": "{factor: level, ...}: varies only there, elsewhere it stays at its reference",
            },
            "ordered": {
                "type": "boolean",
                "description": "whether the levels are steps of one quantity, in the order of the file",
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


def _patch(paths: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": "dotted path into the config -> value",
        "additionalProperties": False,
        "properties": dict(paths),
    }


def _design(designs: Mapping[str, str]) -> Schema:
    """A name, or a name with its options."""
    fraction: Schema = {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            "resolution": {
                "enum": [3, 4, 5],
                "description": "3: main effects; 4: clear of pairs; 5: pairs too",
            },
            "runs": {
                "type": "integer",
                "minimum": 2,
                "maximum": 4096,
                "description": "cells, a power of two",
            },
        },
    }
    cells: Schema = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "object", "additionalProperties": LABEL},
    }
    options = {"fractional_factorial": fraction, "custom": cells}
    return {
        "description": "; ".join(f"{name}: {line}" for name, line in designs.items()),
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": {"enum": [name for name in designs if name not in options], "x-instead": NEEDED},
        "else": {
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {name: options[name] for name in designs if name in options},
        },
    }


def _outcome(menus: Menus | None) -> Schema:
    """The outcome; without menus its metric has any name, as the program records it."""
    named: Schema = {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_NAME,
        "not": {"const": "step"},
    }
    metric: Schema = named if menus is None else {"enum": list(menus.recorded())}
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
                "description": "smallest difference that matters, in the metric's unit; scale log: ratio minus 1",
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
                "description": "numbers of seeds after which to stop if every factor has its verdict; the last is all",
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
    """Further outcomes: names of metrics, or maps."""
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
