"""From a study file to finished trials, their tables and their report."""

import importlib

_PUBLIC = {
    "load_study": "ablate.reading.load",
    "plan": "ablate.planning.plan",
    "run_study": "ablate.running.study",
}
"""What a program needs of this package -> where it is; imported on first use, so that every command
starts fast."""

__all__ = ["load_study", "plan", "run_study"]


def __getattr__(name: str) -> object:
    """`load_study`, `plan`, `run_study`."""
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
