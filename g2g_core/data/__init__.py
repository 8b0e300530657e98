"""Datasets by name: pairs of images with classes, for training and evaluation."""

from g2g_core.data.menu import DATASETS, all_datasets
from g2g_core.data.pairs import Batch, Data, DataError, Dataset, EvaluationPairs

__all__ = [
    "DATASETS",
    "Batch",
    "Data",
    "DataError",
    "Dataset",
    "EvaluationPairs",
    "all_datasets",
]
