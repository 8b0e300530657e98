"""Signals of schedulers, sent to this process and to real child processes."""

import os
import signal
import subprocess
import sys

import pytest

from ablate.processes import signals


@pytest.mark.parametrize("number", [*signals.SCHEDULERS, signal.SIGINT])
def test_a_signal_to_end_interrupts(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), signals.terminated_as_interrupted():
        os.kill(os.getpid(), number)


def test_a_scheduler_that_repeats_itself_interrupts_once_and_ctrl_c_again() -> None:
    with signals.terminated_as_interrupted():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_an_announced_end_lets_the_work_finish() -> None:
    notes = []

    def work() -> None:
        with signals.announced(lambda: notes.append("end")):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            notes.append("work")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert notes == ["end", "work"]
    with signals.announced(lambda: notes.append("end")):
        pass
    assert len(notes) == 2


ANSWERS = "import time; print('ready', flush=True); time.sleep(0.3); print('alive')"


def test_processes_started_under_a_block_outlive_a_scheduler() -> None:
    with signals.blocked():
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", ANSWERS], stdout=subprocess.PIPE
        )
    assert child.stdout is not None
    child.stdout.readline()
    for number in signals.SCHEDULERS:
        child.send_signal(number)
    assert child.communicate()[0] == b"alive\n"


def test_who_ignores_schedulers_still_starts_processes_that_they_can_end() -> None:
    code = (
        "import os, signal, subprocess, sys;"
        "from ablate.processes import signals; signals.ignore();"
        "os.kill(os.getpid(), signal.SIGTERM);"
        "child = subprocess.Popen(['sleep', '60']); child.terminate(); print(child.wait())"
    )
    with signals.blocked():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"-15\n"
