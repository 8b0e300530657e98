"""Losses and metrics from other packages: an entry point each, told from ours by nothing but where
they come from."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

LOSSES, METRICS = "g2g_ablate.losses", "g2g_ablate.metrics"
"""Entry point groups that add to the menus of study files; an entry's name is the name in the menu.

A loss is what a value of `g2g_core.losses.LOSSES` is, a metric a `Metric` of the entry's name.
"""


class PluginError(ValueError):
    """An installed package brings what cannot be used: one clear line."""


def with_plugins(menu: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Our menu, then what installed packages add to it, by name.

    Raises:
        PluginError: a package brings a name that is taken, or what cannot be loaded.
    """
    found = dict(menu)
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        if entry.name in found:
            raise PluginError(f"{group}: {entry.value}: the name {entry.name} is taken")
        try:
            found[entry.name] = entry.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"{group}: {entry.value}: {error}") from error
    return found


def installed() -> list[str]:
    """What is added and by which version of which package, a line an entry; empty without
    plug-ins."""
    everything = entry_points()
    return sorted(
        f"{group}: {entry.name} = {entry.value} ({entry.dist.name} {entry.dist.version})"
        if entry.dist
        else str(entry)
        for group in (LOSSES, METRICS)
        for entry in everything.select(group=group)
    )
