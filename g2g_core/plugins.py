"""Losses and metrics from other packages, each added by an entry point.

They are used exactly like the built-in ones.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

LOSSES, METRICS = "g2g_ablate.losses", "g2g_ablate.metrics"
"""Entry point groups that add to the menus of study files.

The name of an entry is its name in the menu. A loss has the form of a value of
`g2g_core.losses.LOSSES`; a metric is a `Metric` with the name of the entry.
"""


class PluginError(ValueError):
    """An installed package adds something that cannot be used.

    The message is a single line.
    """


def with_plugins(menu: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Return the built-in menu together with the additions of installed packages, by name.

    Args:
        menu: the built-in entries.
        group: `LOSSES` or `METRICS`.

    Raises:
        PluginError: a package adds a name that is taken, or an object that cannot be loaded.
    """
    extended = dict(menu)
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        if entry.name in extended:
            raise PluginError(f"{group}: {entry.value}: the name {entry.name} is taken")
        try:
            extended[entry.name] = entry.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"{group}: {entry.value}: {error}") from error
    return extended


def installed() -> list[str]:
    """Return one line per added entry, with its package and version; empty without plug-ins."""
    everything = entry_points()
    return sorted(
        f"{group}: {entry.name} = {entry.value} ({entry.dist.name} {entry.dist.version})"
        if entry.dist
        else str(entry)
        for group in (LOSSES, METRICS)
        for entry in everything.select(group=group)
    )
