"""The menu of datasets."""

from dataclasses import is_dataclass
from functools import cache
from pathlib import Path

from g2g_base.declared import declared
from g2g_base.plugins import Group, with_plugins
from g2g_core.data.pairs import Dataset

DATASETS: dict[str, Dataset] = {
    name: dataset
    for name, dataset in declared("g2g_core.data", Path(__file__).parent, "DATASETS")
    if isinstance(dataset, Dataset)
}
"""Name -> dataset. Every module of this package may declare some under this name."""

GROUP = Group(
    "g2g_ablate.datasets",
    "a Dataset with a dataclass of options",
    lambda _, dataset: (
        isinstance(dataset, Dataset) and callable(dataset.make) and is_dataclass(dataset.options)
    ),
)
"""Entry points that add datasets to the menu."""


@cache
def all_datasets() -> dict[str, Dataset]:
    """Return the built-in datasets, then those of installed packages, by name.

    Raises:
        PluginError: an installed package adds a dataset that can't be used.
    """
    return with_plugins(DATASETS, GROUP)
