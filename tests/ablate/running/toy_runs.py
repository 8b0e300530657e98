"""Toy studies as commands of their own, for tests that kill them: started, watched, and compared at
the end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil

from ablate.trial import trial_file
from benchmarks.toy_study import table

STUDY = {"seeds": 2, "steps": 16}
ROOT = Path(__file__).resolve().parents[3]


def start(
    out: Path, sleep_s: float = 0.08, checkpoint_every: int = 2, **run: object
) -> "subprocess.Popen[str]":
    """The toy study as a command of its own, two trials at once."""
    options = {
        **STUDY,
        "checkpoint_every": checkpoint_every,
        "data": {"sleep_s": sleep_s},
        "run": {"workers": 2, **run},
    }
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.toy_study", str(out), json.dumps(options)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]", code: int = 0, seconds: float = 240.0) -> str:
    """What it said until its end with this exit code; a command that hangs is killed."""
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
    assert process.returncode == code, f"{said}\n{left(Path(process.args[3]))}"  # type: ignore[index, arg-type]
    return said


def left(out: Path) -> str:
    """What a failed run left behind, for the one who reads the failure."""
    trials = (trial_file.read(path) for path in sorted(out.glob("toy/trials/*")))
    said = [
        f"{it.get('trial_id')} {it.get('status')} {it.get('fault')}: {it.get('error')}"
        for it in trials
    ]
    return "\n".join([*said, *(path.read_text()[-2000:] for path in out.glob("toy/driver.log"))])


def wait_for(condition: Callable[[], object], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def steps(out: Path) -> int:
    """Records of all trials so far."""
    return sum(map(steps_of, out.glob("toy/trials/*")))


def steps_of(trial: Path) -> int:
    """Records of one trial so far."""
    history = trial / "history.jsonl"
    return history.read_bytes().count(b"\n") if history.exists() else 0


def family(process: "subprocess.Popen[str]", words: str) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if words in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def equal(out: Path, quiet: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(table(out), quiet, check_exact=True)
    for path in out.glob("toy/trials/*"):
        assert trial_file.read(path)["status"] == "finished"
