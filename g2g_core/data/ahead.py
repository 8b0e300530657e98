"""Prepare batches ahead in worker processes.

A batch depends only on its step, so the number of workers doesn't change any number.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader, Dataset

from g2g_core.data.pairs import Batch, DataError


class BatchesAhead:
    """Batches by step, with the next ones prepared by worker processes.

    Requests for consecutive steps are fast; any other step restarts the workers.

    Args:
        make: returns the batch of a step.
        workers: number of processes, at least 1.
    """

    def __init__(self, make: Callable[[int], Batch], workers: int) -> None:
        self.make = make
        self.workers = workers
        self._next = -1
        self._batches: Iterator[Batch | DataError] = iter(())

    def __call__(self, step: int) -> Batch:
        """Return the batch of a step.

        Raises:
            DataError: an image of the batch cannot be read.
        """
        if step != self._next:
            self._batches = self._from(step)
        self._next = step + 1
        batch = next(self._batches)
        if isinstance(batch, DataError):
            raise batch
        return batch

    def _from(self, step: int) -> Iterator[Batch | DataError]:
        """Start the workers, and return an iterator of the batches from a step on."""
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
    """A torch dataset of batches by step.

    Errors are returned instead of raised, so that they reach the main process unchanged.
    """

    def __init__(self, make: Callable[[int], Batch]) -> None:
        self.make = make

    def __getitem__(self, step: int) -> Batch | DataError:
        try:
            return self.make(step)
        except DataError as error:
            return error


def _as_is(batch: Any) -> Any:
    """Return a batch unchanged, since a step already is a whole batch."""
    return batch
