"""What the pages on judging and on the gate show runs as it stands there."""

import gzip
import random
import re
import shlex
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from ablate.cli import app
from benchmarks import gate as benchmark

ROOT = Path(__file__).resolve().parents[3]
JUDGING = (ROOT / "docs" / "judging.md").read_text(encoding="utf-8")
GATE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
PROGRAM = """
import random, sys
seed = sys.argv[-1]
shift, effect = random.Random(seed).random(), EFFECT * random.Random(seed + "n").random()
print("val_error:", 0.3 + shift + effect)
"""


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a language on a page."""
    found = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    assert found
    return found


def call(line: str) -> int:
    """Run a line of the command in this process; return its exit code."""
    program, *words = shlex.split(line)
    assert program == "g2g-ablate"
    words = [word.replace("python ", f"{sys.executable} -S -E ", 1) for word in words]
    # The kinds of files are tested elsewhere, and pages take seconds
    return (
        app([*words, *(["--format", "csv"] if words[0] == "judge" else [])], standalone_mode=False)
        or 0
    )


def noise(text: str) -> float:
    return random.Random(text).uniform(-1, 1)


def test_the_page_on_judging_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{lr},{loss},{seed},{value + (lr == '0.1') * 0.05 + 0.005 * noise(f'{seed}{lr}{loss}')}"
        for seed in range(5)
        for value in (0.3 + 0.03 * noise(str(seed)),)
        for lr in ("0.01", "0.1")
        for loss in ("l1", "l2")
    ]
    Path("results.csv").write_text("\n".join(["lr,loss,seed,val_error", *rows]) + "\n")
    with tarfile.open(Path(__file__).parent / "stores" / "mlflow_autolog.tar.gz") as archive:
        archive.extractall(".", filter="data")
    Path("mlflow.db").write_bytes(gzip.decompress(Path("mlflow.db.gz").read_bytes()))
    Path("judge.yaml").write_text(blocks(JUDGING, "yaml")[0])
    Path("train.py").write_text("")

    lines = [line for block in blocks(JUDGING, "sh") for line in block.splitlines() if line]
    assert len(lines) == 5
    for line in lines:
        assert call(line) == 0, line
    assert (tmp_path / "runs" / "rates" / "report" / "data" / "report.json").exists()


def test_the_python_call_of_the_page_on_judging_is_the_same(tmp_path: Path) -> None:
    """It is run without its last step, the report, which the commands above have made."""
    (block,) = blocks(JUDGING, "python")
    question = block.partition("judged = judge(\n")[2].rpartition(")\nprint")[0]
    names: dict[str, object] = {}
    exec(block.partition("judged")[0] + f"question = {question.strip()}", names)
    assert names["question"].metric == "val_error"  # type: ignore[attr-defined]


def test_the_page_on_the_gate_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, effect in (("base", 0.0), ("new", -0.05)):
        Path(name).mkdir()
        Path(name, "train.py").write_text(PROGRAM.replace("EFFECT", str(effect)))
        lines = [
            f"{s},{0.3 + random.Random(str(s)).random() + effect * random.Random(f'{s}n').random()}"
            for s in range(20)
        ]
        Path(f"{name}.csv").write_text("\n".join(["seed,val_error", *lines]) + "\n")
    Path("train.py").write_text(Path("new/train.py").read_text())

    for line in [line for block in blocks(GATE, "sh") for line in block.splitlines() if line]:
        assert call(line) == 0, line
    (block,) = blocks(GATE, "python")
    exec(block.replace('"gate.json"', '"other.json"'), {})


def test_the_workflow_calls_the_command_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = blocks(GATE, "yaml")
    steps = yaml.safe_load(block)["jobs"]["gate"]["steps"]
    line = next(step["run"] for step in steps if "gate" in step.get("run", "").split())
    monkeypatch.chdir(tmp_path)
    for name, effect in (("base", 0.0), ("new", -0.05)):
        Path(name).mkdir()
        Path(name, "train.py").write_text(PROGRAM.replace("EFFECT", str(effect)))
    assert call(line) == 0
    assert len(Path("base.csv").read_text().splitlines()) == 13


def test_the_table_of_the_page_is_that_of_the_benchmark() -> None:
    table = GATE.partition("<!-- gate -->\n")[2].partition("\n<!-- end -->")[0]
    assert table == benchmark.table(), "write it anew: python -m benchmarks.gate"


def test_the_table_keeps_its_promises() -> None:
    import csv

    with benchmark.CSV.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["rule"] == "gate --guard stream"]
    nulls = [row for row in rows if row["effect"] == "0"]
    assert len(nulls) == len(benchmark.KINDS)
    assert all(float(row["streams_with_a_keep"]) <= 0.05 + 2 * 0.011 for row in nulls)
    assert all(float(row["kept"]) <= 0.05 for row in nulls)
    found = {row["place"]: float(row["kept"]) for row in rows if row["effect"] == "1"}
    assert found["1"] >= 0.8
    assert found["10"] >= 0.8
