"""Datasets by name: pairs of images with classes, for training and evaluation."""

from collections.abc import Callable

from g2g_core.config import TrialConfig
from g2g_core.data.pairs import Batch, Data, DataError, EvaluationPairs
from g2g_core.data.synthetic import Synthetic, SyntheticOptions

__all__ = ["DATASETS", "DATA_OPTIONS", "Batch", "Data", "DataError", "EvaluationPairs"]


def synthetic(config: TrialConfig) -> Data:
    """Shapes in the looks of their class, rendered: nothing to download, exact truth for any pair."""
    return Synthetic(config, SyntheticOptions(**dict(config.data)))  # type: ignore[arg-type]


DATASETS: dict[str, Callable[[TrialConfig], Data]] = {f.__name__: f for f in (synthetic,)}
"""Name -> dataset of a config."""

DATA_OPTIONS: dict[str, type] = {"synthetic": SyntheticOptions}
"""Name -> dataclass of the dataset's options, the keys of `data:` in a study file."""
