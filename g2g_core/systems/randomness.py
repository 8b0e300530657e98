"""Random numbers of a system's steps, which depend on the seed and the step alone."""

import torch
from torch import Tensor, nn

from g2g_core.seeding import generator as seeded


class Randomness:
    """The random numbers of one step after the other.

    Each call in a step has a generator of its own, so a resumed run draws the same numbers.

    Args:
        seed: the seed of the trial.
        purpose: distinguishes systems.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        self.seed, self.purpose = seed, purpose
        self._step = self._calls = 0

    def at(self, step: int) -> None:
        """Start the numbers of a step."""
        self._step, self._calls = step, 0

    def integers(self, size: int, below: int) -> Tensor:
        """Return (size,) whole numbers, uniform in 0 to below - 1, on the CPU."""
        return torch.randint(below, (size,), generator=self._next("integers"))

    def kept(self, shape: torch.Size, rate: float) -> Tensor:
        """Return what a dropout keeps, on the CPU: False with probability `rate`."""
        return torch.rand(shape, generator=self._next("dropout")) >= rate

    def _next(self, kind: str) -> torch.Generator:
        """Return the generator of the next call in this step."""
        self._calls += 1
        return seeded(self.seed, f"{self.purpose}/{kind}", self._step, self._calls)


class Dropout(nn.Module):
    """Dropout whose random numbers come from `Randomness`; in evaluation mode it does nothing.

    Args:
        rate: probability of a zero.
        randomness: source of its numbers.
    """

    def __init__(self, rate: float, randomness: Randomness) -> None:
        super().__init__()
        self.rate = rate
        self.randomness = randomness

    def forward(self, values: Tensor) -> Tensor:
        """Return the values, some of them 0 and the others larger."""
        if not self.training or not self.rate:
            return values
        kept = self.randomness.kept(values.shape, self.rate)
        return values * (kept.to(values) / (1 - self.rate))
