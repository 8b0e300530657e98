"""A study folder that version 0.1.0 wrote, used with today's commands; its README.md says how."""

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablate.tracking.server import server
from ablate.tracking.store import recorded_address
from ablate.trial.environment import processor
from reports.documents.names import ArmNames

FIXTURE = Path(__file__).parent / "fixtures" / "study_0_1_0"
REFERENCE = "10ef61084aa8"
CAPABILITY = "AVX512"
"""Instructions of the CPU on which the fixture's trials ran, as torch names them."""
OTHER_CPU = 0.01
"""Relative difference allowed on another CPU; code for older CPUs differed by 4e-5."""

Called = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the old study folder into a folder of results of its own."""
    return Path(shutil.copytree(FIXTURE / "earlier", tmp_path / "runs" / "earlier"))


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_status(called: Called, folder: Path) -> None:
    done = called("status", str(folder), "--json", where=folder)
    assert done.returncode == 0, done.stderr
    found = {row["trial_id"]: (row["status"], row["metric"]) for row in json.loads(done.stdout)}
    assert found == {
        row["trial_id"]: ("finished", float(row["metric.mixed_l1"]))
        for row in rows(FIXTURE / "earlier" / "trials.csv")
    }


def test_report(called: Called, folder: Path) -> None:
    old = read(folder / "report" / "data" / "report.json")
    done = called("report", str(folder), "--format", "html,csv,text", where=folder)
    assert done.returncode == 0, done.stderr

    new = read(folder / "report" / "data" / "report.json")
    for key in ("name", "question", "plan_hash", "outcome", "versions", "trials"):
        assert new[key] == old[key]
    effects = [{row["factor"]: row["effect"] for row in one["verdicts"]} for one in (new, old)]
    assert effects[0] == pytest.approx(effects[1], rel=1e-12)

    # Plans of then had no codes of arms.
    names = ArmNames(read(folder / "plan.json"))
    arms = rows(folder / "report" / "data" / "arms.csv")
    codes = {cell["cell_id"]: names.code(cell["levels"]) for cell in names.plan["cells"]}
    assert {row["cell_id"]: row["arm_code"] for row in arms} == codes
    assert "ref" in codes.values() or "all" in codes.values()

    # A folder without a ledger says so and, since nothing is run, gets none.
    sentence = f"It is not recorded when outcome and rule were fixed (plan {old['plan_hash'][:12]})"
    assert sentence in (folder / "report" / "report.txt").read_text(encoding="utf-8")
    assert new["registered"]["state"] == "absent"
    assert not (folder / "ledger.jsonl").exists()
    assert "data:image/png" in (folder / "report" / "index.html").read_text(encoding="utf-8")


def test_verify(called: Called, folder: Path) -> None:
    import torch

    done = called("verify", str(folder), REFERENCE, "--json", where=folder)
    found = json.loads(done.stdout)
    assert (found["trial_id"], found["values"], found["tolerance"]) == (REFERENCE, 44, 0.0)
    assert done.returncode == (0 if found["equal"] else 1)

    # Another processor or torch adds numbers in another order.
    made = read(folder / "trials" / REFERENCE / "trial.json")["environment"]
    here = (
        torch.__version__.partition("+")[0],
        processor(),
        torch.backends.cpu.get_cpu_capability(),
    )
    if here == (made["packages"]["torch"], made["processor"], CAPABILITY):
        assert found["equal"], found["first"]
    assert found["largest"] <= OTHER_CPU, found["first"]


def test_plan_says_why_the_trials_have_new_ids(called: Called, folder: Path) -> None:
    words = ("plan", str(folder / "study.yaml"), "--out", str(folder.parent))
    done = called(*words, "--json", where=folder)
    assert done.returncode == 0, done.stderr
    plan, before = json.loads(done.stdout), read(folder / "plan.json")
    (line,) = plan["changed"]
    assert line.startswith("code changed (")
    assert "didn't record its sources): 8 trials" in line
    assert [trial["state"] for trial in plan["trials"]] == ["new"] * 8
    assert line in called(*words, where=folder).stderr

    # Only the code's digest is computed in another way: everything else has kept its identity.
    parts = [
        [{**trial["identity"], "code": None} for trial in record["trials"]]
        for record in (plan, before)
    ]
    assert parts[0] == parts[1]


def test_ui(folder: Path) -> None:
    store = folder.parent / "mlflow.db"
    store.touch()
    command, addresses = server(folder, 0)
    assert command is not None
    assert recorded_address(folder) == f"sqlite:///{store.resolve()}"
    assert {"by_arm", "by_trial", "compare"} <= addresses.keys()


@pytest.mark.slow
def test_one_more_seed(called: Called, folder: Path) -> None:
    before = files(folder / "trials")
    words = ("--out", str(folder.parent), "--seeds", "0,1,2", "--workers", "0")
    study = str(folder / "study.yaml")
    done = called("run", study, *words, "--tracking-uri", "none", where=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "report" / "index.html").is_file()

    # Old trials keep their folders, and a trial that ran again has its old outcome.
    assert before.items() <= files(folder / "trials").items()
    key = ("seed", "level.long_recon", "level.rate")
    old, new = (
        {tuple(row[name] for name in key): float(row["metric.mixed_l1"]) for row in rows(path)}
        for path in (FIXTURE / "earlier" / "trials.csv", folder / "trials.csv")
    )
    assert len(new) == 12
    assert {which: new[which] for which in old} == pytest.approx(old, rel=OTHER_CPU)

    # The ledger begins with the plan and the report that were found.
    ledger = (folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in ledger] == ["found", "look", "plan", "look"]
    text = (folder / "report" / "report.txt").read_text(encoding="utf-8")
    assert "Seed 2 was added after results had been looked at." in text
    assert "The study began before its ledger" in text

    # A report of today's folder is made of the same bytes each time.
    reports = []
    for _ in range(2):
        done = called("report", str(folder), where=folder)
        assert done.returncode == 0, done.stderr
        reports.append(files(folder / "report"))
    assert reports[0] == reports[1]
