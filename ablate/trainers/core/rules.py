"""JSON Schemas of the core's config in a study file, made from the menus."""

from collections.abc import Mapping

from ablate.reading.options import Schema
from ablate.reading.schema import Rules
from ablate.study import starts
from ablate.trainers.core.menus import Choice, Menus
from g2g_core.config import SOURCES, facts

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
"""Schema of the schedule of a loss."""


def path_rules(menus: Menus) -> dict[str, Schema]:
    """Return dotted path -> schema of the value, for every path that a level may set."""
    rules = {name: rule for name, rule in config_rules(menus).items() if name != "seed"}
    for name in menus.losses:
        rules[f"losses.{name}"] = _weight(menus.losses[name])
        rules[f"schedules.{name}"] = SCHEDULE
        rules |= {f"schedules.{name}.{key}": rule for key, rule in SCHEDULE["properties"].items()}
    for field, choices in (("network", menus.models), ("data", menus.datasets)):
        rules |= {f"{field}.{name}": rule for name, rule in _united(choices).items()}
    return rules


def config_rules(menus: Menus) -> dict[str, Schema]:
    """Return field of `TrialConfig` -> schema of its value."""
    known = facts()
    rules = {name: {**rule, **known[name].limits} for name, rule in menus.config.items()}
    trained = {key: value for key, value in starts.SCHEMA.items() if key != "type"}
    same = {**trained["properties"]["same"], "items": {"enum": list(rules)}}
    rules["checkpoint"] |= trained | {"properties": {**trained["properties"], "same": same}}
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
        ("vary", SOURCES),
    ):
        rules[name] = {**rules[name], "items": {"enum": list(names)}, "uniqueItems": True}
    rules["evaluate"]["minItems"] = 1
    return rules


def _bounded(menus: Menus) -> list[str]:
    """Return the recorded metrics that can be beyond a bound, as they have a better direction."""
    return [name for name, metric in menus.recorded().items() if metric.better]


def _weight(term: Choice) -> Schema:
    """Return the schema of the weight of a loss."""
    return {"type": "number", "minimum": 0, "description": term.description}


def _menu(rule: Schema, properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of a map that has only these keys."""
    return {
        "type": "object",
        "description": rule.get("description", ""),
        "properties": dict(properties),
        "additionalProperties": False,
    }


def _united(choices: Mapping[str, Choice]) -> dict[str, Schema]:
    """Return the options of all choices by name.

    If options of several choices share a name but not a schema, a value must match any of the
    schemas.
    """
    alternatives: dict[str, list[Schema]] = {}
    for choice in choices.values():
        for name, rule in choice.options.items():
            rules = alternatives.setdefault(name, [])
            plain = {
                key: value for key, value in rule.items() if key not in ("default", "description")
            }
            if plain not in [
                {k: v for k, v in r.items() if k not in ("default", "description")} for r in rules
            ]:
                rules.append(dict(rule))
    return {
        name: rules[0] if len(rules) == 1 else {"anyOf": rules}
        for name, rules in alternatives.items()
    }


def base_rules(menus: Menus) -> Schema:
    """Return the schema of `base:`, whose options must be those of its model and dataset."""
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
    """Return the schemas of the study file of a study that the core trains."""
    return Rules(base_rules(menus), path_rules(menus), {"enum": list(menus.recorded())})
