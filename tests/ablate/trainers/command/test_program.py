"""Studies whose trials are runs of a program: real programs, inline and on Ray, and what goes wrong
with them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.plan_file import resolved_yaml
from ablate.running.study import StudyResult, run_study
from ablate.study.nouns import StudyError, StudySpec
from ablate.trainers.command.config import CommandConfig
from ablate.trainers.resolve import trainer_of
from ablate.trial import trial_file
from ablate.trial.verify import verify_trial

ROOT = Path(__file__).resolve().parents[4]
EXAMPLE = ROOT / "docs" / "examples" / "any-program"
QUIET = {"workers": 0, "report": False, "tracking_uri": "none", "quiet": True}
PYTHON = f"'{sys.executable}' -I -S"

PROGRAM = """
import json, pathlib, sys
rate, seed, folder = float(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
with (folder / "metrics.jsonl").open("w") as file:
    for step in (0, 10, 20):
        record = {"step": step, "loss": 1 + seed - rate * step, "rate": rate}
        print(json.dumps(record), file=file, flush=True)
print("the end")
"""
STUDY = """
name: program
trainer: {{command: "{python} train.py {{rate}} {{seed}} {{folder}}"}}
base: {{rate: 1e-2}}
factors:
  rate: {{path: rate, levels: {{low: 1e-2, high: 2e-2}}}}
seeds: [0, 1]
outcome: {{metric: loss}}
"""
TALKING = "import json, pathlib, sys, time\nfolder = pathlib.Path(sys.argv[3])\n"
"""The beginning of programs that take the same arguments and do something else."""


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., StudySpec]:
    """Writes a study file and its program beside each other, and loads it."""

    def load(text: str = STUDY, program: str = PROGRAM, *overrides: str) -> StudySpec:
        (tmp_path / "train.py").write_text(program, encoding="utf-8")
        path = tmp_path / "study.yaml"
        path.write_text(text.format(python=PYTHON), encoding="utf-8")
        return load_study(path, overrides)

    return load


def run(spec: StudySpec, out: Path, **options: object) -> StudyResult:
    return run_study(spec, out / "runs", **{**QUIET, **options})


def columns(result: StudyResult) -> pd.DataFrame:
    return pd.read_csv(result.folder / "trials.csv").set_index(["level.rate", "seed"])


# --- a study as a whole ---


def test_the_example_of_the_docs_is_a_study_with_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    shutil.copytree(EXAMPLE, tmp_path / "example")
    page = (ROOT / "docs" / "study-files.md").read_text(encoding="utf-8")
    assert f"```yaml\n{(EXAMPLE / 'study.yaml').read_text(encoding='utf-8')}```" in page
    spec = load_study(tmp_path / "example" / "study.yaml")
    result = run(spec, tmp_path, report=True)
    assert [one.status for one in result.results] == ["finished"] * 16
    report = json.loads((result.folder / "report" / "data" / "report.json").read_text())
    verdicts = {verdict["factor"]: verdict["verdict"] for verdict in report["verdicts"]}
    assert verdicts == {"rate": "harms", "noise": "equivalent"}
    text = (result.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "100 steps each" in text
    assert "initial weights" not in text


def test_metrics_become_columns_and_the_log_is_kept(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    result = run(study(), tmp_path)
    table = columns(result)
    assert result.exit_code == 0
    assert table["metric.loss"].to_dict() == {
        ("low", 0): 0.8,
        ("high", 0): 0.6,
        ("low", 1): 1.8,
        ("high", 1): 1.6,
    }
    assert table["metric0.loss"].to_list() == [1.0, 1.0, 2.0, 2.0]
    assert table["config.rate"].to_list() == [0.01, 0.02, 0.01, 0.02]
    assert set(table["steps_done"]) == {20}
    assert (table["peak_memory_mb"] > 1).all()
    folder = result.results[0].folder
    assert (folder / "trial.log").read_text() == "the end\n"
    plan_document = json.loads((result.folder / "plan.json").read_text())
    assert plan_document["trainer"]["metrics"] == "metrics.jsonl"
    assert plan_document["metrics"]["loss"]["better"] == "lower"


def test_finished_trials_are_reused_and_an_edited_program_runs_anew(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    first = run(study(), tmp_path)
    again = run(study(STUDY.replace("[0, 1]", "[0, 1, 2]")), tmp_path)
    assert [one.trial.id for one in again.results[:4]] == [one.trial.id for one in first.results]
    assert {len(trial_file.read(one.folder)["attempts"]) for one in again.results} == {1}
    edited = plan(study(program=PROGRAM.replace("1 + seed", "2 + seed")))
    assert not {trial.id for trial in edited.trials} & {one.trial.id for one in first.results}
    parts = {
        part
        for part, told in edited.trials[0].identity.items()
        if told != first.results[0].trial.identity[part]
    }
    assert parts == {"code"}


def test_verify_repeats_a_run_and_sees_a_change(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    result = run(study(), tmp_path)
    trial = result.results[0].folder
    found = verify_trial(result.folder, trial, lambda _: None)
    assert found.equal
    assert found.values == 6
    (tmp_path / "train.py").write_text(PROGRAM.replace("1 + seed", "2 + seed"))
    changed = verify_trial(result.folder, trial, lambda _: None)
    assert changed.different == 3
    assert changed.first == "metric/loss at step 0: 1.0 before, 2.0 now"


def test_the_resolved_study_has_the_same_trials(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    spec = study(
        STUDY.replace(
            "1e-2}}", "1e-2, note: 0x10, none: null, sizes: [1, 2], deep: {{a: 1.50, b: yes}}}}"
        )
    )
    elsewhere = tmp_path / "elsewhere" / "resolved.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(resolved_yaml(spec), encoding="utf-8")
    again = load_study(elsewhere)
    assert [trial.id for trial in plan(again).trials] == [trial.id for trial in plan(spec).trials]
    assert again.base == spec.base
    assert again.trainer == spec.trainer


def test_a_study_that_extends_another_starts_the_program_beside_that_one(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    ids = [trial.id for trial in plan(study()).trials]
    below = tmp_path / "below"
    below.mkdir()
    (below / "more.yaml").write_text("extends: ../study.yaml\nseeds: [0, 1, 2]\n")
    assert [trial.id for trial in plan(load_study(below / "more.yaml")).trials][:4] == ids


# --- the command line ---


def arguments(spec: StudySpec) -> list[list[str]]:
    """The arguments of each trial of a plan, without the program."""
    configs = [trial.config for trial in plan(spec).trials]
    return [
        config.command_line(Path("F"), "cpu")[4:]
        for config in configs
        if isinstance(config, CommandConfig)
    ]


@pytest.mark.parametrize(
    ("option", "template", "expected"),
    [
        ("1e-4", "{{x}}", "1e-4"),
        ("0.10", "--x={{x}}", "--x=0.10"),
        ("true", "{{x}}", "true"),
        ("[1, 2]", "{{x}}", "[1,2]"),
        ('"it\'s \\"so\\" $HOME; ls"', "{{x}}", 'it\'s "so" $HOME; ls'),
        ("'a {{seed}}'", "{{x}}", "a {seed}"),
        ("1", "{{{{x}}}}", "{x}"),
        ("1", "'two words {{x}}'", "two words 1"),
        ("{{deep: {{y: 2.50}}}}", "{{x.deep.y}}", "2.50"),
        ("1", "{{device}}{{x}}", "cpu1"),
    ],
)
def test_a_value_is_one_argument_as_it_is_written(
    study: Callable[..., StudySpec], option: str, template: str, expected: str
) -> None:
    text = STUDY.replace("{{rate}}", f"{template} {{{{rate}}}}").replace(
        "rate: 1e-2}}", f"rate: 1e-2, x: {option}}}}}"
    )
    text = re.sub(
        r'command: "(.*)"\}\}', lambda found: f"command: >-\n    {found[1]}", text
    ).replace("trainer: {{", "trainer:\n  ")
    assert arguments(study(text))[0] == [expected, "1e-2", "0", "F"]


def test_factors_patch_options_inside_a_map(study: Callable[..., StudySpec]) -> None:
    text = STUDY.replace("{{rate: 1e-2}}", "{{rate: {{start: 1e-2, end: 3e-3}}}}")
    text = text.replace("{{rate}}", "{{rate.start}},{{rate.end}}").replace(
        "path: rate", "path: rate.start"
    )
    assert [words[0] for words in arguments(study(text))[:2]] == ["1e-2,3e-3", "2e-2,3e-3"]


def test_cells_with_one_command_line_are_one_trial(study: Callable[..., StudySpec]) -> None:
    text = STUDY.replace("high: 2e-2}}}}", "high: 2e-2, same: 1e-2}}}}")
    found = plan(study(text))
    assert len(found.trials) == 4
    assert found.equal_cells == (({"rate": "low"}, {"rate": "same"}),)


def test_designs_conditions_and_overrides_work_as_for_networks(
    study: Callable[..., StudySpec],
) -> None:
    text = STUDY.replace("{{rate}}", "{{rate}} {{mode}}").replace(
        "rate: 1e-2}}", "rate: 1e-2, mode: plain}}"
    )
    text = text.replace("seeds: ", "  mode: {{path: mode, levels: [plain, bold, odd]}}\nseeds: ")
    overrides = ("factors.rate.levels.high=3e-2", "seeds=[7]")

    excluding = text + "exclude:\n  - {{rate: high, mode: odd, reason: too odd}}\n"
    cells = [
        ("1e-2", "plain"),
        ("1e-2", "bold"),
        ("1e-2", "odd"),
        ("3e-2", "plain"),
        ("3e-2", "bold"),
    ]
    assert arguments(study(excluding, PROGRAM, *overrides)) == [[*cell, "7", "F"] for cell in cells]

    conditional = text.replace("odd]}}", "odd], when: {{rate: high}}}}")
    cells = [("1e-2", "plain"), ("3e-2", "plain"), ("3e-2", "bold"), ("3e-2", "odd")]
    assert arguments(study(conditional, PROGRAM, *overrides)) == [
        [*cell, "7", "F"] for cell in cells
    ]


def test_what_has_no_effect_is_said(study: Callable[..., StudySpec]) -> None:
    text = STUDY.replace("rate: 1e-2}}", "rate: 1e-2, momentum: 0.9, threads: 2}}").replace(
        " {{seed}}", " 0"
    )
    spec = study(text)
    assert trainer_of(spec).cautions(spec) == [
        "base.momentum: the command does not name it, so it has no effect",
        "trainer.command: does not name {seed}: every seed is the same run again",
    ]


def test_a_checkpoint_counts_by_its_content(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    text = STUDY.replace("{{rate}}", "{{rate}} '{{checkpoint}}'").replace(
        "rate: 1e-2}}", "rate: 1e-2, checkpoint: a.pt}}"
    )
    (tmp_path / "a.pt").write_bytes(b"weights")
    first = plan(study(text))
    assert arguments(study(text))[0][1] == str(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"weights")
    assert plan(study(text.replace("a.pt", "b.pt"))).trials[0].id == first.trials[0].id
    (tmp_path / "a.pt").write_bytes(b"others!")
    assert plan(study(text)).trials[0].id != first.trials[0].id
    assert plan(study(text.replace("a.pt", "c.pt"))).missing == (
        f"checkpoint: {tmp_path / 'c.pt'}: no such file",
    )
    assert arguments(study(text.replace("a.pt", "null")))[0][1] == ""


def test_a_program_that_is_not_there_is_told_before_anything_starts(
    study: Callable[..., StudySpec],
) -> None:
    assert plan(study(STUDY.replace("{python}", "pythn"))).missing == (
        "trainer.command: pythn: no such program",
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            "{{rate}}",
            "{{rat}}",
            "3:20",
            "trainer.command: {rat} names no option of base; did you mean rate?",
        ),
        ("{{rate}}", "{{rate:.2f}}", "3:20", "trainer.command: {rate:.2f} names no option of base"),
        ("{{rate}}", "{{", "3:20", "a brace stands alone; write {{ or }} for a brace"),
        (" {{folder}}", "", "3:20", "must name {folder}, where the program writes metrics.jsonl"),
        ("{{rate}}", "'{{rate}}", "3:20", "cannot be split into words: no closing quotation"),
        ('"}}', '", metric: a.csv}}', "3:", "trainer.metric: unknown key; did you mean metrics?"),
        (
            '"}}',
            '", metrics: ../a.csv}}',
            "3:",
            "'../a.csv' must be a file inside the trial's folder",
        ),
        (
            '"}}',
            '", metrics: history.jsonl}}',
            "3:",
            "'history.jsonl' is a name that g2g-ablate uses itself",
        ),
        ('"}}', '", folder: nowhere}}', "3:", "nowhere: no such folder"),
        ("rate: 1e-2}}", "rate: 1e-2, seed: 1}}", "4:", "base.seed: 'seed' is a reserved name"),
        (
            "rate: 1e-2}}",
            "rate: 1e-2, folder: a}}",
            "4:",
            "base.folder: 'folder' is a reserved name",
        ),
        ("path: rate", "path: rat", "6:", "'rat' is not known; did you mean rate?"),
        ("high: 2e-2", "high: fast", "6:", "factors.rate.levels.high: 'fast' must be a number"),
        (
            "low: 1e-2, high: 2e-2",
            "low: 1, high: true",
            "6:",
            "factors.rate.levels.high: true must be a number",
        ),
        (
            "{{rate}}",
            "1",
            "6:3",
            "factors.rate: changes nothing: the command is the same at all its levels",
        ),
        ("loss", "step", "8:", "outcome.metric"),
        ("{{metric: loss}}", "{{better: lower}}", "8:", "outcome: metric is missing"),
        ("high: 2e-2", "high: 1e-2", "6:3", "factors.rate: changes nothing"),
    ],
)
def test_mistakes_are_told_with_their_place(
    study: Callable[..., StudySpec], tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    assert old in STUDY
    with pytest.raises(StudyError) as caught:
        study(STUDY.replace(old, new, 1))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path / 'study.yaml'}:{place}")
    assert message in line


def test_a_python_object_that_is_not_there_is_told(study: Callable[..., StudySpec]) -> None:
    text = re.sub(r"trainer: .*", "trainer: package.module:thing", STUDY)
    with pytest.raises(StudyError, match="No module named 'package'") as caught:
        study(text)
    assert ":3:10: trainer: package.module:thing: " in str(caught.value).splitlines()[0]


# --- what programs write, and how they end ---


def outcome(
    study: Callable[..., StudySpec], tmp_path: Path, body: str, text: str = STUDY
) -> trial_file.TrialResult:
    """The first trial of a study whose program does this."""
    text = text.replace("seeds: [0, 1]", "seeds: [0]")
    return run(study(text, TALKING + body), tmp_path, alike_limit=0).results[0]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("print('boom'); sys.exit(3)", "failed", "ProgramFailed: exit status 3: boom"),
        ("sys.exit(3)", "failed", "ProgramFailed: exit status 3: it printed nothing"),
        ("1 / 0", "failed", "ProgramFailed: exit status 1: ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 9)", "failed", "ended by signal 9 (SIGKILL)"),
        ("pass", "failed", "the program wrote no metrics.jsonl in {folder}"),
    ],
)
def test_a_program_that_fails(
    study: Callable[..., StudySpec], tmp_path: Path, body: str, status: str, error: str
) -> None:
    found = outcome(study, tmp_path, body)
    assert found.status == status
    assert found.error is not None
    assert error in found.error


@pytest.mark.parametrize(
    ("lines", "status", "error"),
    [
        (
            '{"step": 0, "loss": 1}\n{"step": 5, "loss": NaN}\n',
            "diverged",
            "loss is not finite at step 5",
        ),
        (
            '{"step": 0, "loss": 1}\n{"step": 5, "other": null}\n',
            "diverged",
            "other is not finite at step 5",
        ),
        ('{"step": 0, "loss": -Infinity}\n', "diverged", "loss is not finite at step 0"),
        (
            '{"step": 0, "los": 1}\n',
            "failed",
            "metrics.jsonl: holds no loss, the outcome of the study; did you mean los?",
        ),
        ('{"step": 0, "loss": 1}\n{"loss": 2}\n', "failed", "metrics.jsonl:2: has no step"),
        (
            '{"step": 5, "loss": 1}\n{"step": 0, "loss": 2}\n',
            "failed",
            "metrics.jsonl:2: step 0 comes after step 5",
        ),
        ('{"step": 1.5, "loss": 1}\n', "failed", "step: 1.5 must be a whole number"),
        ('{"step": 0, "loss": "low"}\n', "failed", 'metrics.jsonl:1: loss: "low" is no number'),
        ('{"step": 0, "loss": true}\n', "failed", "loss: true is no number"),
        ("[0, 1]\n", "failed", "metrics.jsonl:1: is no JSON object"),
        ("", "failed", "holds no loss"),
        ('{"step": 0, "loss": 1}\n\n{"step": 3, "loss": 2}', "finished", None),
    ],
)
def test_what_is_written_decides(
    study: Callable[..., StudySpec], tmp_path: Path, lines: str, status: str, error: str | None
) -> None:
    found = outcome(study, tmp_path, f"(folder / 'metrics.jsonl').write_text({lines!r})")
    assert found.status == status
    assert (error is None and found.error is None) or (error or "") in (found.error or "")


def test_a_table_with_a_header_is_read_too(study: Callable[..., StudySpec], tmp_path: Path) -> None:
    text = STUDY.replace('"}}', '", metrics: logs/metrics.csv}}')
    rows = "step,loss,accuracy\n0,1.0,\n0,,0.25\n10,0.5,\n"
    found = outcome(
        study, tmp_path, f"(folder / 'logs' / 'metrics.csv').write_text({rows!r})", text
    )
    assert found.status == "finished"
    table = pd.read_parquet(tmp_path / "runs" / "program" / "history.parquet").astype(
        {"trial_id": str, "name": str}
    )
    table = table[table["trial_id"] == found.trial.id]
    assert table[["step", "name", "value"]].to_numpy().tolist() == [
        [0, "metric/loss", 1.0],
        [0, "metric/accuracy", 0.25],
        [10, "metric/loss", 0.5],
    ]


def test_a_diverged_program_is_ended_at_once(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    body = """
(folder / 'metrics.jsonl').write_text('{"step": 0, "loss": 1}\\n{"step": 1, "loss": NaN}\\n')
time.sleep(60)
"""
    began = time.monotonic()
    found = outcome(study, tmp_path, body)
    assert found.status == "diverged"
    assert found.steps_done == 1
    assert time.monotonic() - began < 10
    assert not running(tmp_path)


# --- stopping and going on ---

SLOW = f"""{TALKING}
resting = pathlib.Path("resting")
for step in range(1000):
    with (folder / "metrics.jsonl").open("a") as file:
        print(json.dumps({{"step": step, "loss": step}}), file=file)
    if step == 3 and not resting.exists():
        break
    time.sleep(0.05)
"""
"""Ends by itself unless a file `resting` lies beside it."""


def running(folder: Path) -> list[psutil.Process]:
    """Programs that run in this folder, with their supervisors."""
    found = []
    for process in psutil.process_iter(["cwd", "status", "cmdline"]):
        mine = process.info["cwd"] == str(folder) and "train.py" in " ".join(
            process.info["cmdline"] or ()
        )
        if mine and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def lines(folder: Path) -> int:
    return sum(
        path.read_bytes().count(b"\n")
        for path in folder.glob("runs/program/trials/*/metrics.jsonl")
    )


def test_a_request_to_stop_ends_the_program_and_the_trial_starts_anew(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    text = STUDY.replace("seeds: [0, 1]", "seeds: [0]")
    (tmp_path / "resting").touch()
    spec = study(text, SLOW)

    def ask() -> None:
        wait_for(lambda: lines(tmp_path) > 5)
        (tmp_path / "runs" / "program" / "stop").touch()

    asking = threading.Thread(target=ask)
    asking.start()
    stopped = run(spec, tmp_path)
    asking.join()
    assert stopped.exit_code == 130
    assert stopped.results[0].status == "interrupted"
    assert not running(tmp_path)

    (tmp_path / "resting").unlink()
    ended = run(spec, tmp_path)
    assert ended.exit_code == 0
    assert len(trial_file.read(ended.results[0].folder)["attempts"]) == 2
    table = pd.read_parquet(ended.folder / "history.parquet").astype({"trial_id": str})
    table = table[table["trial_id"] == ended.results[0].trial.id]
    assert table["step"].to_list() == [0, 1, 2, 3]


COMMAND = "from ablate.cli import main; main()"


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    words = ("run", "study.yaml", "--no-report", "--tracking-uri", "none", *options)
    return subprocess.Popen(
        (sys.executable, "-c", COMMAND, *words),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_no_program_outlives_the_command(
    study: Callable[..., StudySpec], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    (tmp_path / "resting").touch()
    spec = study(STUDY, SLOW)
    process = start(tmp_path, "--workers", "0")
    wait_for(lambda: lines(tmp_path) > 2)
    assert len(running(tmp_path)) == 2
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == code
    wait_for(lambda: not running(tmp_path), 5)

    (tmp_path / "resting").unlink()
    ended = run(spec, tmp_path)
    assert ended.exit_code == 0
    assert set(columns(ended)["metric.loss"]) == {3.0}


@pytest.mark.slow
def test_on_ray_a_killed_worker_takes_its_program_along_and_the_trial_is_run_again(
    study: Callable[..., StudySpec], tmp_path: Path
) -> None:
    (tmp_path / "resting").touch()
    study(STUDY, SLOW)
    process = start(tmp_path, "--workers", "2")
    wait_for(lambda: lines(tmp_path) > 4, 120)
    programs = running(tmp_path)
    worker = psutil.Process(programs[0].pid)
    while "ray::" not in " ".join(worker.cmdline()):
        worker = psutil.Process(worker.ppid())
    ours = [program for program in programs if worker in program.parents()]
    (tmp_path / "resting").unlink()
    worker.kill()
    wait_for(lambda: not any(program.is_running() for program in ours), 5)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    table = pd.read_csv(tmp_path / "runs" / "program" / "trials.csv")
    assert table["status"].to_list() == ["finished"] * 4
    assert not running(tmp_path)


# --- commands ---


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("train", "study.yaml"),
            "train: the trials of study.yaml are runs of a program, which `run` starts",
        ),
        (("plan", "study.yaml", "--pilot"), "--pilot: a few steps of a program cannot be measured"),
    ],
)
def test_commands_for_networks_refuse_in_one_line(
    study: Callable[..., StudySpec], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    study()
    done = subprocess.run(
        (sys.executable, "-c", COMMAND, *words),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "runs").exists()
