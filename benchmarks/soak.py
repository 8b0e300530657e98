"""Kill a small study at random moments until it is done, and compare it with a quiet run.

    python -m benchmarks.soak [--kills 20] [--seed 0]

Each kill is a SIGKILL to the command, Ray's head, the driver, or a worker, after which the study is
started again. The benchmark checks at the end that the tables are identical and that MLflow
(sqlite) has all runs.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mlflow
import psutil

from benchmarks.toy_study import table

STUDY = {"seeds": 5, "steps": 60, "data": {"sleep_s": 0.1}}
VICTIMS = ("command", "gcs_server", "ablate.running.ray_tune", "ray::ImplicitFunc")


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


def kill(process: "subprocess.Popen[bytes]", victim: str) -> bool:
    """Kill one process of the study; return False if there is none of this name at the moment."""
    if victim == "command":
        process.kill()
        process.wait()
        return True
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if victim in " ".join(child.cmdline()):
                child.kill()
                return True
        except psutil.Error:
            continue
    return False


def _working(process: "subprocess.Popen[bytes]", out: Path) -> None:
    """Wait until a trial has written something more, or the command has ended."""
    before = _written(out)
    while process.poll() is None and _written(out) == before:
        time.sleep(0.05)


def _written(out: Path) -> int:
    """Return how many bytes of history the trials have written."""
    return sum(path.stat().st_size for path in out.glob("toy/trials/*/history.jsonl"))


def soak(kills: int, seed: int, folder: Path) -> dict[str, object]:
    """Kill until the number of kills is reached, let the study finish, and return what was found.

    Args:
        kills: number of processes to kill.
        seed: fixes the moments and the victims.
        folder: folder for the quiet run, the killed one, and MLflow.
    """
    dice = random.Random(seed)
    start(folder / "quiet", 0, "none").wait()

    out, uri = folder / "soaked", f"sqlite:///{folder / 'mlflow.db'}"
    process, died, starts, began = (
        start(out, 2, uri),
        dict.fromkeys(VICTIMS, 0),
        1,
        time.monotonic(),
    )

    while sum(died.values()) < kills:
        _working(process, out)
        time.sleep(dice.uniform(0.1, 3.0))

        # An earlier kill has ended the command, unless the study is done.
        if process.poll() is not None:
            if process.returncode == 0:
                break
            process, starts = start(out, 2, uri), starts + 1
            continue

        victim = dice.choice(VICTIMS)
        died[victim] += kill(process, victim)
        print(f"kill {sum(died.values())} of {kills}: {victim}", file=sys.stderr, flush=True)
    while process.wait() != 0:
        process, starts = start(out, 2, uri), starts + 1

    client = mlflow.MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("toy").experiment_id])
    lines = [
        path.read_bytes().count(b'"kind":"train"')
        for path in out.glob("toy/trials/*/history.jsonl")
    ]
    return {
        "kills": died,
        "starts_of_the_command": starts,
        "tables_equal": table(out).equals(table(folder / "quiet")),
        "mlflow_runs": len(runs),
        "mlflow_status": sorted({run.info.status for run in runs}),
        "steps_done_twice": sum(lines) - len(lines) * STUDY["steps"],  # type: ignore[operator]
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        outcome = soak(chosen.kills, chosen.seed, Path(folder))
    print(json.dumps(outcome, indent=2))
    good = (
        outcome["tables_equal"]
        and outcome["mlflow_runs"] == 7
        and outcome["mlflow_status"] == ["FINISHED"]
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
