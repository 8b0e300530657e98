"""Measure studies of many short trials, quiet ones on this machine and harmed ones on several.

    python -m benchmarks.scale --trials 300 --nodes 3 --sleep 0.1
    python -m benchmarks.scale --trials 2000
    python -m benchmarks.scale --trials 10000 --plan

With `--nodes`, the study runs on a Ray cluster of pretended machines: network namespaces with
processes of their own. One machine is lost, the link between two others is cut for a minute, and
the MLflow server, which has a PostgreSQL database and asks for passwords, is killed and started
again. This needs root and PostgreSQL. The benchmark then compares the tables with those of a quiet
run, and counts the runs in MLflow. The exit code is 1 if anything is missing or differs.

Without `--nodes`, the study runs on two workers of this machine. The benchmark prints what its
trials cost, and how the memory of its processes grows.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.scale import harms, machines, study, tracking_server
from benchmarks.scale.watch import Watch

QUIET = "quiet"
"""Name of the folder of the undisturbed run."""

SCRATCH = "scratch"
"""Name of the folder that is another one on each machine."""


def planned(trials: int, folder: Path) -> dict[str, Any]:
    """Return what it takes to plan a study.

    Args:
        trials: number of trials.
        folder: an empty folder.
    """
    file = study.study_file(folder, trials, steps=10, sleep_s=0.0)
    used = study.took((study.PROGRAM, "plan", str(file), "--json"), study.environment())
    return {
        "trials": len(json.loads(used.output)["trials"]),
        "plan, s": round(used.seconds, 1),
        "plan, processor s": round(used.processor_s, 1),
        "plan, MB of memory": round(used.megabytes),
    }


def grown(file: Path, out: Path, workers: int, some: int) -> dict[str, Any]:
    """Run a study on this machine, and return what its trials cost and its processes used.

    Args:
        file: the study file.
        out: folder for the study.
        workers: trials at a time.
        some: how many trials the first and the last ones are.
    """
    watch = Watch(out / study.NAME)
    watch.start()
    words = (study.PROGRAM, "run", str(file), "--out", str(out), "--workers", str(workers), "-q")
    used = study.took(words, study.environment())
    watch.end()
    return {
        "exit_code": used.exit_code,
        "run, s": round(used.seconds),
        **study.costs(out, some),
        "tracking is behind after the last trial by, s": watch.behind_s,
        "memory and processor time": watch.rows(),
        **study.ends(out),
        **study.runs(f"sqlite:///{out / 'mlflow.db'}", out),
        **study.report(out),
        **study.said(out),
    }


def undisturbed(file: Path, out: Path) -> None:
    """Run a study in one process, without pauses, MLflow, and report, to compare its tables.

    Args:
        file: the study file.
        out: folder for the study.
    """
    options = ("--workers", "0", "--set", "base.sleep_s=0.0", "--tracking-uri", "none")
    words = (study.PROGRAM, "run", str(file), "--out", str(out), *options, "--no-report", "-q")
    used = study.took(words, study.environment())
    assert used.exit_code == 0, "the quiet run failed"
    _say(f"the quiet run took {used.seconds:.0f} s")


def harmed(
    file: Path, folder: Path, trials: int, nodes: int, packages: Path | None, remember_s: int
) -> dict[str, Any]:
    """Run a study on harmed machines, and return how it compares with the quiet run.

    Args:
        file: the study file.
        folder: folder with the quiet run.
        trials: number of trials.
        nodes: number of machines.
        packages: as for `TrackingServer`.
        remember_s: as for `TrackingServer`.
    """
    quiet, out, scratch = folder / QUIET, folder / "runs", folder / SCRATCH
    scratch.mkdir()
    place = folder / "server"
    place.mkdir()
    place.chmod(0o711)
    pretended = machines.Machines(nodes, scratch)
    server = tracking_server.TrackingServer(place, machines.OUTSIDE, packages, remember_s)
    with server.running():
        cluster = harms.Cluster(pretended, server)
        _say(f"{nodes} machines and the server run")
        code, watch = harms.harmed(file, out, cluster, server, trials, _say)
        with tracking_server.variables(server.login):
            runs = study.runs(server.address, out)
    equal = [a.equals(b) for a, b in zip(study.tables(out), study.tables(quiet), strict=True)]
    return {
        "exit_code": code,
        "run, s": round(watch.seconds),
        "tables_equal": all(equal),
        "tracking is behind after the last trial by, s": watch.behind_s,
        **study.ends(out),
        "records of the quiet run": study.ends(quiet)["records"],
        **runs,
        **study.report(out),
        **study.said(out),
        "memory and processor time": watch.rows(),
    }


def good(outcome: dict[str, Any], trials: int) -> bool:
    """Return whether every trial finished, with the right numbers, and so did its run in MLflow."""
    return (
        outcome["exit_code"] == 0
        and outcome.get("tables_equal", True)
        and outcome["statuses"] == {"finished": trials}
        and outcome["runs"] == {"trial FINISHED": trials, "study FINISHED": 1}
        and outcome["trials_with_a_run"] == trials
        and outcome["other_values"] == 0
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("--trials", type=int, default=300, help="a multiple of 20")
    add("--nodes", type=int, default=0, help="pretended machines; 0: only this one")
    add("--steps", type=int, default=20, help="steps per trial")
    add("--sleep", type=float, default=0.0, help="seconds per step")
    add("--workers", type=int, default=2, help="trials at once without --nodes")
    add("--plan", action="store_true", help="only plan the study")
    add("--packages", type=Path, help="folder with the packages psycopg2 and flask_wtf")
    add("--remember", type=int, default=60, help="seconds that MLflow remembers a checked password")
    add("--folder", type=Path, help="folder to keep; default: a temporary one")
    add("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()

    if chosen.inside:
        file = chosen.folder / study.FILE
        outcome = harmed(
            file, chosen.folder, chosen.trials, chosen.nodes, chosen.packages, chosen.remember
        )
        (chosen.folder / "outcome.json").write_text(json.dumps(outcome))
        return

    # A short name, since Ray has sockets below it
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="scale-", dir="/tmp"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)
    try:
        if chosen.plan:
            outcome = planned(chosen.trials, folder)
        elif chosen.nodes:
            if problem := machines.possible():
                sys.exit(f"--nodes: {problem}")
            if tracking_server.programs() is None:
                sys.exit("--nodes: PostgreSQL isn't installed")
            file = study.study_file(folder, chosen.trials, chosen.steps, chosen.sleep)
            undisturbed(file, folder / QUIET)
            words = [sys.executable, "-m", "benchmarks.scale", *sys.argv[1:], "--inside"]
            words += ["--folder", str(folder)]
            code = subprocess.call(machines.alone(words), cwd=study.ROOT)
            if code:
                sys.exit(code)
            outcome = json.loads((folder / "outcome.json").read_text())
        else:
            file = study.study_file(folder, chosen.trials, chosen.steps, chosen.sleep)
            outcome = grown(file, folder / "runs", chosen.workers, min(200, chosen.trials // 2))
    finally:
        if chosen.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    outcome["load"] = [round(load, 1) for load in os.getloadavg()]
    print(json.dumps(outcome, indent=2))
    sys.exit(0 if chosen.plan or good(outcome, chosen.trials) else 1)


if __name__ == "__main__":
    main()
