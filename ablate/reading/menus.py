"""The menus of the science package as plain data: names, one line each, and the options of models
and datasets.

Everything that validates, lists or describes reads these, and they are read off the dicts that the
training code itself uses (`all_losses()`, `MODELS`, ...), so nothing is typed twice.
"""

import dataclasses
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from ablate.disk.remembered import remembered
from g2g_core.config import TrialConfig

Schema = dict[str, Any]
"""A JSON Schema."""


@dataclass(frozen=True)
class Choice:
    """One entry of a menu.

    Attributes:
        name: what a study file calls it.
        description: one line.
        options: for models and datasets: option -> JSON Schema with `type`, `default` and
            `description`.
        better: for metrics: `lower`, `higher` or None.
        unit: for metrics.
        usual: for metrics: recorded when a config names none, where the data can give it.
        fixed: for metrics: a property of the images alone, which no network of a trial changes.
    """

    name: str
    description: str
    options: Mapping[str, Schema] = field(default_factory=dict)
    better: str | None = None
    unit: str = ""
    usual: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Menus:
    """All menus that a study file chooses from, and the fields of `TrialConfig` as JSON Schemas."""

    models: Mapping[str, Choice]
    datasets: Mapping[str, Choice]
    losses: Mapping[str, Choice]
    metrics: Mapping[str, Choice]
    parts: tuple[str, ...]
    config: Mapping[str, Schema]

    def recorded(self) -> dict[str, Choice]:
        """Name under which a trial may record a metric -> the metric: its own, or with `raw_` or
        `average_` before."""
        kinds = ("", "raw_", "average_")
        return {f"{kind}{name}": metric for kind in kinds for name, metric in self.metrics.items()}

    def metric_of(self, recorded: str) -> str:
        """The metric behind a recorded name."""
        return recorded if recorded in self.metrics else recorded.partition("_")[2]


def science_menus() -> Menus:
    """The menus of the installed `g2g_core`; read off the code once, then remembered."""
    found = remembered("menus", lambda: dataclasses.asdict(_read_menus()))
    named = {
        kind: {name: Choice(**entry) for name, entry in found[kind].items()}
        for kind in ("models", "datasets", "losses", "metrics")
    }
    return Menus(**named, parts=tuple(found["parts"]), config=found["config"])


def _read_menus() -> Menus:
    from g2g_core.checkpoints.checkpoint import PARTS
    from g2g_core.data import DATA_OPTIONS, DATASETS
    from g2g_core.losses.funit import all_losses
    from g2g_core.metrics.menu import DEFAULT, all_metrics
    from g2g_core.models import MODELS, OPTIONS

    return Menus(
        models={
            name: Choice(name, first_line(make), options_of(OPTIONS[name]))
            for name, make in MODELS.items()
        },
        datasets={
            n: Choice(n, first_line(make), options_of(DATA_OPTIONS[n]))
            for n, make in DATASETS.items()
        },
        losses={name: Choice(name, first_line(term)) for name, term in all_losses().items()},
        metrics={
            name: Choice(
                name,
                metric.description,
                better=metric.better,
                unit=metric.unit,
                usual=name in DEFAULT,
                fixed=_is_copy(metric.function),
            )
            for name, metric in all_metrics().items()
        },
        parts=tuple(PARTS),
        config=options_of(TrialConfig),
    )


def _is_copy(function: Callable[..., float]) -> bool:
    """Whether a metric compares what a copy of the input would give with the truth: it has nothing
    of a generator."""
    from g2g_core.metrics.reconstruction import copy_class, copy_content

    return isinstance(function, partial) and function.args[:1] in ((copy_class,), (copy_content,))


def first_line(thing: object) -> str:
    """The first line of a docstring, without markup and the final stop."""
    text = (thing.__doc__ or "").strip().partition("\n")[0]
    return text.replace("`", "").rstrip(".")


def options_of(options: type) -> dict[str, Schema]:
    """Field -> JSON Schema of a dataclass of options, with the descriptions of its docstring.

    Unions of plain types become a list of types, so that every value has one flat rule.
    """
    described = attributes(options)
    whole: Schema = TypeAdapter(options).json_schema()
    rules = {}
    for entry in dataclasses.fields(options):
        rule = _flat(whole["properties"][entry.name])
        if entry.metadata.get("path") or _holds_path(typing.get_type_hints(options)[entry.name]):
            rule["format"] = "path"
        if entry.metadata.get("neutral"):
            rule["x-neutral"] = True
        rules[entry.name] = {**rule, "description": described.get(entry.name, "")}
    return rules


def attributes(documented: type) -> dict[str, str]:
    """Name -> text of the `Attributes:` section of a Google-style docstring, each on one line."""
    _, _, section = (documented.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if start := re.match(r"\s{4,8}(\w+)(?: \(.*?\))?: (.*)", line):
            name = start[1]
            found[name] = start[2].strip()
        elif not line.strip():
            name = ""
        elif name:
            found[name] += " " + line.strip()
    return found


def _holds_path(hint: Any) -> bool:
    """Whether a type hint mentions `Path`."""
    return "Path" in str(hint)


def _flat(rule: Schema) -> Schema:
    """A rule without `anyOf` over plain types, titles and references."""
    rule = {key: value for key, value in rule.items() if key != "title"}
    if "anyOf" not in rule:
        return rule
    kinds = [_flat(part) for part in rule.pop("anyOf")]
    merged: Schema = {}
    for kind in kinds:
        merged |= kind
    merged["type"] = [name for kind in kinds for name in _types(kind)]
    if "enum" in merged and "null" in merged["type"]:
        merged["enum"] = [*merged["enum"], None]
    return {**merged, **rule}


def _types(rule: Schema) -> list[str]:
    """The types of a flat rule."""
    kind = rule.get("type", "string")
    return kind if isinstance(kind, list) else [kind]
