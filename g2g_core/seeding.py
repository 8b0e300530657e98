"""Random generators by purpose.

Every random choice has its own generator, so that switching one feature on never changes the
random numbers of another. The state of a generator is a hash of `(seed, purpose, numbers)`. It
depends on nothing else: not on the order of calls, the process, the number of workers, or the
machine.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_number(seed: int, purpose: str, *numbers: int) -> int:
    """Return the 63-bit number that belongs to `(seed, purpose, numbers)`.

    It is the first 8 bytes of the SHA-256 of the text `seed/purpose/number/...`, with the top bit
    cleared.

    Args:
        seed: the seed of the trial.
        purpose: use of the random numbers, for example `data/content_order`.
        *numbers: distinguish several generators of one purpose, for example by epoch or step.
    """
    text = "/".join((str(int(seed)), purpose, *(str(int(number)) for number in numbers)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *numbers: int) -> torch.Generator:
    """Return a new torch CPU generator for `(seed, purpose, numbers)`.

    The same arguments give the same stream; see `seed_number`.
    """
    return torch.Generator().manual_seed(seed_number(seed, purpose, *numbers))


def numpy_rng(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """Return a new numpy PCG64 stream for `(seed, purpose, numbers)`; see `seed_number`."""
    return np.random.Generator(np.random.PCG64(seed_number(seed, purpose, *numbers)))


@contextmanager
def seeded_init(seed: int, purpose: str) -> Iterator[None]:
    """Replace torch's own CPU generator by that of `(seed, purpose)` inside the block.

    Layers draw their initial weights from torch's own generator. Its state is restored afterwards.
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed_number(seed, purpose))
    try:
        yield
    finally:
        torch.set_rng_state(before)
