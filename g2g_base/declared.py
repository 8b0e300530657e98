"""Menus made of what the modules of a package declare, so that a new entry is one new file."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules


def declared(package: str, folder: Path, name: str) -> Iterator[tuple[str, object]]:
    """Yield the entries of every dictionary of this name in the modules of a package.

    Modules come in the order of their names, and the entries of a module in its own order.

    Args:
        package: dotted name of the package.
        folder: where its modules are.
        name: of the dictionary, such as `MODELS`; modules without it declare nothing.

    Raises:
        ValueError: two modules declare the same entry.
    """
    places: dict[str, str] = {}
    for module in sorted(info.name for info in iter_modules([str(folder)]) if info.name != "menu"):
        entries = getattr(importlib.import_module(f"{package}.{module}"), name, {})
        for key, entry in entries.items():
            if key in places:
                raise ValueError(f"{package}: {places[key]} and {module} both declare {key}")
            places[key] = module
            yield key, entry
