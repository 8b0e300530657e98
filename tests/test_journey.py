"""A user's way through the program, on real parts: plan, run on Ray with MLflow, status, report,
verify, again."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from tests.tiny import TINY, words_of

pytestmark = pytest.mark.xdist_group("journey")

ROOT = Path(__file__).resolve().parents[1]
CHECKPOINT, IMAGE = f"{ROOT}/studies/checkpoints/synthetic32.pt", f"{ROOT}/docs/images/systems.png"
SIZES = """
name: sizes
seeds: [0]
outcome: {metric: mixed_l1}
base: {losses: {adversarial: 1}}
factors: {size: {path: image_size, levels: [32, 36]}}
"""


def command(*words: str, where: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """What the console script does, in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    program = "import sys; from ablate.cli import main; sys.argv[0] = 'g2g-ablate'; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, done.stderr
    return done


def run_words(*more: str) -> list[str]:
    """`run quickstart`, tiny."""
    return [
        "run",
        "quickstart",
        "--seeds",
        "0,1",
        *words_of(TINY),
        *more,
    ]


@pytest.fixture(scope="module")
def journey(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    where = tmp_path_factory.mktemp("journey")
    return where, command(*run_words(), where=where)


def test_the_run_leaves_all_that_is_promised(
    journey: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    where, done = journey
    folder = where / "runs" / "quickstart"
    assert done.stdout.strip() == str(folder / "report" / "index.html")
    assert "compare-runs" in done.stderr
    rows = list(csv.DictReader((folder / "trials.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 4 * 2
    assert {row["status"] for row in rows} == {"finished"}
    assert all(float(row["metric.mixed_l1"]) > 0 for row in rows)
    history = pd.read_parquet(folder / "history.parquet")
    assert {"loss/adversarial", "metric/mixed_l1"} <= set(history["name"])
    losses = history[history["name"] == "loss/adversarial"]
    assert (
        losses.groupby("trial_id")["step"].apply(list).map(lambda steps: steps == list(range(1, 7)))
    ).all()
    assert (folder / "report" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "Which of the three new losses" in (folder / "report" / "index.html").read_text(
        encoding="utf-8"
    )
    for row in rows:
        images = folder / "trials" / row["trial_id"] / "images"
        assert {path.name for path in images.iterdir()} == {
            f"figure_{step:06d}.png" for step in (0, 3, 6)
        }


def test_mlflow_has_a_finished_run_for_each_trial(
    journey: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    import mlflow

    where, _ = journey
    client = mlflow.MlflowClient(f"sqlite:///{where / 'runs' / 'mlflow.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name == "quickstart"]
    runs = client.search_runs([experiment.experiment_id])
    trials = [run for run in runs if run.data.tags["role"] == "trial"]
    assert len(trials) == 8
    assert len(runs) == 9
    assert {run.info.status for run in runs} == {"FINISHED"}
    history = pd.read_parquet(where / "runs" / "quickstart" / "history.parquet")
    for run in trials:
        sent = {
            m.step: m.value for m in client.get_metric_history(run.info.run_id, "metric/mixed_l1")
        }
        mine = history[
            (history["trial_id"] == run.data.tags["trial_id"])
            & (history["name"] == "metric/mixed_l1")
        ]
        assert sent == dict(zip(mine["step"], mine["value"], strict=True))


@pytest.mark.slow
def test_the_second_run_trains_nothing(
    journey: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    where, _ = journey
    folder = where / "runs" / "quickstart"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("history.jsonl")}
    command(*run_words(), where=where)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("history.jsonl")} == before


@pytest.mark.slow
def test_another_run_of_the_study_gives_equal_numbers(
    journey: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    where, _ = journey
    command(*run_words("--workers", "0", "--no-report", "--tracking-uri", "none"), where=tmp_path)

    def numbers(base: Path) -> pd.DataFrame:
        table = pd.read_parquet(base / "runs" / "quickstart" / "history.parquet")
        return table[~table["name"].str.startswith("time/")].reset_index(drop=True)

    pd.testing.assert_frame_equal(numbers(where), numbers(tmp_path), check_exact=True)


@pytest.mark.slow
def test_status_report_and_verify(
    journey: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    where, _ = journey
    rows = json.loads(command("status", "runs/quickstart", "--json", where=where).stdout)
    assert [row["status"] for row in rows] == ["finished"] * 8
    command("report", "runs/quickstart", "--format", "html,csv", "--to", str(tmp_path), where=where)
    again = json.loads((tmp_path / "data" / "report.json").read_text())
    first = json.loads(
        (where / "runs" / "quickstart" / "report" / "data" / "report.json").read_text()
    )
    assert again["verdicts"] == first["verdicts"]
    found = json.loads(
        command("verify", "runs/quickstart", rows[0]["trial_id"], "--json", where=where).stdout
    )
    assert found["equal"]
    assert found["values"] > 50


@pytest.mark.slow
def test_train_then_translate(tmp_path: Path) -> None:
    saved = command("train", "quickstart", *words_of(TINY), "--save", "small.pt", where=tmp_path)
    assert saved.stdout.strip() == "small.pt"
    assert "6/6 eval" in saved.stderr
    (figure,) = (tmp_path / "runs" / "quickstart" / "trials").glob("*/images/figure_000006.png")
    done = command("translate", "small.pt", str(figure), str(figure), "--json", where=tmp_path)
    written = json.loads(done.stdout)
    assert set(written) == {"mixed_1", "mixed_2", "reconstructed_1", "reconstructed_2", "figure"}
    assert all((tmp_path / path).stat().st_size > 100 for path in written.values())
    several = (
        "translate",
        "small.pt",
        str(figure),
        str(figure),
        str(figure),
        "--to",
        "two",
        "--json",
    )
    assert json.loads(command(*several, where=tmp_path).stdout)["figure"] == "two/figure.png"


MISTAKES = [
    (
        ["run", "quickstart", "--set", "base.lossses.x=1"],
        "base.lossses: unknown key; did you mean losses?",
    ),
    (["run", "quickstat"], "did you mean quickstart?"),
    (["run", "quickstart", "--gpus-per-trial", "99"], "this machine has"),
    (["run", "faces"], "no such folder"),
    (
        ["plan", "quickstart", "--set", "base.image_size=33"],
        "content_downs: 2 does not go with image_size 33",
    ),
    (
        ["plan", "quickstart", "--set", "base.network.content_downs=9999999999"],
        "must be at most 1000000",
    ),
    (
        ["plan", "sizes.yaml"],
        "factors.size.levels.36: network.content_downs: 3 does not go with image_size 36",
    ),
    (["plan", "quickstart", "--set", "base.steps=1e23"], "at most 10000000"),
    (["plan", "quickstart", "--set", "base.network.perceptual=vgg19"], "did you mean vgg16?"),
    (["plan", "quickstart", "--set", "base.checkpoint=."], ": is a folder, not a file"),
    (["plan", "quickstart", "--set", f"base.checkpoint={IMAGE}"], ": is not a checkpoint, or is"),
    (
        ["run", "quickstart", "--set", "base.network.filters=200000", "--workers", "0"],
        "needs more memory than",
    ),
    (["train", "quickstart", "--out", "file"], "cannot be written: Not a directory"),
    (
        ["translate", CHECKPOINT, IMAGE, IMAGE, "--size", "33"],
        "--size 33: the network makes images of 32 pixels",
    ),
    (
        ["translate", CHECKPOINT, IMAGE, IMAGE, "--size", "100000"],
        "--size 100000: needs about ",
    ),
    (["verify", "nowhere", "0"], "nowhere: no such folder (no plan.json)"),
    (["ui", "nowhere"], "nowhere: no such folder (no plan.json)"),
    (["list"], "Missing argument 'menu'. Choose from: losses, metrics"),
    (["run", "quickstart", "--out", "/proc/nowhere"], "cannot be written"),
    (["train", "quickstart", "--save", "/no/where/x.pt"], "no such folder"),
    (["translate", "none.pt", "a.png", "b.png"], "none.pt: no such checkpoint"),
]


def is_one_line(done: subprocess.CompletedProcess[str], said: str, where: Path) -> None:
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert not list(where.rglob("trial.json"))
    assert not list(where.rglob(".lock"))


@pytest.mark.parametrize(("words", "said"), MISTAKES)
def test_mistakes_are_one_line_and_nothing_starts(
    called: Callable[..., subprocess.CompletedProcess[str]],
    words: list[str],
    said: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "sizes.yaml").write_text(SIZES)
    is_one_line(called(*words, where=tmp_path), said, tmp_path)


def test_a_mistake_is_one_line_of_a_process_of_its_own_too(tmp_path: Path) -> None:
    words, said = MISTAKES[0]
    is_one_line(command(*words, where=tmp_path, code=2), said, tmp_path)


def test_the_version_and_the_menu_of_commands(tmp_path: Path) -> None:
    assert command("--version", where=tmp_path).stdout == f"{version('g2g-ablate')}\n"
    assert command("--version", "list", "models", where=tmp_path).stdout.count("\n") == 1
    assert "translate" in command(where=tmp_path).stdout
