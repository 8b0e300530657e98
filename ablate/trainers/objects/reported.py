"""Conversion of a function that calls `report(step, ...)` into an iterator of the records."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

Report = Callable[..., None]
"""`report(step, name=value, ...)`, which returns when the record is on the disk."""


class RunEnded(BaseException):
    """Signal to end the run, which `report` raises when nobody takes records any more.

    It is not an `Exception`, so that a training loop that catches errors does not catch it.
    """


def reported(run: Callable[[Report], Any]) -> Iterator[dict[str, Any]]:
    """Call a function in a thread and yield what it reports, one record at a time.

    `report` returns only when the next record is requested, so the function is never ahead of what
    is on the disk. When this iterator is closed, `report` raises `RunEnded`.

    Args:
        run: function that is called once, with `report`.

    Yields:
        `{"step": step, name: value, ...}`.

    Raises:
        Exception: whatever the function raises.
    """
    records: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
    answers: SimpleQueue[bool] = SimpleQueue()
    errors: list[BaseException] = []

    def report(step: int, **values: Any) -> None:
        """Hand over a record and wait until it has been taken."""
        records.put({"step": step, **values})
        if not answers.get():
            raise RunEnded

    def call() -> None:
        """Run the function, keep its error, and mark the end of the records."""
        try:
            run(report)
        except RunEnded:
            pass
        except BaseException as error:
            errors.append(error)
        finally:
            records.put(None)

    thread = Thread(target=call, name="training", daemon=True)
    thread.start()

    # Whether the function waits for the answer to a record: it must get one even if this iterator
    # is closed at the `yield`.
    waiting = False
    try:
        while (record := records.get()) is not None:
            waiting = True
            yield record
            answers.put(True)
            waiting = False
    finally:
        if waiting:
            answers.put(False)
        thread.join()

    if errors:
        raise errors[0]
