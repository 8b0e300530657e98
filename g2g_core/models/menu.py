"""The menu of models."""

from dataclasses import is_dataclass
from functools import cache
from pathlib import Path

from g2g_base.declared import declared
from g2g_base.plugins import Group, with_plugins
from g2g_core.models.networks import Model

MODELS: dict[str, Model] = {
    name: model
    for name, model in declared("g2g_core.models", Path(__file__).parent, "MODELS")
    if isinstance(model, Model)
}
"""Name -> model. Every module of this package may declare some under this name."""

GROUP = Group(
    "g2g_ablate.models",
    "a Model with a dataclass of options",
    lambda _, model: (
        isinstance(model, Model) and callable(model.make) and is_dataclass(model.options)
    ),
)
"""Entry points that add models to the menu."""


@cache
def all_models() -> dict[str, Model]:
    """Return the built-in models, then those of installed packages, by name.

    Raises:
        PluginError: an installed package adds a model that can't be used.
    """
    return with_plugins(MODELS, GROUP)
