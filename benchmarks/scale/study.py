"""The study of the benchmark, the commands that run it, and what is compared at its end."""

import json
import os
import subprocess
import sysconfig
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.trial import trial_file

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(sysconfig.get_path("scripts")) / "g2g-ablate")
NAME, FILE = "scale", "study.yaml"
ARMS = 20

OWN = ["trial_id", "cell_id", "seconds", "peak_memory_mb", "config.sleep_s", "mlflow_run_id"]
"""Columns of the tables that differ between two runs of the study with other sleeps."""

TEXT = """\
name: {name}
question: Does a trial cost the same in a study of many trials?
trainer: benchmarks.scale.trainer:trainer
base: {{steps: {steps}, sleep_s: {sleep_s}}}
factors:
  rate: {{path: rate, levels: {{none: 0.0, low: 0.05, middle: 0.1, high: 0.2}}}}
  width: {{path: width, levels: {{one: 1, two: 2, three: 3, four: 4, five: 5}}}}
seeds: {seeds}
outcome: {{metric: error, smallest_effect: 0.02}}
"""


def study_file(folder: Path, trials: int, steps: int, sleep_s: float) -> Path:
    """Write the study file, and return its path.

    Args:
        folder: where to write it.
        trials: number of trials, a multiple of 20.
        steps: steps per trial.
        sleep_s: seconds per step.
    """
    path = folder / FILE
    seeds = list(range(trials // ARMS))
    path.write_text(TEXT.format(name=NAME, steps=steps, sleep_s=sleep_s, seeds=seeds))
    return path


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command, which finds the benchmark's trainer."""
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return {**os.environ, **own, **(more or {})}


@dataclass(frozen=True)
class Took:
    """What a command took.

    Attributes:
        exit_code: its exit code.
        seconds: seconds on the clock.
        processor_s: its processor seconds.
        megabytes: largest memory of the command or of a child of it. It counts as at least the
            memory of this process, which therefore imports pandas only later.
        output: what it printed.
    """

    exit_code: int
    seconds: float
    processor_s: float
    megabytes: float
    output: str


def took(words: Sequence[str], env: Mapping[str, str]) -> Took:
    """Run a command, and return what it took."""
    began = time.monotonic()
    process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Took(
        process.returncode,
        time.monotonic() - began,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        output,
    )


def tables(out: Path) -> "list[pd.DataFrame]":
    """Return the tables of a study without times, attempts, and the names of trials.

    What remains is identical in all runs of the study, however long their steps take.

    Args:
        out: folder that the study ran in.
    """
    import pandas as pd

    folder = StudyFolder(out / NAME)
    trials = pd.read_csv(folder.trials_table)
    history = pd.read_parquet(folder.history_table).astype({"trial_id": str, "name": str})
    history = history[~history["name"].str.startswith("time/")]
    place = {id_: number for number, id_ in enumerate(trials["trial_id"])}
    history = history.assign(trial=history["trial_id"].map(place))
    return [
        trials.drop(columns=OWN, errors="ignore"),
        history.drop(columns=[*OWN, "attempt"], errors="ignore").reset_index(drop=True),
    ]


def ends(out: Path) -> dict[str, Any]:
    """Return how the trials of a study ended, and how often they began.

    Args:
        out: folder that the study ran in.
    """
    folders = sorted(StudyFolder(out / NAME).trials.iterdir())
    documents = [trial_file.read(folder) for folder in folders]
    lines = sum(TrialFolder(f).journal.read_bytes().count(b'"kind":"eval"') for f in folders)
    return {
        "statuses": dict(Counter(str(document["status"]) for document in documents)),
        "trials_by_attempts": dict(
            sorted(Counter(len(document["attempts"]) for document in documents).items())
        ),
        "records": lines,
    }


def costs(out: Path, some: int) -> dict[str, float]:
    """Return the seconds from one trial's start to the next's, for the first and last trials.

    Args:
        out: folder that the study ran in.
        some: how many trials the first and the last ones are.
    """
    folders = StudyFolder(out / NAME).trials.iterdir()
    begun = sorted(trial_file.read(folder)["attempts"][0]["started"] for folder in folders)
    return {
        f"a trial of the first {some}, s": round((begun[some] - begun[0]) / some, 4),
        f"a trial of the last {some}, s": round((begun[-1] - begun[-1 - some]) / some, 4),
    }


def runs(address: str, out: Path) -> dict[str, Any]:
    """Return how many runs MLflow has of a study, by role and status, and which values differ.

    Args:
        address: MLflow's store.
        out: folder that the study ran in.
    """
    import pandas as pd
    from mlflow import MlflowClient

    client = MlflowClient(address)
    experiment = client.get_experiment_by_name(NAME)
    found: list[Any] = []
    token = None
    while token or not found:
        page = client.search_runs([experiment.experiment_id], max_results=1000, page_token=token)
        found += page
        if not (token := page.token):
            break
    table = pd.read_csv(StudyFolder(out / NAME).trials_table).set_index("trial_id")
    trials = [run for run in found if run.data.tags["role"] == "trial"]
    return {
        "runs": dict(Counter(f"{run.data.tags['role']} {run.info.status}" for run in found)),
        "trials_with_a_run": len({run.data.tags["trial_id"] for run in trials}),
        "other_values": sum(_differs(run, table) for run in trials),
    }


def _differs(run: Any, table: "pd.DataFrame") -> bool:
    """Return whether MLflow's last error of a run is another one than the table's."""
    error = table["metric.error"][run.data.tags["trial_id"]]
    return bool(run.data.metrics.get("metric/error") != error)


def report(out: Path) -> dict[str, float]:
    """Build a study's report again, and return what that took and its size.

    Args:
        out: folder that the study ran in.
    """
    folder = StudyFolder(out / NAME)
    used = took((PROGRAM, "report", str(out / NAME), "-q"), environment())
    size = sum(path.stat().st_size for path in folder.report.rglob("*") if path.is_file())
    return {
        "report, s": round(used.seconds, 1),
        "report, processor s": round(used.processor_s, 1),
        "report, MB of memory": round(used.megabytes),
        "page, MB": round(folder.page.stat().st_size / 2**20, 2),
        "all files of the report, MB": round(size / 2**20, 2),
    }


def said(out: Path) -> dict[str, Any]:
    """Return what `status` took.

    Args:
        out: folder that the study ran in.
    """
    used = took((PROGRAM, "status", str(out / NAME), "--json"), environment())
    return {
        "status, s": round(used.seconds, 1),
        "status, processor s": round(used.processor_s, 1),
        "trials that status lists": len(json.loads(used.output)),
    }
