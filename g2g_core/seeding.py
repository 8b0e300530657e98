"""Random generators by purpose: every random thing owns one, so switching one thing on never moves
    another.

The state of a generator is a hash of `(seed, purpose, numbers)`. It depends on nothing else: not on
the order of calls, the process, the number of workers or the machine.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_number(seed: int, purpose: str, *numbers: int) -> int:
    """The 63-bit number that stands for `(seed, purpose, numbers)`.

    The first 8 bytes of the SHA-256 of `seed/purpose/number/...` as text, the top bit cleared.

    Args:
        seed: the replicate.
        purpose: what the random numbers are for, e.g. `data/content_order`.
        *numbers: what tells several generators of one purpose apart, e.g. the epoch or the step.
    """
    text = "/".join((str(int(seed)), purpose, *(str(int(number)) for number in numbers)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *numbers: int) -> torch.Generator:
    """A new CPU generator of torch for `(seed, purpose, numbers)`; equal arguments give equal
    streams."""
    return torch.Generator().manual_seed(seed_number(seed, purpose, *numbers))


def numpy_rng(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """The numpy twin of `generator`: a new PCG64 stream for `(seed, purpose, numbers)`."""
    return np.random.Generator(np.random.PCG64(seed_number(seed, purpose, *numbers)))


@contextmanager
def seeded_init(seed: int, purpose: str) -> Iterator[None]:
    """Inside, torch's own CPU generator is that of `(seed, purpose)`; afterwards it is as it was.

    For the initial weights of networks: layers draw them from torch's own generator.
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed_number(seed, purpose))
    try:
        yield
    finally:
        torch.set_rng_state(before)
