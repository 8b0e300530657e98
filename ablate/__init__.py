"""From a study file to finished trials, their tables and their report."""

import importlib

_PUBLIC = {
    "Metric": "ablate.trainers.trainer",
    "Trainer": "ablate.trainers.objects.definition",
    "load_study": "ablate.planning.load",
    "plan": "ablate.planning.plan",
    "run_study": "ablate.running.study",
}
"""Public name -> its module; imported on first use, so that every command starts fast."""

__all__ = ["Metric", "Trainer", "load_study", "plan", "run_study"]


def __getattr__(name: str) -> object:
    """Return a public name, imported on first use."""
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
