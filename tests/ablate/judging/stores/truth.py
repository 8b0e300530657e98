"""The planted truth that the scripts of all stores share: which outcome a run has.

`lr=0.1` raises the error by 0.05, and `aug` does nothing. All runs of a seed share a shift.
"""

import random
from collections.abc import Iterator

LRS, AUGS, SEEDS = ("0.01", "0.1"), ("off", "on"), range(5)


def noise(text: str) -> float:
    """A number in [-1, 1] that is the same on every machine."""
    return random.Random(text).uniform(-1, 1)


def val_error(lr: str, aug: str, seed: int) -> float:
    """The error of a run at its end."""
    harm = 0.05 if float(lr) == 0.1 else 0.0
    return round(0.3 + 0.04 * noise(f"{seed}") + harm + 0.002 * noise(f"{lr} {aug} {seed}"), 6)


def curve(lr: str, aug: str, seed: int, steps: int = 4) -> list[tuple[int, float]]:
    """The error by step, from step 0 to the end."""
    end = val_error(lr, aug, seed)
    return [(10 * n, end + 0.2 * (1 - n / (steps - 1))) for n in range(steps)]


def runs() -> Iterator[tuple[str, str, int]]:
    """All runs: lr, aug, and seed."""
    for seed in SEEDS:
        for lr in LRS:
            for aug in AUGS:
                yield lr, aug, seed
