"""The menus of `g2g_core` as plain data: names, descriptions, and options.

Everything that validates, lists or describes reads these, and they are read off the dicts that the
training code itself uses (`all_losses()`, `all_models()`, ...), so nothing is typed twice.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ablate.disk.remembered import remembered
from ablate.reading.options import Schema, first_line, options_of
from g2g_base.plugins import Group, PluginError
from g2g_core.config import TrialConfig


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
        module: where its code is, as a dotted name.
    """

    name: str
    description: str
    options: Mapping[str, Schema] = field(default_factory=dict)
    better: str | None = None
    unit: str = ""
    usual: bool = False
    fixed: bool = False
    module: str = ""


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
        """Return the name under which a trial may record a metric -> the metric.

        It is the metric's own name, or that name with `raw_` or `average_` before it.
        """
        kinds = ("", "raw_", "average_")
        return {f"{kind}{name}": metric for kind in kinds for name, metric in self.metrics.items()}

    def metric_of(self, recorded: str) -> str:
        """Return the metric behind a recorded name."""
        return recorded if recorded in self.metrics else recorded.partition("_")[2]


def science_menus() -> Menus:
    """Return the menus of the installed `g2g_core`, read off the code once, then remembered."""
    found = remembered("menus", lambda: dataclasses.asdict(_read_menus()))
    named = {
        kind: {name: Choice(**entry) for name, entry in found[kind].items()}
        for kind in ("models", "datasets", "losses", "metrics")
    }
    return Menus(**named, parts=tuple(found["parts"]), config=found["config"])


def _read_menus() -> Menus:
    from g2g_core.checkpoints.checkpoint import PARTS
    from g2g_core.data.menu import GROUP as DATASETS
    from g2g_core.data.menu import all_datasets
    from g2g_core.losses.menu import all_losses
    from g2g_core.metrics.menu import DEFAULT, all_metrics
    from g2g_core.models.menu import GROUP as MODELS
    from g2g_core.models.menu import all_models

    return Menus(
        models={
            name: _with_options(name, model.make, model.options, MODELS)
            for name, model in all_models().items()
        },
        datasets={
            name: _with_options(name, dataset.make, dataset.options, DATASETS)
            for name, dataset in all_datasets().items()
        },
        losses={
            name: Choice(name, first_line(term), module=module_of(term))
            for name, term in all_losses().items()
        },
        metrics={
            name: Choice(
                name,
                metric.description,
                better=metric.better,
                unit=metric.unit,
                usual=name in DEFAULT,
                fixed=_is_copy(metric.function),
                module=module_of(metric.function),
            )
            for name, metric in all_metrics().items()
        },
        parts=tuple(PARTS),
        config=options_of(TrialConfig),
    )


def _with_options(name: str, make: Callable[..., Any], options: type, group: Group) -> Choice:
    """Return the choice of a model or dataset, with the schemas of its options.

    Raises:
        PluginError: a study file can't give a field of the options.
    """
    try:
        rules = options_of(options)
    except Exception as error:
        reason = " ".join(str(error).split("\n")[0].split())
        raise PluginError(f"{group.name}: {name}: its options have no schema: {reason}") from error
    return Choice(name, first_line(make), rules, module=module_of(make))


def module_of(thing: Any) -> str:
    """Return the module in which a function, or the class of an object, is defined."""
    function = thing.func if isinstance(thing, partial) else thing
    return str(function.__module__)


def _is_copy(function: Callable[..., float]) -> bool:
    """Return whether a metric compares a copy of the input with the truth.

    Such a metric does not depend on any generator.
    """
    from g2g_core.metrics.reconstruction import copy_class, copy_content

    return isinstance(function, partial) and function.args[:1] in ((copy_class,), (copy_content,))
