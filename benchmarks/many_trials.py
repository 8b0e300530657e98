"""A study of 1,000 trials of 500 points: seconds and memory of running it inline, of `run` again,
    of its report.

What a trial takes is printed for the first and the last tenth of them too: it must not grow. With
`ray`: seconds a trial and memory of Ray Tune's driver instead, ten steps a trial, two at once.

python -m benchmarks.many_trials [trials] [ray]
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
    """Name -> seconds, megabytes or trials; in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.many_trials", str(trials)]
    said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in said)}


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    if "ray" in sys.argv:
        found = watched(
            toy_plan(seeds=trials // 2, data={"images": False}, checkpoint_every=0), workers=2
        )
        print(f"a trial, s {found.span_s / trials:.4f}")
        print(f"driver of Ray Tune, MB {found.driver_mb:.0f}")
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
        from reports import build_report, load_results

        started = time.perf_counter()
        files = build_report(load_results(Path(place) / "toy"), Path(place) / "report")
        print(f"report, s {time.perf_counter() - started:.2f}")
        print(f"page, MB {files[0].stat().st_size / 2**20:.2f}")


if __name__ == "__main__":
    main()
