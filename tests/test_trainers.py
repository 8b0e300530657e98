"""Trainers of other packages, installed by pip: the examples of the docs, and planted faults."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainers")]

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
NAMES = ("digits", "characters", "lightning")
QUICK = {
    "digits": ["base.steps=40"],
    "characters": ["base.steps=50", "base.width=16"],
    "lightning": ["base.steps=20"],
}
MODULES = {"digits": "digits", "characters": "characters", "lightning": "lines"}
PLANTED = '''
"""Faults in somebody else's training run."""

import os
import signal
from dataclasses import field, fields, make_dataclass, replace
from inspect import signature

import MODULE
from ablate import Trainer

own = MODULE.trainer
extra = [("fault", str, field(default="none")), ("unused", float, field(default=0.0))]
Config = make_dataclass("Config", extra, bases=(own.config,), frozen=True)
FIRST = 0


def inner(config):
    options = {one.name: getattr(config, one.name) for one in fields(own.config)}
    return own.config(**options | ({"seed": 0} if config.fault == "other seed" else {}))


def spoiled(config, step, values, folder):
    (name,) = (one for one in values if one in own.metrics)
    if config.fault == "not finite" and step > FIRST:
        values = {**values, name: float("nan")}
    if config.fault == "wrong name":
        values = {f"{name}x": values[name]}
    if config.fault == "killed" and step > FIRST and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return values


if "report" in signature(own.train).parameters:

    def train(config, report, device, checkpoints):
        def passed(step, **values):
            report(step, **spoiled(config, step, values, checkpoints.parent))

        own.train(inner(config), passed, device)

else:
    takes = signature(own.train).parameters

    def train(config, checkpoints):
        passed = {"checkpoints": checkpoints} if "checkpoints" in takes else {}
        for record in own.train(inner(config), **passed):
            values = {name: value for name, value in record.items() if name != "step"}
            step = record["step"]
            yield {"step": step, **spoiled(config, step, values, checkpoints.parent)}


trainer = Trainer(Config, train, own.metrics)
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the examples are installed by pip, and one module of faults for each."""
    folder, copies = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("copies")
    for name in NAMES:
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
        shutil.copytree(EXAMPLES / name, copies / name, ignore=ignored)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", folder)
    packages = [str(copies / name) for name in NAMES]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *packages], check=True)
    for name in NAMES:
        text = PLANTED.replace("MODULE", MODULES[name])
        (folder / f"planted_{name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def program(site: Path, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a command with the examples installed, in a folder of its own; none outlives the
    test."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", "from ablate.cli import main; main()", *map(str, words)],
            env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def settings(name: str, *more: str) -> list[str]:
    return [word for value in (*QUICK[name], *more) for word in ("--set", value)]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_study_with_a_report(
    program: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, name: str
) -> None:
    study = EXAMPLES / name / "study.yaml"
    chosen = [study, "--out", tmp_path, "--seeds", "0,1,2", *settings(name)]
    # Planted faults run on Ray, below
    ran = program("run", *chosen, "--workers", 0, "--json")
    said, errors = ran.communicate(timeout=300)
    assert ran.returncode == 0, errors
    found = json.loads(said)
    assert found["trials"].keys() == {"finished"}
    assert found["mlflow"] is not None
    report = json.loads((tmp_path / name / "report" / "data" / "report.json").read_text())
    assert all(verdict["verdict"] for verdict in report["verdicts"])
    trial = next((tmp_path / name / "trials").iterdir()).name
    for words in (("verify", tmp_path / name, trial), ("status", tmp_path / name)):
        ended = program(*words)
        said, errors = ended.communicate(timeout=300)
        assert ended.returncode == 0, said + errors


def test_the_menu_of_trainers_has_them(program: Callable[..., "subprocess.Popen[str]"]) -> None:
    listed, _ = program("list", "trainers").communicate(timeout=60)
    assert all(MODULES[name] in listed for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_planted_faults_are_caught(
    program: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, name: str
) -> None:
    text = (EXAMPLES / name / "study.yaml").read_text(encoding="utf-8")
    text = text.replace("../../", f"{ROOT}/docs/")
    start, _, end = text.partition("factors:")
    faults = "fault: {path: fault, levels: [none, not finite, wrong name, killed, other seed]}"
    idle = "unused: {path: unused, levels: {off: 0.0, on: 1.0}}"
    (tmp_path / "study.yaml").write_text(
        start.replace(f"trainer: {MODULES[name]}", f"trainer: planted_{name}")
        + f"factors:\n  {faults}\n  {idle}\ndesign: one_at_a_time\n"
        + end[end.index("seeds:") :]
    )
    chosen = ["study.yaml", "--out", "runs", "--seeds", "0,1", "--workers", 2, *settings(name)]
    ran = program("run", *chosen, "--tracking-uri", "none")
    _, errors = ran.communicate(timeout=400)
    assert ran.returncode == 1, errors

    folder = tmp_path / "runs" / name
    trials = pd.read_csv(folder / "trials.csv").set_index("level.fault")
    status = trials["status"].groupby(level=0).agg(set).to_dict()
    assert status == {
        "none": {"finished"},
        "not finite": {"diverged"},
        "wrong name": {"failed"},
        "killed": {"finished"},
        "other seed": {"finished"},
    }
    metric = next(column for column in trials if column.startswith("metric."))
    assert trials.loc["wrong name", "error"].str.contains("did you mean").all()
    assert trials.loc["not finite", "error"].str.contains("is not finite at step").all()
    plain = trials[trials["level.unused"] == "off"]
    # Killed in the middle and started again: the same numbers as without.
    assert plain.loc["killed", metric].to_list() == plain.loc["none", metric].to_list()
    assert len(list(folder.glob("trials/*/killed"))) == 2
    assert "all seeds recorded the same numbers in fault=other seed" in errors
    report = (folder / "report" / "report.txt").read_text()
    assert "fault=killed and unused did nothing" in report


def test_a_killed_command_resumes_with_the_same_table(
    program: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    study = EXAMPLES / "digits" / "study.yaml"
    chosen = [study, "--seeds", "0,1", "--no-report", *settings("digits")]
    quiet = program("run", *chosen, "--out", tmp_path / "quiet", "--workers", 0)
    quiet.communicate(timeout=300)
    assert quiet.returncode == 0

    chosen = [*chosen, "--workers", 2]
    killed = program("run", *chosen, "--out", tmp_path / "killed")
    folder = tmp_path / "killed" / "digits"
    deadline = time.monotonic() + 300
    while not list(folder.glob("trials/*/checkpoints/last.pt")):
        assert time.monotonic() < deadline, "no trial has saved anything"
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close(), killed.stderr.close()
    resumed = program("run", *chosen, "--out", tmp_path / "killed", "--wait", 60)
    _, errors = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, errors
    tables = [
        pd.read_parquet(tmp_path / out / "digits" / "history.parquet")[["step", "name", "value"]]
        for out in ("quiet", "killed")
    ]
    pd.testing.assert_frame_equal(*tables)
