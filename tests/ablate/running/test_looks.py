"""Seeds are added until every factor has its verdict, and the rule pays for each look."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.running.study import StudyResult, run_study
from ablate.study.nouns import Plan, StudyError
from ablate.trial import trial_file
from benchmarks.toy_study import TRAINER, toy_plan
from g2g_base.atomic import read_json
from reports import analyse, load_results, make_report
from reports.render.plain_text import to_text
from reports.stats.spending import look_levels

QUIET = {"trainer": TRAINER, "report": False, "tracking_uri": "none", "quiet": True, "workers": 0}


def looked(noise: float, *looks: int) -> Plan:
    toy = toy_plan(seeds=looks[-1], steps=4, data={"noise": noise, "images": False})
    return replace(toy, spec=replace(toy.spec, outcome=replace(toy.spec.outcome, looks=looks)))


def seeds_of(result: StudyResult) -> list[int]:
    return sorted({one.trial.seed for one in result.results})


def test_it_stops_when_all_is_decided(tmp_path: Path) -> None:
    result = run_study(looked(0.0002, 3, 6), tmp_path, **QUIET)
    assert result.exit_code == 0
    assert seeds_of(result) == [0, 1, 2]
    assert result.messages == ("after 3 of 6 seeds every factor has its verdict",)
    assert len(list(tmp_path.glob("toy/trials/*"))) == 6
    assert len(pd.read_csv(tmp_path / "toy" / "trials.csv")) == 6


def test_it_goes_on_while_something_is_open(tmp_path: Path) -> None:
    """Noise above the smallest effect: no look decides, so all seeds run; the same command then
    does nothing."""
    result = run_study(looked(0.006, 2, 3, 4), tmp_path, **QUIET)
    assert seeds_of(result) == [0, 1, 2, 3]
    assert result.messages == tuple(
        f"after {n} of 4 seeds there is no verdict yet on weight" for n in (2, 3)
    )
    before = {
        path: path.stat().st_mtime_ns
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name != ".probe"
    }
    again = run_study(looked(0.006, 2, 3, 4), tmp_path, **QUIET)
    assert (seeds_of(again), again.messages, again.exit_code) == ([0, 1, 2, 3], (), 0)
    changed = {path.name for path, then in before.items() if path.stat().st_mtime_ns != then}
    assert not changed - {".lock"}


def test_a_trial_that_failed_ends_it_until_it_is_run_again(tmp_path: Path) -> None:
    toy = looked(0.5, 2, 3)
    bad = replace(
        toy.trials[0], config=replace(toy.trials[0].config, data={"fault": "bug", "at": 2})
    )
    result = run_study(replace(toy, trials=(bad, *toy.trials[1:])), tmp_path, **QUIET)
    assert (result.exit_code, seeds_of(result)) == (1, [0, 1])
    assert "the study has 2 seeds so far" in to_text(
        make_report(load_results(tmp_path / "toy")).document
    )
    again = run_study(toy, tmp_path, **QUIET)
    assert (again.exit_code, seeds_of(again)) == (0, [0, 1, 2])


def test_tests_intervals_and_words_are_at_the_level_that_pays_for_the_looks(tmp_path: Path) -> None:
    run_study(looked(0.002, 5, 10), tmp_path / "looks", **QUIET)
    run_study(
        toy_plan(seeds=5, steps=4, data={"noise": 0.002, "images": False}),
        tmp_path / "once",
        **QUIET,
    )
    record = read_json(tmp_path / "looks" / "toy" / "plan.json")
    assert (record["outcome"]["looks"], record["outcome"]["spend"]) == ([5, 10], "even")
    tables = [load_results(tmp_path / name / "toy") for name in ("looks", "once")]
    found = [analyse(table) for table in tables]
    level = look_levels((5, 10), 0.05, "even")[0]
    assert found[0].judgement.alpha == level < 0.05 == found[1].judgement.alpha
    ours, usual = [one.verdicts.iloc[0] for one in found]
    assert ours["effect"] == usual["effect"]
    assert ours["high"] - ours["low"] > 1.1 * (usual["high"] - usual["low"])
    said = to_text(make_report(tables[0]).document)
    assert f"{100 - 100 * level:.3g}% interval" in said
    assert "95% interval" not in said.partition("## Glossary")[0]
    assert "the study stopped after 5, when every factor had a verdict" in said
    assert "95% interval" in to_text(make_report(tables[1]).document)


def test_looks_are_part_of_the_plan_that_is_fixed_before(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    text = "extends: {quickstart}\nname: looks\nseeds: [0, 1, 2, 3]\n"
    study.write_text(text.format(quickstart=load_file("quickstart")))
    plain = plan(load_study(study))
    ours = plan(load_study(study, ["outcome.looks=[2, 4]"]))
    assert plain.hash != ours.hash
    assert [trial.id for trial in plain.trials] == [trial.id for trial in ours.trials]
    with pytest.raises(StudyError, match=r"--seeds: outcome.looks goes to 4 seeds, not 3"):
        plan(load_study(study, ["outcome.looks=[2, 4]"]), seeds=[0, 1, 2])
    for wrong in ("[4, 2]", "[2, 3]", "[2, 4, 6]"):
        with pytest.raises(
            StudyError, match=r"outcome.looks: must rise to the number of seeds, 4, not"
        ):
            load_study(study, [f"outcome.looks={wrong}"])


def load_file(name: str) -> Path:
    from ablate.reading.study_tree import find_study

    return find_study(name)


def test_hours_end_a_study_in_order(tmp_path: Path) -> None:
    toy = toy_plan(seeds=1, steps=40, data={"sleep_s": 0.05, "images": False})
    result = run_study(toy, tmp_path, **QUIET | {"hours": 1 / 3600})
    assert result.exit_code == 130
    assert any(
        "the 0.000277778 h are over; finished trials are kept" in line for line in result.messages
    )
    assert {trial_file.read(one.folder)["status"] for one in result.results} <= {
        "planned",
        "interrupted",
    }
    assert run_study(toy, tmp_path, **QUIET).exit_code == 0


PROGRAM = """
import json, math, sys
a, b, seed, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
noise = 0.001 * math.sin(12.9898 * (seed + 1) * (1 + (a == "on") + 2 * (b == "on")))
value = 0.2 + 0.05 * (a == "on") + noise + SPREAD * (b == "on") * math.sin(78.233 * (seed + 1))
if b == "on" and seed in DIVERGING:
    value = None
