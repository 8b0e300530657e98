"""Tables for people fit 80 columns and still say which arm is which."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from ablate.cli import app
from ablate.commands.output import Messages, show_table
from ablate.running.study import run_study
from benchmarks.toy_study import TRAINER, toy_plan
from tests.tiny import TWO_STEPS, words_of

ROOT = Path(__file__).resolve().parents[3]


def table(*words: str) -> list[str]:
    """The lines of a command's table, from its header on."""
    lines = CliRunner(env={"COLUMNS": "80"}).invoke(app, list(words)).stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:1] in (["cell"], ["trial"]))
    return lines[start:]


def test_a_plan_of_eight_factors_fits(tmp_path: Path) -> None:
    lines = table("plan", str(ROOT / "studies" / "degradation.yaml"), "--out", str(tmp_path))
    arms = lines[: lines.index("--json lists every trial")]
    assert max(map(len, arms)) <= 80
    assert "…" not in "".join(arms)
    assert sum("  10" in line for line in arms) == 16
    assert "resume=generator only" in " ".join(" ".join(arms).split())
    told = [
        line.removeprefix("alias: ").split(" = ") for line in lines if line.startswith("alias: ")
    ]
    assert len(told) == 7
    assert len({pair for group in told for pair in group}) == 28  # each pair of the eight once


def test_a_plan_tells_the_levels_that_differ_from_its_reference() -> None:
    lines = CliRunner().invoke(app, ["plan", "quickstart"]).stdout.splitlines()
    start = lines.index("reference: long_recon=with long_fm=with reassembly_fm=with")
    assert lines[start + 1 : start + 4] == [
        f"  {name}=without: losses.{name}: 0.0"
        for name in ("long_recon", "long_fm", "reassembly_fm")
    ]


def test_the_status_of_a_study_fits_and_tells_its_errors_once(tmp_path: Path) -> None:
    plan = toy_plan(data={"fault": "bug", "at": 2, "images": False})
    run_study(
        plan,
        tmp_path,
        trainer=TRAINER,
        report=False,
        tracking_uri="none",
        quiet=True,
        workers=0,
        alike_limit=0,
    )
    lines = table("status", str(tmp_path / "toy"))
    assert max(map(len, lines[:-1])) <= 80
    assert lines[0].split() == ["trial", "arm", "seed", "status", "step", "outcome", "seconds"]
    assert lines[-1] == "4 failed: ValueError: planted bug"


def test_spare_columns_go_first_then_long_cells_are_wrapped_or_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    show_table(
        ("id", "words", "n", "more"),
        [("a" * 12, "one two three four five six", 7, "x" * 9)],
        ("n",),
        ("more",),
        "words",
    )
    assert capsys.readouterr().out.splitlines() == [
        "id            words                        n",
        f"{'a' * 12}  one two three four five six  7",
    ]
    monkeypatch.setenv("COLUMNS", "36")
    show_table(("id", "words"), [("a" * 12, "one two three four five six")], wrapped="words")
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{'a' * 12}  one two three four",
        " " * 14 + "five six",
    ]


def test_a_run_ends_in_json_for_programs(tmp_path: Path) -> None:
    command = [
        "run",
        "quickstart",
        "--out",
        str(tmp_path),
        "--seeds",
        "0",
        "--workers",
        "0",
        "--no-check",
        *words_of(TWO_STEPS),
    ]
    ran = CliRunner().invoke(
        app, [*command, "--tracking-uri", "none", "--only", "long_recon=with", "--json"]
    )
    found = json.loads(ran.stdout)
    assert found["exit_code"] == ran.exit_code == 0
    assert found["trials"] == {"finished": 3}
    assert len(found["answer"]) == 5
    assert Path(found["report"]).is_file()
    assert Path(found["folder"]) == tmp_path / "quickstart"
    assert found["mlflow"] is None


def test_a_reader_that_is_gone_is_no_failed_trial() -> None:
    """`g2g-ablate list losses | head -1` ends with the code of a closed pipe, and says nothing."""
    program = "import sys; from ablate.cli import main; sys.argv[1:] = ['list', 'losses']; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, b"")


def closed_pipe() -> io.TextIOWrapper:
    """A stream whose reader has gone, as stderr is after `2>&1 | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", buffering=1)


@pytest.mark.parametrize("ends", ["\n", ""])
def test_messages_that_nobody_reads_are_dropped(ends: str) -> None:
    with closed_pipe() as stream:
        messages = Messages(stream)
        for number in range(3):
            print(f"message {number}", file=messages, end=ends)
            print("and another", file=messages, end=ends, flush=True)
        assert not messages.isatty()


@pytest.mark.parametrize(("stream", "code"), [("stdout", 141), ("stderr", 1)])
def test_a_command_whose_reader_is_gone_ends_as_documented(
    tmp_path: Path, stream: str, code: int
) -> None:
    """Without a reader of its data it ends with 141; without one of its messages it goes on."""
    for class_ in "ab":
        (tmp_path / class_).mkdir()
        Image.new("RGB", (32, 32), "red").save(tmp_path / class_ / "0.png")
        Image.new("RGB", (32, 32), "red").save(tmp_path / class_ / "1.png")
    words = [sys.executable, "-c", "from ablate.cli import main; main()", "check", str(tmp_path)]
    with closed_pipe() as pipe:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: pipe}
        done = subprocess.run(words, cwd=tmp_path, text=True, **streams)
    assert done.returncode == code
    if stream == "stderr":
        assert "blank: 4" in done.stdout
    else:
        assert "Traceback" not in done.stderr
