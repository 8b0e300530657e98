"""Signals that ask this process to stop."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SCHEDULERS = (signal.SIGTERM, signal.SIGUSR1)
"""Signals by which schedulers announce that they will end a process."""


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Raise `KeyboardInterrupt` on a signal of a scheduler, as Ctrl-C does, during the block.

    A scheduler may send several signals. Only the first one counts, while a second Ctrl-C counts
    again. Only the main thread can handle signals; in other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    ending = False

    def interrupt(number: int, _: object) -> None:
        nonlocal ending
        again, ending = ending, True
        if number == signal.SIGINT or not again:
            raise KeyboardInterrupt

    with _handled(interrupt):
        yield


@contextmanager
def _handled(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Handle the signals of schedulers and Ctrl-C during the block."""
    old = {number: signal.signal(number, handler) for number in (*SCHEDULERS, signal.SIGINT)}
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)


@contextmanager
def announced(note: Callable[[], None]) -> Iterator[None]:
    """Call `note` on the first signal to end, and raise `KeyboardInterrupt` after the block.

    So the work in the block can end in its own way. A second Ctrl-C interrupts it at once. In
    threads other than the main thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    ending = False

    def remember(number: int, _: object) -> None:
        nonlocal ending
        again, ending = ending, True
        if not again:
            note()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt

    with _handled(remember):
        yield
    if ending:
        raise KeyboardInterrupt


def ignore() -> None:
    """Ignore the signals of schedulers in this process, but not in those that it starts.

    In threads other than the main thread this does nothing.
    """
    if threading.current_thread() is threading.main_thread():
        for number in SCHEDULERS:
            # Unlike SIG_IGN, child processes don't inherit a function
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SCHEDULERS)


@contextmanager
def blocked() -> Iterator[None]:
    """Block the signals of schedulers in this thread, and so in processes started in the block.

    A scheduler such as Slurm sends a signal to all processes of a job. The command alone decides
    what to do about it, and the others must still work until then.
    """
    old = signal.pthread_sigmask(signal.SIG_BLOCK, SCHEDULERS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
