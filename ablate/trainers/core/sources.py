"""The source files of the core that a trial uses, and of plug-ins that its config names."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ablate.disk.remembered import remembered
from ablate.trainers.core.menus import Menus
from ablate.trainers.sources import used_sources

ROOT = "g2g_core.training.loop"
"""The training run, which every trial uses."""

MENUS = (
    "g2g_core.data",
    "g2g_core.data.menu",
    "g2g_core.losses.menu",
    "g2g_core.metrics.menu",
    "g2g_core.models",
    "g2g_core.models.menu",
)
"""Modules that import everything a study can choose; of what they list only the chosen counts."""

BASE = ("g2g_base", "g2g_base.atomic", "g2g_base.locks", "g2g_base.plugins", "g2g_base.declared")
"""How plug-ins are found, and how files are written and locked: no number depends on it."""

CHOOSING = ("model", "dataset", "losses", "metrics")
"""Fields of the config that choose code."""


def sources_of(values: Mapping[str, Any], menus: Menus) -> dict[str, str]:
    """Return module -> digest of its code, for everything that a config's trials use.

    Args:
        values: plain values of the fields `CHOOSING` of the config.
        menus: what can be chosen, with the module of each entry.
    """
    metrics = values["metrics"] or [name for name, metric in menus.metrics.items() if metric.usual]
    chosen = [
        menus.models[values["model"]],
        menus.datasets[values["dataset"]],
        *(menus.losses[name] for name, weight in values["losses"].items() if weight),
        *(menus.metrics[name] for name in metrics),
    ]
    modules = tuple(sorted({ROOT, *(choice.module for choice in chosen if choice.module)}))
    return _of_modules(modules)


@cache
def _of_modules(modules: Sequence[str]) -> dict[str, str]:
    """Return the sources that these modules can reach, read once for this code."""
    ours = [name for name in modules if name.partition(".")[0] == "g2g_core"]
    found = remembered(
        f"sources {' '.join(ours)}", lambda: used_sources(*ours, cut=(*MENUS, *BASE))
    )

    # Plug-ins are read each time: what is remembered is kept for as long as our own code stays.
    others = [name for name in modules if name not in ours]
    return {**found, **used_sources(*others)}
