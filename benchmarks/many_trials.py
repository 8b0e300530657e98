"""Measure a study of 1,000 trials of 500 points: its run, `run` again, and its report.

    python -m benchmarks.many_trials [trials] [ray]

The trials run inline. The benchmark prints seconds and memory. It prints the seconds per trial for
the first and the last tenth of the trials too, because they must not grow. With `ray`, it prints
the seconds per trial and the memory of Ray Tune's driver instead, with ten steps per trial and two
trials at a time.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ablate.running.study import run_study
from ablate.trial import trial_file
from benchmarks.toy_study import BARE, toy_plan
from benchmarks.watched import watched


def measure(trials: int = 1000) -> dict[str, float]:
    """Return what the benchmark prints, by name: seconds, or megabytes.

    The study runs in a process of its own.
    """
    words = [sys.executable, "-m", "benchmarks.many_trials", str(trials)]
    printed = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = (line.rsplit(" ", 1) for line in printed.splitlines())
    return {name: float(value) for name, value in lines}


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    if "ray" in sys.argv:
        usage = watched(
            toy_plan(seeds=trials // 2, data={"images": False}, checkpoint_every=0), workers=2
        )
        print(f"a trial, s {usage.span_s / trials:.4f}")
        print(f"driver of Ray Tune, MB {usage.driver_mb:.0f}")
        return

    plan = toy_plan(
        seeds=trials // 2, steps=500, data={"images": False}, eval_every=50, checkpoint_every=0
    )
    with tempfile.TemporaryDirectory() as place:
        for name in ("run", "run again"):
            started = time.perf_counter()
            result = run_study(plan, Path(place), **BARE, workers=0)
            print(f"{name}, s {time.perf_counter() - started:.2f}")

        begun = [trial_file.read(one.folder)["attempts"][0]["started"] for one in result.results]
        tenth = trials // 10
        print(f"a trial of the first tenth, s {(begun[tenth] - begun[0]) / tenth:.4f}")
        print(f"a trial of the last tenth, s {(begun[-1] - begun[-1 - tenth]) / tenth:.4f}")
        print(
            f"memory of the run, MB {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"
        )

        # Imported late, so that the memory printed above is that of the run.
        from reports import build_report, load_results

        started = time.perf_counter()
        files = build_report(load_results(Path(place) / "toy"), Path(place) / "report")
        print(f"report, s {time.perf_counter() - started:.2f}")
        print(f"page, MB {files[0].stat().st_size / 2**20:.2f}")


if __name__ == "__main__":
    main()
