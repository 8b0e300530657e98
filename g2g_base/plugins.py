"""Additions from other packages, each declared by an entry point, for every menu alike.

An entry point of one of our groups adds its object to a menu under its own name. The object is then
used exactly like the built-in ones.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

PREFIX = "g2g_ablate."
"""Start of the names of all our groups."""

Entry = TypeVar("Entry")


class PluginError(ValueError):
    """An installed package adds something that can't be used.

    The message is a single line.
    """


@dataclass(frozen=True)
class Group:
    """A group of entry points, which adds to one menu.

    Attributes:
        name: name of the group, `g2g_ablate.models`.
        needs: what an entry must be, for the message about one that is something else.
        fits: returns whether the entry of a name is that.
    """

    name: str
    needs: str
    fits: Callable[[str, Any], bool]

    def entries(self, taken: Iterable[str] = ()) -> dict[str, EntryPoint]:
        """Return the entry points of the group by name, none of them loaded.

        Args:
            taken: names that the menu has already.

        Raises:
            PluginError: a name is taken, by the menu or by another package.
        """
        known = set(taken)
        added = {}
        for entry in sorted(entry_points(group=self.name), key=lambda entry: entry.name):
            if entry.name in known:
                raise self.error(entry, f"the name {entry.name} is taken")
            known.add(entry.name)
            added[entry.name] = entry
        return added

    def load(self, entry: EntryPoint) -> Any:
        """Return the object of an entry point.

        Raises:
            PluginError: it can't be loaded, or isn't what the group needs.
        """
        # A package of somebody else may raise anything when it is imported.
        try:
            loaded = entry.load()
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise self.error(entry, f"cannot be loaded: {reason}") from error

        if not self.fits(entry.name, loaded):
            raise self.error(entry, f"is not {self.needs}")
        return loaded

    def error(self, entry: EntryPoint, reason: str) -> PluginError:
        """Return the error that says what is wrong with an entry point."""
        return PluginError(f"{self.name}: {entry.value}: {reason}")


def with_plugins(menu: Mapping[str, Entry], group: Group) -> dict[str, Entry]:
    """Return the built-in menu, then the additions of installed packages, by name.

    Raises:
        PluginError: a name is taken, or an addition can't be loaded or isn't what the group needs.
    """
    return {**menu, **{name: group.load(entry) for name, entry in group.entries(menu).items()}}


def has_additions(group: str) -> bool:
    """Return whether an installed package adds something to the group of this name."""
    return bool(entry_points(group=group))


def installed() -> list[str]:
    """Return one line per addition, with its package and the state of its files; often empty."""
    everything = entry_points()
    groups = [group for group in everything.groups if group.startswith(PREFIX)]
    return sorted(
        f"{group}: {entry.name} = {entry.value} "
        f"({entry.dist.name if entry.dist else ''} {entry.dist.version if entry.dist else ''}) "
        f"{_state(entry.module.partition('.')[0])}"
        for group in groups
        for entry in everything.select(group=group)
    )


def _state(package: str) -> str:
    """Return a digest of when the files of a package last changed, found without importing it.

    A package that is being written changes without a new version.
    """
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return ""

    folders = spec.submodule_search_locations
    files = [file for folder in folders or () for file in sorted(Path(folder).rglob("*.py"))]
    files += [Path(spec.origin)] if spec.origin and spec.has_location and not folders else []
    stats = [(str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()[:16]
