"""Run a study with pre-trainings and forks, whole, forked, and killed, and compare the numbers.

    python -m benchmarks.forks [--kills 20] [--seed 0]

The study has four arms that part at three different steps, two seeds, and a network of its own for
each seed. It runs without forks, with forks, and with forks while its processes are killed at
random moments. The benchmark counts the steps that were trained, and checks that all records are
bit-identical, that pre-trainings ran next to arms, and that nothing was trained twice without a
kill.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from ablate.trial import journal

NETWORKS = (
    "network: {filters: 4, mlp_filters: 8, class_dim: 6, d_filters: 4, d_blocks: 4, "
    "class_downs: 2, content_downs: 2}"
)
FIRST = """
extends: pretrain-synthetic
name: first
question: What is learned?
base: {steps: 40, eval_every: 40}
seeds: [7]
"""
STUDY = f"""
extends: funit2funit
name: parting
question: When may the new loss begin?
base:
  {NETWORKS}
  image_size: 16
  batch_size: 2
  data: {{classes: 4, test_classes: 3, contents: 8}}
  metrics: [mixed_l1]
  eval_pairs: 4
  steps: 120
  eval_every: 60
  checkpoint_every: 15
  losses: {{long_recon: 0.1}}
  checkpoint: {{train: first.yaml, per: seed}}
factors:
  long_fm: null
  reassembly_fm: null
  long_recon: null
  begin:
    levels:
      never: {{losses.long_recon: 0}}
      late: {{schedules.long_recon: {{kind: delay, start: 90}}}}
      middle: {{schedules.long_recon: {{kind: ramp, start: 60, end: 80}}}}
      early: {{schedules.long_recon: {{kind: delay, start: 30}}}}
design: full_factorial
seeds: [0, 1, 2]
"""
VICTIMS = ("command", "ablate.running.ray_tune", "ray::ImplicitFunc", "raylet/raylet")


def start(folder: Path, out: str, *options: str) -> "subprocess.Popen[bytes]":
    """Start the study in a process of its own."""
    code = "from ablate.cli import main; main()"
    words = [sys.executable, "-c", code, "run", str(folder / "parting.yaml"), "--no-report"]
    return subprocess.Popen(
        [*words, "--tracking-uri", "none", "--workers", "2", "--out", str(folder / out), *options],
        start_new_session=True,
        env=os.environ | {"G2G_ABLATE_REGISTRY": str(folder / "registry")},
    )


def finish(process: "subprocess.Popen[bytes]") -> float:
    """Wait for the end of a run, and return how long that took, in seconds."""
    began = time.monotonic()
    assert process.wait() == 0
    return time.monotonic() - began


def records(out: Path) -> dict[str, list[object]]:
    """Return trial -> its records that count, without times."""
    return {
        f"{folder.parent.parent.name}/{folder.name}": [
            (line.step, line.kind, {n: v for n, v in line.values.items() if "time/" not in n})
            for line in journal.effective(journal.read(folder))
            if line.kind != "note"
        ]
        for folder in sorted(out.glob("*/trials/*"))
    }


def trained(out: Path) -> int:
    """Return the number of steps of the study itself that were trained, repeated ones too."""
    return sum(
        line.kind == "train" and line.attempt > 0
        for folder in out.glob("parting/trials/*")
        for line in journal.read(folder)
    )


def overlaps(out: Path) -> bool:
    """Return whether some arm began before the last pre-training had ended."""

    def attempts(study: str, key: str) -> list[float]:
        files = out.glob(f"{study}/trials/*/trial.json")
        return [json.loads(file.read_text(encoding="utf-8"))["attempts"][-1][key] for file in files]

    return min(attempts("parting", "started")) < max(attempts("first", "ended"))


def kill(process: "subprocess.Popen[bytes]", victim: str) -> bool:
    """Kill a process of the study; return False if there is none of this kind now."""
    try:
        command = psutil.Process(process.pid)
        family = [command, *command.children(recursive=True)]
        for one in family:
            if one == command if victim == "command" else victim in " ".join(one.cmdline()):
                one.kill()
                return True
    except psutil.NoSuchProcess:
        pass
    return False


def killed(folder: Path, kills: int, dice: random.Random) -> int:
    """Run the study while its processes are killed, and return the number of kills.

    A process is killed only after some trial has recorded a step since the kill before.
    """
    options, out = ("--max-retries", "100"), folder / "killed"
    process, done, before = start(folder, "killed", *options), 0, 0
    while done < kills:
        time.sleep(dice.uniform(0.5, 8.0))
        if process.poll() == 0:
            break
        if process.poll() is not None:
            process = start(folder, "killed", *options)
        elif _written(out) > before and kill(process, dice.choice(VICTIMS)):
            done, before = done + 1, _written(out)
            print(f"kill {done} of {kills}", file=sys.stderr, flush=True)
    while process.wait() != 0:
        process = start(folder, "killed", *options)
    return done


def _written(out: Path) -> int:
    """Return how many bytes of history all trials have written."""
    return sum(path.stat().st_size for path in out.glob("*/trials/*/history.jsonl"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forks-") as name:
        folder = Path(name)
        (folder / "first.yaml").write_text(FIRST, encoding="utf-8")
        (folder / "parting.yaml").write_text(STUDY, encoding="utf-8")
        whole_s = finish(start(folder, "whole", "--no-forks"))
        forked_s = finish(start(folder, "forked"))
        kills = killed(folder, chosen.kills, random.Random(chosen.seed))

        whole, forked = trained(folder / "whole"), trained(folder / "forked")
        expected = records(folder / "whole")
        outcome = {
            "steps_whole": whole,
            "steps_forked": forked,
            "seconds_whole": round(whole_s, 1),
            "seconds_forked": round(forked_s, 1),
            "forked_equal": records(folder / "forked") == expected,
            "pretraining_overlaps": overlaps(folder / "forked"),
            "kills": kills,
            "killed_equal": records(folder / "killed") == expected,
            "steps_killed": trained(folder / "killed"),
        }
    print(json.dumps(outcome, indent=2))
    # Per seed one arm trains 120 steps, and the others 30, 59 (a ramp begins at 0), and 90
    good = (
        outcome["forked_equal"] and outcome["killed_equal"] and forked == 3 * (120 + 30 + 59 + 90)
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
