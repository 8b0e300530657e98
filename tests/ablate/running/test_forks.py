"""Runs of studies whose arms have their first steps in common."""

import csv
import json
from pathlib import Path

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.running.study import StudyResult, run_study
from ablate.trial import trial_file
from tests.tiny import TWO_STEPS

TEXT = """
extends: funit2funit
name: parting
question: When may the new loss begin?
base: {steps: 8, eval_every: 4, checkpoint_every: 3, log_every: 1, losses: {long_recon: 0.1}}
factors:
  long_fm: null
  reassembly_fm: null
  long_recon: null
  begin:
    levels:
      never: {losses.long_recon: 0}
      late: {schedules.long_recon: {kind: delay, start: 6}}
      early: {schedules.long_recon: {kind: ramp, start: 3, end: 6}}
      at once: {losses.long_recon: 0.1}
design: full_factorial
seeds: [0]
"""


def study(folder: Path) -> Path:
    file = folder / "parting.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def run(file: Path, out: str, *, forks: bool = True) -> StudyResult:
    settings = [value for value in TWO_STEPS if "steps" not in value and "eval_every" not in value]
    planned = plan(load_study(file, settings))
    return run_study(
        planned,
        file.parent / out,
        workers=0,
        tracking_uri="none",
        report=False,
        quiet=True,
        forks=forks,
    )


def values(folder: Path) -> list[object]:
    """The recorded numbers of a trial, without times."""
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        (
            line["step"],
            line["kind"],
            {name: value for name, value in line["values"].items() if "time/" not in name},
        )
        for line in map(json.loads, lines)
        if line["kind"] != "note"
    ]


def table(result: StudyResult) -> list[dict[str, str]]:
    """The rows of the table of trials, without times."""
    with (result.folder / "trials.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    timed = ("seconds", "memory", "started", "time", "shared")
    return [
        {name: value for name, value in row.items() if not any(word in name for word in timed)}
        for row in rows
    ]


def trained(result: StudyResult) -> int:
    """The number of steps that the trials have trained themselves."""
    return sum(
        line["kind"] == "train" and line["attempt"] > 0
        for one in result.results
        for line in map(
            json.loads, (one.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
        )
    )


def test_forked_trials_have_the_numbers_of_unforked_ones(tmp_path: Path) -> None:
    file = study(tmp_path)
    forked, whole = run(file, "forked"), run(file, "whole", forks=False)
    for one, other in zip(forked.results, whole.results, strict=True):
        assert one.trial.id == other.trial.id
        assert values(one.folder) == values(other.folder)
        mine, its = trial_file.read(one.folder), trial_file.read(other.folder)
        assert mine["digests"] == its["digests"]
        figures = sorted(path.name for path in (other.folder / "images").iterdir())
        assert sorted(path.name for path in (one.folder / "images").iterdir()) == figures
    assert table(forked) == table(whole)

    # Of eight steps, `late` has six in common with `never`, and `early` four
    assert trained(whole) == 4 * 8
    assert trained(forked) == 8 + 2 + 4 + 8

    # An arm that comes later finds the part that it has in common with others
    text = file.read_text(encoding="utf-8")
    later = "      more: {losses.long_recon: 0.2, schedules.long_recon: {kind: delay, start: 7}}\n"
    file.write_text(text.replace("design:", f"{later}design:"), encoding="utf-8")
    again, anew = run(file, "forked"), run(file, "whole", forks=False)
    assert trial_file.read(again.results[-1].folder)["fork"]["step"] == 6
    assert values(again.results[-1].folder) == values(anew.results[-1].folder)
    assert trained(again) == trained(forked) + 2
