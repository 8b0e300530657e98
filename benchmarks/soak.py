"""Harm two small studies at random moments, and compare them with a quiet run.

    python -m benchmarks.soak [--studies 2] [--seed 0]

Each kind of process of a study is killed (SIGKILL), stopped (SIGSTOP), and starved (it may run for
a tenth of the time, for ten seconds): the command, the driver, each of Ray's processes, a worker,
and the tracking process. Some of the harms end the job as a scheduler does (SIGTERM or SIGUSR1 to
all processes). The 40 harms are shuffled and dealt to the studies. A command that has ended is
started again. The benchmark checks at the end of each study that the tables are identical and that
MLflow (sqlite) has all runs.
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
from pathlib import Path

import mlflow
import psutil

from benchmarks.toy_study import table

STUDY = {"seeds": 5, "steps": 600, "data": {"sleep_s": 0.1}}
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
HARMS = tuple((how, victim) for how in ("kill", "stop", "starve") for victim in VICTIMS)
PREEMPTIONS = 7
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
    """Kill, stop, or starve a process; only its parent, this one, would continue the command."""
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


def _working(process: "subprocess.Popen[bytes]", out: Path) -> float:
    """Wait until a trial has written something more, or the command has ended.

    Returns:
        How long that took, in seconds.

    Raises:
        Hangs: nothing happened for `LIMIT_S` seconds.
    """
    before, began = _written(out), time.monotonic()
    while process.poll() is None and _written(out) == before:
        if time.monotonic() > began + LIMIT_S:
            raise Hangs
        time.sleep(0.05)
    return time.monotonic() - began


def _written(out: Path) -> int:
    """Return how many bytes of history the trials have written."""
    return sum(path.stat().st_size for path in out.glob("toy/trials/*/history.jsonl"))


def soak(
    harms: list[tuple[str, str]], dice: random.Random, folder: Path, quiet: Path
) -> dict[str, object]:
    """Harm a study, let it finish, and return what was found.

    Args:
        harms: what to do to which kind of process, in this order.
        dice: chooses the moments.
        folder: folder for the study and MLflow.
        quiet: folder of the same study without harms.

    Raises:
        Hangs: the study no longer makes progress.
    """
    out, uri = folder / "soaked", f"sqlite:///{folder / 'mlflow.db'}"
    process, starts, began = start(out, 2, uri), 1, time.monotonic()
    left = list(harms)
    longest: tuple[float, str] = (0.0, "nothing")
    last = "nothing"

    while left:
        longest = max(longest, (round(_working(process, out), 1), last))
        time.sleep(dice.uniform(0.1, 3.0))

        # An earlier harm has ended the command, unless the study is done.
        if process.poll() is not None:
            if process.returncode == 0:
                break
            process, starts = start(out, 2, uri), starts + 1
            continue

        how, victim = left.pop(0)
        last = f"{how} {victim}".strip()
        if harm(process, victim, how):
            print(f"{len(harms) - len(left)} of {len(harms)}: {last}", file=sys.stderr, flush=True)
        else:
            left.insert(min(3, len(left)), (how, victim))  # it doesn't run at the moment
    while process.wait() != 0:
        process, starts = start(out, 2, uri), starts + 1

    client = mlflow.MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("toy").experiment_id])
    lines = [
        path.read_bytes().count(b'"kind":"train"')
        for path in out.glob("toy/trials/*/history.jsonl")
    ]
    return {
        "harms": len(harms) - len(left),
        "not_done": sorted(" ".join(harm).strip() for harm in left),
        "starts_of_the_command": starts,
        "longest_wait": f"{longest[0]} s, after {longest[1]}",
        "tables_equal": table(out).equals(table(quiet)),
        "mlflow_runs": len(runs),
        "mlflow_status": sorted({run.info.status for run in runs}),
        "steps_done_twice": sum(lines) - len(lines) * STUDY["steps"],  # type: ignore[operator]
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    dice = random.Random(chosen.seed)
    harms = [*HARMS, *[("preempt", "")] * PREEMPTIONS]
    dice.shuffle(harms)
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        quiet = Path(name) / "quiet"
        start(quiet, 2, "none").wait()
        outcomes = []
        for number in range(chosen.studies):
            folder = Path(name) / str(number)
            folder.mkdir()
            outcomes.append(soak(harms[number :: chosen.studies], dice, folder, quiet))
            print(json.dumps(outcomes[-1], indent=2), flush=True)

    good = all(
        outcome["tables_equal"]
        and not outcome["not_done"]
        and outcome["mlflow_runs"] == RUNS
        and outcome["mlflow_status"] == ["FINISHED"]
        for outcome in outcomes
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
