"""Harm a small study at random moments until it is done, and compare it with a quiet run.

    python -m benchmarks.soak [--harms 20] [--seed 0]

Each harm picks a process of the study: the command, the driver, one of Ray's processes, a worker,
or the tracking process. It kills the process (SIGKILL), stops it (SIGSTOP), starves it (it may run
for a tenth of the time, for ten seconds), or ends the job as a scheduler does (SIGTERM or SIGUSR1
to all processes). A command that has ended is started again. The benchmark checks at the end that
the tables are identical and that MLflow (sqlite) has all runs.
"""

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import mlflow
import psutil

from benchmarks.toy_study import table

STUDY = {"seeds": 5, "steps": 60, "data": {"sleep_s": 0.1}}
RUNS = 2 * 5 + 1
"""MLflow runs of the study: two arms with five seeds, and the study's own."""

VICTIMS = (
    "command",
    "ablate.running.ray_tune",
    "ablate.tracking.forwarder",
    "gcs/gcs_server",
    "raylet/raylet",
    "log_monitor.py",
    "monitor.py",
    "dashboard.py",
    "ray::DashboardAgent",
    "ray::RuntimeEnvAgent",
    "ray::ImplicitFunc",
)
HARMS = ("kill", "stop", "starve", "preempt")
LIMIT_S = 120.0
"""Longest time without a new record before the study counts as hanging, in seconds.

A harm may take 60 s to be noticed, and Ray needs up to a minute to start on a busy machine.
"""


class Hangs(Exception):
    """A study that no longer makes progress, although its command runs."""


def start(out: Path, workers: int, uri: str) -> "subprocess.Popen[bytes]":
    """Start the study in a process of its own.

    Args:
        out: folder of the study.
        workers: number of workers; 0 runs without Ray.
        uri: address of MLflow.
    """
    options = {**STUDY, "run": {"workers": workers, "tracking_uri": uri, "max_retries": 100}}
    words = [sys.executable, "-m", "benchmarks.toy_study", str(out), json.dumps(options)]
    return subprocess.Popen(words, stderr=subprocess.DEVNULL, start_new_session=True)


def harm(process: "subprocess.Popen[bytes]", victim: str, how: str) -> bool:
    """Do something to a process of the study; return False if it doesn't run at the moment."""
    try:
        command = psutil.Process(process.pid)
        family = [command, *command.children(recursive=True)]
    except psutil.NoSuchProcess:
        return False

    if how == "preempt":
        number = random.Random(process.pid).choice((signal.SIGTERM, signal.SIGUSR1))
        for one in family:
            with contextlib.suppress(psutil.Error):
                one.send_signal(number)
        process.wait()
        return True

    for one in family:
        with contextlib.suppress(psutil.Error):
            if one == command if victim == "command" else victim in " ".join(one.cmdline()):
                _do(one, how, own=one == command)
                return True
    return False


def _do(process: psutil.Process, how: str, own: bool) -> None:
    """Kill, stop, or starve a process; nobody but us would continue our own child, the command."""
    if how == "kill":
        process.kill()
    elif how == "stop":
        process.suspend()
        if own:
            time.sleep(70.0)
            process.resume()
    else:
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            process.suspend()
            time.sleep(0.9)
            process.resume()
            time.sleep(0.1)


def _working(process: "subprocess.Popen[bytes]", out: Path) -> None:
    """Wait until a trial has written something more, or the command has ended.

    Raises:
        Hangs: nothing happened for `LIMIT_S` seconds.
    """
    before, deadline = _written(out), time.monotonic() + LIMIT_S
    while process.poll() is None and _written(out) == before:
        if time.monotonic() > deadline:
            raise Hangs
        time.sleep(0.05)


def _written(out: Path) -> int:
    """Return how many bytes of history the trials have written."""
    return sum(path.stat().st_size for path in out.glob("toy/trials/*/history.jsonl"))


def soak(harms: int, seed: int, folder: Path) -> dict[str, object]:
    """Harm until the number of harms is reached, let the study finish, and return what was found.

    Args:
        harms: number of harms.
        seed: fixes the moments, the victims, and what is done to them.
        folder: folder for the quiet run, the harmed one, and MLflow.

    Raises:
        Hangs: the study no longer makes progress.
    """
    dice = random.Random(seed)
    start(folder / "quiet", 0, "none").wait()

    out, uri = folder / "soaked", f"sqlite:///{folder / 'mlflow.db'}"
    process, starts, began = start(out, 2, uri), 1, time.monotonic()
    done: Counter[str] = Counter()

    while done.total() < harms:
        _working(process, out)
        time.sleep(dice.uniform(0.1, 3.0))

        # An earlier harm has ended the command, unless the study is done.
        if process.poll() is not None:
            if process.returncode == 0:
                break
            process, starts = start(out, 2, uri), starts + 1
            continue

        victim, how = dice.choice(VICTIMS), dice.choice(HARMS)
        name = "preempt" if how == "preempt" else f"{how} {victim}"
        if harm(process, victim, how):
            done[name] += 1
            print(f"{done.total()} of {harms}: {name}", file=sys.stderr, flush=True)
    while process.wait() != 0:
        process, starts = start(out, 2, uri), starts + 1

    client = mlflow.MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("toy").experiment_id])
    lines = [
        path.read_bytes().count(b'"kind":"train"')
        for path in out.glob("toy/trials/*/history.jsonl")
    ]
    return {
        "harms": dict(sorted(done.items())),
        "starts_of_the_command": starts,
        "tables_equal": table(out).equals(table(folder / "quiet")),
        "mlflow_runs": len(runs),
        "mlflow_status": sorted({run.info.status for run in runs}),
        "steps_done_twice": sum(lines) - len(lines) * STUDY["steps"],  # type: ignore[operator]
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--harms", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        outcome = soak(chosen.harms, chosen.seed, Path(folder))
    print(json.dumps(outcome, indent=2))
    good = (
        outcome["tables_equal"]
        and outcome["mlflow_runs"] == RUNS
        and outcome["mlflow_status"] == ["FINISHED"]
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
