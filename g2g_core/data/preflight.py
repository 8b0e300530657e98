"""Find what is wrong with a dataset in seconds, before training starts."""

import numpy as np

from g2g_core.config import TrialConfig
from g2g_core.data.cache import FileImages, unreadable
from g2g_core.data.decode import BadImage, quiet_decoding, read_image
from g2g_core.data.image_data import ImageData
from g2g_core.data.pairs import Data, DataError

SAMPLED = 100  # number of images tried of a large dataset


def problems_of(data: Data, config: TrialConfig) -> list[str]:
    """Find problems that creating a dataset doesn't reveal.

    These are unreadable images and evaluation pairs that do not exist. Datasets that are kept
    decoded are decoded now, and the trials reuse the result. Of larger datasets, an evenly spread
    sample is tried.

    Args:
        data: `DATASETS[config.dataset](config)`. Creating it counts classes and images, and raises
            DataError if there are too few.
        config: of the trial.

    Returns:
        One message per problem; empty if there are none.
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
    """Return at most one message, which names the unreadable images of a sample."""
    failures = []
    with quiet_decoding():
        for i in np.unique(np.linspace(0, len(images) - 1, SAMPLED).astype(int)):
            try:
                read_image(images.root / images.files[i], images.shortest)
            except BadImage as error:
                failures.append((images.files[i], error))
    return [unreadable(images.root, failures)] if failures else []
