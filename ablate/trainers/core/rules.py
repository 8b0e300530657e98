"""What a study file may say of the core's config, as JSON Schemas made from the menus."""

from collections.abc import Mapping

from ablate.reading.options import Schema
from ablate.reading.schema import Rules
from ablate.trainers.core.menus import Choice, Menus

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


def base_rules(menus: Menus) -> Schema:
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


def core_rules(menus: Menus) -> Rules:
    """Return what a study file may say of a study that the core trains."""
    return Rules(base_rules(menus), path_rules(menus), {"enum": list(menus.recorded())})
