"""The menus of the science package as plain data: names, one line each, and the options of models
and datasets.

Everything that validates, lists or describes reads these, and they are read off the dicts that the
training code itself uses (`all_losses()`, `MODELS`, ...), so nothing is typed twice.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ablate.disk.remembered import remembered
from ablate.reading.options import Schema, first_line, options_of
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
    from g2g_core.losses.menu import all_losses
    from g2g_core.metrics.menu import DEFAULT, all_metrics
    from g2g_core.models import MODELS, OPTIONS

    return Menus(
        models={
            name: Choice(name, first_line(make), options_of(OPTIONS[name]), module=module_of(make))
            for name, make in MODELS.items()
        },
        datasets={
            n: Choice(n, first_line(make), options_of(DATA_OPTIONS[n]), module=module_of(make))
            for n, make in DATASETS.items()
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


def module_of(thing: Any) -> str:
    """Return the module in which a function, or the class of an object, is defined."""
    function = thing.func if isinstance(thing, partial) else thing
    return str(function.__module__)


def _is_copy(function: Callable[..., float]) -> bool:
    """Whether a metric compares what a copy of the input would give with the truth: it has nothing
    of a generator."""
    from g2g_core.metrics.reconstruction import copy_class, copy_content

    return isinstance(function, partial) and function.args[:1] in ((copy_class,), (copy_content,))
