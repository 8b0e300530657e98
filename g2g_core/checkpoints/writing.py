"""Writes the checkpoints of a run, next to the training where that is on a GPU.

A full-size checkpoint takes seconds of a processor, for its checksum and its file. A GPU would wait
for them.
"""

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from g2g_core.checkpoints import checkpoint_file
from g2g_core.checkpoints.checkpoint_file import Tensors


class Writer:
    """Writer of one run's checkpoints, as a context whose exit waits for the last one.

    Args:
        folder: folder of the checkpoints; None writes none.
        behind: whether a thread writes the files while training continues. It gets a copy of
            the tensors on the CPU, and at most one checkpoint is on its way.
    """

    def __init__(self, folder: Path | None, behind: bool) -> None:
        self.folder = folder
        self._pool = ThreadPoolExecutor(1, "checkpoint") if behind and folder else None
        self._last: Future[None] | None = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for the last checkpoint.

        Raises:
            OSError: it could not be written, and the block has no error of its own.
        """
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        if kind is None:
            self._check()

    def write(
        self,
        step: int,
        parts: Mapping[str, Tensors],
        facts: Mapping[str, Any],
        stays: bool = False,
    ) -> None:
        """Write a checkpoint, or begin to.

        Args:
            step: number of completed steps.
            parts: tensors as `checkpoint_file.write` takes them, on any device.
            facts: JSON-ready facts.
            stays: whether the file also stays in the folder `forks`, for other runs.

        Raises:
            OSError: this checkpoint or the one before it could not be written.
        """
        if self.folder is None:
            return
        self._check()
        if self._pool is None:
            _write(self.folder, step, parts, facts, stays)
            return

        # The next step changes the tensors in place.
        copies = {
            part: {name: value.detach().to("cpu", copy=True) for name, value in named.items()}
            for part, named in parts.items()
        }
        self._last = self._pool.submit(_write, self.folder, step, copies, dict(facts), stays)

    def _check(self) -> None:
        """Wait for the checkpoint that is on its way, and raise its error."""
        last, self._last = self._last, None
        if last is not None:
            last.result()


def _write(
    folder: Path,
    step: int,
    parts: Mapping[str, Tensors],
    facts: Mapping[str, Any],
    stays: bool,
) -> None:
    """Write a checkpoint and delete the older ones."""
    own = checkpoint_file.step_file(folder, step)
    linked = False
    if stays:
        # First, because a run that resumes from its own checkpoint doesn't take this step again
        fork = checkpoint_file.fork_file(folder, step)
        checkpoint_file.write(fork, parts, facts)
        with suppress(OSError):  # not every file system has links
            own.unlink(missing_ok=True)
            os.link(fork, own)
            linked = True
    if not linked:
        checkpoint_file.write(own, parts, facts)
    checkpoint_file.drop_old(folder)
