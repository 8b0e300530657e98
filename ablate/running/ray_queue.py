"""Gives trials to Ray Tune, each as soon as what it waits for is there."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from ablate.running.items import Need

LOOK_EVERY_S = 0.5
"""Seconds between two looks at the folders of trials that others wait for."""


class Queue(Searcher):
    """A search algorithm of Ray Tune that searches nothing, and hands out trials in order.

    Args:
        needs: folder of each trial -> what it waits for, in running order.
    """

    def __init__(self, needs: Mapping[Path, Sequence[Need]]) -> None:
        super().__init__()
        self._left = {folder: frozenset(waits) for folder, waits in needs.items()}
        self._unmet = {need for waits in needs.values() for need in waits}
        self._running: set[str] = set()
        self._looked = float("-inf")

    def suggest(self, trial_id: str) -> Any:
        """Return the first trial that can start, None if it is too early, or that all are out.

        If nothing runs that a trial could wait for, the rest is left for another round.
        """
        now = time.monotonic()
        if now - self._looked > LOOK_EVERY_S or not self._running:
            self._looked = now
            self._unmet = {need for need in self._unmet if not need.met()}

        for folder, needs in self._left.items():
            if needs.isdisjoint(self._unmet):
                del self._left[folder]
                self._running.add(trial_id)
                return {"folder": str(folder)}
        return None if self._left and self._running else Searcher.FINISHED

    def on_trial_complete(
        self,
        trial_id: str,
        result: dict[str, Any] | None = None,  # noqa: ARG002
        error: bool = False,  # noqa: ARG002
    ) -> None:
        """Note that a trial of Tune is over."""
        self._running.discard(trial_id)
        self._looked = float("-inf")

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the rest of the work is in the trials' folders."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""
