"""Public names of a package that are imported on first use.

Every process that needs one small module of the package then starts fast.
"""

import importlib
from collections.abc import Callable, Mapping


def names(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return the function `__getattr__` of a package, which imports a public name on first use.

    Args:
        package: name of the package.
        modules: public name -> its module.
    """

    def get(name: str) -> object:
        if name in modules:
            return getattr(importlib.import_module(modules[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
