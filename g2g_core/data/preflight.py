"""Find what is wrong with a dataset in seconds, before training starts."""

import numpy as np

from g2g_core.config import TrialConfig
from g2g_core.data.cache import FileImages, unreadable
from g2g_core.data.decode import BadImage, quiet_decoding, read_image
from g2g_core.data.image_data import ImageData
from g2g_core.data.inspection import inspect_quickly
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


def caution_about(data: Data, config: TrialConfig) -> str | None:
    """Return a line about images that can be used but look suspicious, or None.

    Datasets that are decoded at each use are not read for it. If they were checked before, the
    result counts; if not, the line says that they weren't.

    Args:
        data: a dataset without problems.
        config: of the trial.
    """
    if not isinstance(data, ImageData):
        return None
    inspection = inspect_quickly(data, config.eval_pairs)
    if inspection is None:
        return (
            f"{data.set.folder}: the {len(data.files)} images were not checked for blank or equal "
            "ones, because they are decoded at each use"
        )
    return inspection.summary


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
