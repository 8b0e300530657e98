"""Which image comes when: two independently shuffled streams, each a pure function of (seed,
step)."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from g2g_core.data.pairs import DataError, digest_of
from g2g_core.seeding import numpy_rng

STREAMS = ("content", "class")


@dataclass
class Order:
    """Epochs over `n_images`, shuffled anew each time and for each stream; the last partial batch
    is dropped.

    As FUNIT's two loaders: the content stream and the class stream go through the same images
    independently, so the two images of a pair may be of one class, or the same image.

    Raises:
        DataError: there are fewer images than one batch takes.
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
        """Batches before the images are shuffled anew."""
        return self.n_images // self.batch_size

    def indices(self, stream: str, step: int) -> NDArray[np.int64]:
        """The (B,) image indices of a step of a stream (`content` or `class`)."""
        epoch, position = divmod(step, self.batches_per_epoch)
        if self._shuffled.get(stream, (-1,))[0] != epoch:
            order = numpy_rng(self.seed, f"data/{stream}_order", epoch).permutation(self.n_images)
            self._shuffled[stream] = (epoch, order)
        return self._shuffled[stream][1][
            position * self.batch_size : (position + 1) * self.batch_size
        ]

    def digest(self, steps: int) -> str:
        """SHA-256 of the indices of both streams in the first `steps` steps."""
        return digest_of(
            [self.indices(stream, step) for stream in STREAMS for step in range(steps)]
        )
