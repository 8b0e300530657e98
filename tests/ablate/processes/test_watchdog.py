"""The watchdog, on real processes that are killed and stopped; only the clock is a list."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import psutil
import pytest

from ablate.processes.watchdog import CONTINUED, IDLE_S, STOPPED_S, Clock, Part, Watchdog
from ablate.running.driver import part_of

PARENT = "import subprocess; subprocess.run(['sleep', '60'])"


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with a child, `sleep`."""
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", PARENT], start_new_session=True)
    while not psutil.Process(process.pid).children():
        time.sleep(0.01)
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Seen:
    """A watchdog whose clock goes on by hand."""

    def __init__(self, pid: int, part: Part | None = None, **times: float) -> None:
        self.time = 0.0
        self.said: list[str] = []

        def part_of(line: Sequence[str]) -> Part | None:
            return part if line[0] == "sleep" else None

        clock = Clock(float("inf"), lambda: self.time)
        self.dog = Watchdog(pid, "the parent", self.said.append, part_of, clock=clock, **times)

    def after(self, seconds: float) -> str | None:
        self.time += seconds
        return self.dog.look()


def child_of(process: "subprocess.Popen[bytes]") -> psutil.Process:
    (child,) = psutil.Process(process.pid).children()
    while child.name() != "sleep":
        time.sleep(0.01)
    return child


def reached(process: psutil.Process, *states: str) -> None:
    """Wait until a process has one of these states."""
    deadline = time.monotonic() + 10
    while process.status() not in states:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_quiet_process_is_left_alone_for_hours(parent: "subprocess.Popen[bytes]") -> None:
    """A trial may take as long as it wants for a step."""
    child = child_of(parent)
    seen = Seen(parent.pid, Part("the child"))
    assert [seen.after(600.0) for _ in range(30)] == [None] * 30
    assert not seen.said
    assert child.is_running()


def test_the_death_of_a_needed_process_is_noticed(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    seen = Seen(parent.pid, Part("the child"))
    assert seen.after(1.0) is None
    child.kill()
    # Its parent ends with it
    parent.wait()
    assert seen.after(3.0) == f"the child (pid {child.pid}) has died"


def test_the_death_of_another_process_is_no_fault(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    seen = Seen(parent.pid, Part("a worker", needed=False))
    assert seen.after(1.0) is None
    child.kill()
    parent.wait()
    assert seen.after(3.0) is None


def test_a_stopped_process_is_continued(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    seen = Seen(parent.pid, Part("the child"))
    for _ in range(CONTINUED):
        child.suspend()
        reached(child, psutil.STATUS_STOPPED)
        assert seen.after(3.0) is None
        assert child.status() == psutil.STATUS_STOPPED
        assert seen.after(STOPPED_S) is None
        reached(child, psutil.STATUS_SLEEPING)
    text = f"the child (pid {child.pid}) was stopped by a signal"
    assert seen.said == [f"{text}; it continues"] * CONTINUED

    child.suspend()
    reached(child, psutil.STATUS_STOPPED)
    assert seen.after(3.0) is None
    assert seen.after(STOPPED_S) == f"{text} again and again"


def test_a_worker_that_is_stopped_again_and_again_is_ended(
    parent: "subprocess.Popen[bytes]",
) -> None:
    child = child_of(parent)
    seen = Seen(parent.pid, Part("a worker", needed=False))
    for _ in range(CONTINUED + 1):
        child.suspend()
        reached(child, psutil.STATUS_STOPPED)
        assert seen.after(3.0) is None
        assert seen.after(STOPPED_S) is None
    assert "ended" in seen.said[-1]
    parent.wait()
    assert not child.is_running()


def test_the_watched_process_itself_is_continued(parent: "subprocess.Popen[bytes]") -> None:
    os.kill(parent.pid, signal.SIGSTOP)
    process = psutil.Process(parent.pid)
    reached(process, psutil.STATUS_STOPPED)
    seen = Seen(parent.pid)
    seen.after(3.0)
    seen.after(STOPPED_S)
    reached(process, psutil.STATUS_SLEEPING)


def test_a_process_that_always_works_must_use_its_cpu(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    seen = Seen(parent.pid, Part("the child", busy=True))
    assert seen.after(3.0) is None
    assert seen.after(IDLE_S - 1.0) is None
    assert seen.after(3.0) == f"the child (pid {child.pid}) has not worked for {IDLE_S:.0f} s"


def test_silence_is_noticed_only_after_the_time_for_it(parent: "subprocess.Popen[bytes]") -> None:
    seen = Seen(parent.pid, first_s=180.0, silent_s=40.0)
    assert seen.after(179.0) is None
    seen.dog.heard()
    assert seen.after(500.0) is None
    assert seen.after(39.0) is None
    assert seen.after(3.0) == "the parent has given no sign of life for 40 s"


def test_own_pauses_are_not_taken_for_those_of_others(parent: "subprocess.Popen[bytes]") -> None:
    """As after SIGCONT, or on a machine that had no CPU for anybody."""
    time_s = [0.0]
    dog = Watchdog(
        parent.pid, "the parent", print, silent_s=40.0, clock=Clock(4.0, lambda: time_s[0])
    )
    dog.heard()
    assert dog.look() is None
    time_s[0] = 7200.0
    assert dog.look() is None


def test_everything_that_was_watched_can_be_killed(parent: "subprocess.Popen[bytes]") -> None:
    child = child_of(parent)
    seen = Seen(parent.pid, Part("the child"))
    seen.after(3.0)
    parent.kill()
    parent.wait()
    assert child.is_running()
    seen.dog.kill()
    deadline = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (["/x/ray/core/src/ray/gcs/gcs_server", "--log_dir=/t"], "Ray's gcs_server"),
        (["/x/ray/core/src/ray/raylet/raylet", "--raylet_socket_name=/t"], "Ray's raylet"),
        (["python", "-u", "/x/ray/_private/log_monitor.py"], "Ray's log_monitor.py"),
        (["python", "/x/ray/dashboard/dashboard.py"], "Ray's dashboard.py"),
        (["ray::DashboardAgent", "", ""], "Ray's DashboardAgent"),
        (["ray::ImplicitFunc.train", ""], "a worker"),
        (["python", "/x/default_worker.py", "--raylet-name=/t/raylet"], "a worker"),
        (["python", "-c", "from ablate.running.ray_tune import main; main()"], None),
        (["python", "train.py", "raylet"], None),
        ([], None),
    ],
)
def test_processes_of_ray_are_known_by_their_command_lines(
    line: list[str], name: str | None
) -> None:
    part = part_of(line)
    assert (part.name if part else None) == name