with open(f"{folder}/metrics.jsonl", "w") as file:
    file.write(json.dumps({"step": 1, "error": value}) + chr(10))
"""

STUDY = """
name: arms
trainer: {command: "python3 train.py {a} {b} {seed} {folder}"}
base: {a: "off", b: "off"}
factors:
  a: {path: a, levels: {without: "off", with: "on"}}
  b: {path: b, levels: {without: "off", with: "on"}}
design: add_one_in
seeds: [0, 1, 2, 3, 4, 5, 6, 7]
outcome: {metric: error, better: lower, smallest_effect: 0.01, looks: [4, 6, 8]}
"""


def written(folder: Path, diverging: list[int], spread: float = 0.012) -> Plan:
    """A study of a program in which `a` is clear at once and `b` is noisy, or loses the seeds that
    are given."""
    program = PROGRAM.replace("DIVERGING", str(diverging)).replace("SPREAD", str(spread))
    (folder / "train.py").write_text(program)
    (folder / "study.yaml").write_text(STUDY)
    return plan(load_study(folder / "study.yaml"))


def trials_of(out: Path) -> dict[str, int]:
    """Seeds of each arm in the results."""
    found = load_results(out / "arms").trials
    names = found["level.a"] + " " + found["level.b"]
    return {name: int(number) for name, number in names.value_counts().items()}


COMMAND = {"report": False, "tracking_uri": "none", "quiet": True, "workers": 0}


def test_the_arms_of_a_decided_factor_stop_and_the_others_go_on(tmp_path: Path) -> None:
    study = written(tmp_path, [])
    result = run_study(study, tmp_path / "out", **COMMAND)
    assert result.exit_code == 0
    assert result.messages[0] == "after 4 of 8 seeds there is no verdict yet on b"
    assert trials_of(tmp_path / "out") == {
        "without without": 8,
        "with without": 4,
        "without with": 8,
    }
    found = analyse(load_results(tmp_path / "out" / "arms"))
    assert found.judgement.verdicts["a"] == "harms"
    assert {claim.look for claim in found.claims if claim.subject == "a"} == {4}
    again = run_study(study, tmp_path / "out", **COMMAND)
    assert (again.messages, again.exit_code) == ((), 0)
    assert trials_of(tmp_path / "out")["with without"] == 4


def test_what_the_seeds_left_cannot_decide_stops(tmp_path: Path) -> None:
    result = run_study(written(tmp_path, [], spread=0.2), tmp_path / "out", **COMMAND)
    assert result.messages == ("after 4 of 8 seeds b can't be decided with 8 seeds",)
    table = load_results(tmp_path / "out" / "arms")
    assert analyse(table).judgement.verdicts == {"a": "harms", "b": "not enough data"}
    text = to_text(make_report(table).document)
    assert "the study stopped after 4, since the seeds left could not decide what was open" in text
    assert "Interim" not in text


def test_a_divergence_that_is_established_stops_its_arms(tmp_path: Path) -> None:
    result = run_study(written(tmp_path, [0, 1, 2, 3, 4, 5]), tmp_path / "out", **COMMAND)
    assert result.messages == ("after 4 of 8 seeds every factor has its verdict",)
    table = load_results(tmp_path / "out" / "arms")
    assert analyse(table).judgement.verdicts == {"a": "harms", "b": "diverges"}
    text = to_text(make_report(table).document)
    assert "b makes trials diverge" in text
    assert "4 of 4 with b, 0 of 4 without b" in text
    assert "makes error better" not in text
