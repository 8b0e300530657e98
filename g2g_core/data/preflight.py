"""Finds what is wrong with a dataset in seconds, before anything is trained."""

import numpy as np

from g2g_core.config import TrialConfig
from g2g_core.data.cache import FileImages, unreadable
from g2g_core.data.decode import BadImage, quiet_decoding, read_image
from g2g_core.data.image_data import ImageData
from g2g_core.data.pairs import Data, DataError

SAMPLED = 100  # images of a large set that are tried


def problems_of(data: Data, config: TrialConfig) -> list[str]:
    """Problems of a dataset that making it has not found: unreadable images, evaluation pairs that
    do not exist.

    Sets that are kept decoded are decoded now (nothing is lost: the trials find them so); of larger
    sets a sample is tried, spread evenly.

    Args:
        data: `DATASETS[config.dataset](config)`; making it counts classes and images and raises
            DataError.
        config: of the trial.

    Returns:
        One line a problem; empty: none found.
    """
    problems = []
    try:
        if isinstance(data, ImageData):
            data.draw_shots(data.draw_pairs(config.eval_pairs, "test"), config.eval_shots, "test")
            if isinstance(data.images, FileImages):
                problems += _sample(data.images)
    except DataError as error:
        problems.append(str(error))
    return problems


def _sample(images: FileImages) -> list[str]:
    """At most one line, with the unreadable ones of a sample."""
    failures = []
    with quiet_decoding():
        for i in np.unique(np.linspace(0, len(images) - 1, SAMPLED).astype(int)):
            try:
                read_image(images.root / images.files[i], images.shortest)
            except BadImage as error:
                failures.append((images.files[i], error))
    return [unreadable(images.root, failures)] if failures else []
