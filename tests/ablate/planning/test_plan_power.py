"""`plan` says what the results that are there can detect."""

import json
from pathlib import Path

from typer.testing import CliRunner

from ablate.cli import app
from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.running.study import run_study
from tests.tiny import TWO_STEPS, words_of


def test_seeds_that_would_decide_are_told_once_there_are_results(
    tmp_path: Path,
) -> None:
    command = ["plan", "quickstart", "--out", str(tmp_path), *words_of(TWO_STEPS)]
    before = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(before.stdout)["power"] == []
    spec = load_study("quickstart", TWO_STEPS)
    run_study(
        plan(spec), tmp_path, workers=0, tracking_uri="none", report=False, quiet=True, check=False
    )
    told = json.loads(CliRunner().invoke(app, [*command, "--seeds", "0,1,2,3,4", "--json"]).stdout)[
        "power"
    ]
    assert [row["factor"] for row in told] == ["long_recon", "long_fm", "reassembly_fm"]
    assert all(row["seeds"] == 3 and row["detectable_effect"] >= 0 for row in told)
    # Three seeds tell too little of the spread
    assert {row["seeds_needed"] for row in told} == {None}
    said = CliRunner().invoke(app, [*command, "--seeds", "0,1,2,3,4"]).stdout
    assert "long_recon: 3 seeds so far detect" in said
    assert "fewer than 4 seeds tell too little of the spread to plan with" in said
