"""The order of the training images: two independently shuffled streams.

Each stream is a pure function of (seed, step).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from g2g_core.data.pairs import DataError, digest_of
from g2g_core.seeding import numpy_rng

STREAMS = ("content", "class")
"""Names of the two streams, content first."""


@dataclass
class Order:
    """Epochs over the training images, shuffled again for each epoch and stream.

    The last, partial batch of an epoch is dropped. As in FUNIT's code, which has two data loaders,
    the content stream and the class stream go through the same images independently. The two images
    of a pair may therefore have the same class, or be the same image.

    Attributes:
        n_images: number of training images.
        batch_size: images per batch and stream.
        seed: of the trial.

    Raises:
        DataError: there are fewer images than one batch needs.
    """

    n_images: int
    batch_size: int
    seed: int
    _shuffled: dict[str, tuple[int, NDArray[np.int64]]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.n_images < self.batch_size:
            raise DataError(
                f"too few images: {self.n_images} for training, but a batch takes {self.batch_size}"
            )

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches before the images are shuffled again."""
        return self.n_images // self.batch_size

    def indices(self, stream: str, step: int) -> NDArray[np.int64]:
        """Return the (B,) image indices of a step of a stream.

        Args:
            stream: `content` or `class`.
            step: counted from 0.
        """
        epoch, position = divmod(step, self.batches_per_epoch)
        if self._shuffled.get(stream, (-1,))[0] != epoch:
            order = numpy_rng(self.seed, f"data/{stream}_order", epoch).permutation(self.n_images)
            self._shuffled[stream] = (epoch, order)

        return self._shuffled[stream][1][
            position * self.batch_size : (position + 1) * self.batch_size
        ]

    def digest(self, steps: int) -> str:
        """Return the SHA-256 of the indices of both streams in the first `steps` steps."""
        return digest_of(
            [self.indices(stream, step) for stream in STREAMS for step in range(steps)]
        )
