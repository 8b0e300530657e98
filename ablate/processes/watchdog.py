"""Watches child processes, and notices those that die, are stopped, or hang.

A process counts as alive by its state and by what it says, never by the progress of its work: a
trial may take as long as it wants for a step.
"""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

LOOK_EVERY_S = 2.0
"""Seconds between two looks at the processes."""

STOPPED_S = 5.0
"""Seconds after which a stopped process is continued: less than others wait for its answers."""

CONTINUED = 3
"""How often one process is continued; one that is stopped again counts as hanging."""

IDLE_S = 45.0
"""Seconds without any CPU time after which a process that always has work counts as hanging."""


@dataclass(frozen=True)
class Part:
    """The task of a process.

    Attributes:
        name: what it is, for messages.
        needed: whether the others can't work without it.
        busy: whether it always has something to do, so that its CPU time never stands still.
    """

    name: str
    needed: bool = True
    busy: bool = False


class Clock:
    """The time that passes while this process itself runs.

    A process that was stopped, or had no CPU, must not take its own pause for one of others.

    Args:
        most_s: longest time in seconds that can pass between two looks at the clock.
        source: a monotonic clock, in seconds.
    """

    def __init__(self, most_s: float, source: Callable[[], float] = time.monotonic) -> None:
        self._most_s, self._source = most_s, source
        self._last, self._now = source(), 0.0

    def now(self) -> float:
        """Return the seconds that this process has run since the clock was made."""
        last, self._last = self._last, self._source()
        self._now += min(self._last - last, self._most_s)
        return self._now


@dataclass
class _Watched:
    """What is known of a process.

    Attributes:
        part: its task.
        stopped_at: when it was first seen as stopped; None if it isn't.
        continued: how often it was continued.
        cpu_s: its CPU time in seconds, when that last changed.
        worked_at: when its CPU time last changed.
    """

    part: Part
    stopped_at: float | None = None
    continued: int = 0
    cpu_s: float = -1.0
    worked_at: float = 0.0


class Watchdog:
    """A watch over a child process and all processes that it starts.

    Args:
        pid: the child process.
        name: what it is, for messages.
        say: takes a message about a process that was continued or ended.
        part_of: returns the task of a descendant, given its command line, or None if it isn't
            watched.
        first_s: how long the process may take to its first sign of life, in seconds.
        silent_s: how long it may be silent after that, in seconds.
        clock: the time of this process.
    """

    def __init__(
        self,
        pid: int,
        name: str,
        say: Callable[[str], None],
        part_of: Callable[[Sequence[str]], Part | None] = lambda _: None,
        first_s: float = float("inf"),
        silent_s: float = float("inf"),
        clock: Clock | None = None,
    ) -> None:
        self._name, self._say, self._part_of = name, say, part_of
        self._silent_s = silent_s
        self._clock = clock or Clock(2 * LOOK_EVERY_S)
        self._looked = float("-inf")
        self._watched: dict[psutil.Process, _Watched] = {}
        self._root: psutil.Process | None = None
        with suppress(psutil.NoSuchProcess):
            self._root = psutil.Process(pid)
            self._watched[self._root] = _Watched(Part(name, needed=False))

        self._heard = False
        self._allowed_s, self._deadline = first_s, first_s

    def heard(self) -> None:
        """Note that the child process gave a sign of life; any thread may call this."""
        self._heard = True

    def look(self) -> str | None:
        """Continue processes that were stopped, and return what is wrong, or None.

        Call this often; it looks at the processes only every `LOOK_EVERY_S` seconds.
        """
        now = self._clock.now()
        if self._heard:
            self._heard, self._allowed_s = False, self._silent_s
            self._deadline = now + self._silent_s
        if now - self._looked < LOOK_EVERY_S:
            return None
        self._looked = now

        self._meet()
        for process, watched in list(self._watched.items()):
            if fault := self._fault(process, watched, now):
                return fault
        if now > self._deadline:
            return f"{self._name} has given no sign of life for {self._allowed_s:.0f} s"
        return None

    def kill(self) -> None:
        """Kill every process that was watched, also those whose parent is gone."""
        for process in self._watched:
            with suppress(psutil.Error):
                process.kill()

    def _meet(self) -> None:
        """Begin to watch the descendants that are new."""
        if self._root is None:
            return
        with suppress(psutil.Error):
            for process in self._root.children(recursive=True):
                with suppress(psutil.Error):
                    # Before a new process runs its own program, it has its parent's command line
                    if process not in self._watched and (part := self._part_of(process.cmdline())):
                        self._watched[process] = _Watched(part)

    def _fault(self, process: psutil.Process, watched: _Watched, now: float) -> str | None:
        """Return what is wrong with a process, or None."""
        name = f"{watched.part.name} (pid {process.pid})"
        try:
            state = process.status() if process.is_running() else psutil.STATUS_ZOMBIE
            cpu_s = sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            state, cpu_s = psutil.STATUS_ZOMBIE, 0.0
        except psutil.Error:
            return None

        if state == psutil.STATUS_ZOMBIE:
            if watched.part.needed:
                return f"{name} has died"
            self._watched.pop(process)
            return None

        if state == psutil.STATUS_STOPPED:
            return self._stopped(process, watched, now, name)
        watched.stopped_at = None
        if cpu_s != watched.cpu_s:
            watched.cpu_s, watched.worked_at = cpu_s, now
        elif watched.part.busy and now - watched.worked_at > IDLE_S:
            return f"{name} has not worked for {IDLE_S:.0f} s"
        return None

    def _stopped(
        self, process: psutil.Process, watched: _Watched, now: float, name: str
    ) -> str | None:
        """Continue a process that was stopped; return what is wrong if that doesn't help."""
        if watched.stopped_at is None:
            watched.stopped_at = now
        if now - watched.stopped_at < STOPPED_S:
            return None

        watched.stopped_at, watched.worked_at = None, now
        if watched.continued < CONTINUED:
            watched.continued += 1
            with suppress(psutil.Error):
                process.send_signal(signal.SIGCONT)
            self._say(f"{name} was stopped by a signal; it continues")
            return None

        fault = f"{name} was stopped by a signal again and again"
        if watched.part.needed or process == self._root:
            return fault
        with suppress(psutil.Error):
            process.kill()
        self._say(f"{fault}; it is ended and starts again")
        return None
