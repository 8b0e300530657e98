"""Datasets by name: pairs of images with classes, for training and evaluation."""

from collections.abc import Callable
from dataclasses import fields

from g2g_core.config import TrialConfig
from g2g_core.data.celeba_layout import CelebAOptions, celeba
from g2g_core.data.folders import FolderOptions, image_folder
from g2g_core.data.lists import ListOptions, list_files
from g2g_core.data.pairs import Batch, Data, DataError, EvaluationPairs
from g2g_core.data.synthetic_set import SyntheticOptions, synthetic

__all__ = [
    "DATASETS",
    "DATA_OPTIONS",
    "NEUTRAL_OPTIONS",
    "PATH_OPTIONS",
    "Batch",
    "Data",
    "DataError",
    "EvaluationPairs",
]

DATASETS: dict[str, Callable[[TrialConfig], Data]] = {
    f.__name__: f for f in (synthetic, image_folder, list_files, celeba)
}
"""Name -> function that returns the dataset of a config."""

DATA_OPTIONS: dict[str, type] = {
    "synthetic": SyntheticOptions,
    "image_folder": FolderOptions,
    "list_files": ListOptions,
    "celeba": CelebAOptions,
}
"""Name -> dataclass of the dataset's options, which are the keys of `data:` in a study file."""


def _marked(mark: str) -> frozenset[str]:
    """Return the names of the options that carry a mark in their metadata."""
    return frozenset(
        f.name for kind in DATA_OPTIONS.values() for f in fields(kind) if f.metadata.get(mark)
    )


PATH_OPTIONS = _marked("path")
"""Options that contain the path of a file or folder."""

NEUTRAL_OPTIONS = _marked("neutral")
"""Options that don't change any number (cache, workers) and aren't part of a trial's identity."""
