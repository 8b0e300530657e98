"""Batches made ahead by worker processes; how many there are changes no number, since a batch
depends on its step."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader, Dataset

from g2g_core.data.pairs import Batch, DataError


class BatchesAhead:
    """Gives the batch of a step while the next ones are in the making; steps are best asked for in
    order.

    Args:
        make: the batch of a step.
        workers: processes, at least 1.
    """

    def __init__(self, make: Callable[[int], Batch], workers: int) -> None:
        self.make = make
        self.workers = workers
        self._next = -1
        self._batches: Iterator[Batch | DataError] = iter(())

    def __call__(self, step: int) -> Batch:
        """The batch of a step.

        Raises:
            DataError: an image of it cannot be read.
        """
        if step != self._next:
            self._batches = self._from(step)
        self._next = step + 1
        batch = next(self._batches)
        if isinstance(batch, DataError):
            raise batch
        return batch

    def _from(self, step: int) -> Iterator[Batch | DataError]:
        """Batches from a step on."""
        steps = range(step, sys.maxsize)
        return iter(
            DataLoader(
                _Steps(self.make),
                sampler=steps,
                batch_size=None,
                num_workers=self.workers,
                collate_fn=_as_is,
            )
        )


class _Steps(Dataset[Batch | DataError]):
    """Batches by step, as a dataset of torch; errors are given back, so that they arrive as they
    were raised."""

    def __init__(self, make: Callable[[int], Batch]) -> None:
        self.make = make

    def __getitem__(self, step: int) -> Batch | DataError:
        try:
            return self.make(step)
        except DataError as error:
            return error


def _as_is(batch: Any) -> Any:
    return batch
