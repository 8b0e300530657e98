"""Studies that a Python object trains: what it offers, what is recorded, and what goes wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.plan_file import changes, plan_record, resolved_yaml
from ablate.running.study import StudyResult, run_study
from ablate.study.nouns import StudyError, StudySpec
from ablate.trainers.objects.load import load_object
from ablate.trainers.sources import source_file
from ablate.trial import trial_file
from ablate.trial.verify import verify_trial

QUIET = {"workers": 0, "report": False, "tracking_uri": "none", "quiet": True}
MODULE = '''
"""A trainer without any library."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ablate import Metric, Trainer


@dataclass(frozen=True)
class Config:
    """Options.

    Attributes:
        rate: how fast it learns.
        kind: which rule.
        data: file of numbers.
        steps: of training.
        seed: the replicate.
    """

    rate: float = 0.1
    kind: Literal["plain", "bold"] = "plain"
    data: Path | None = None
    steps: int = 4
    seed: int = 0

    def __post_init__(self):
        if self.rate > 1:
            raise ValueError("rate: must be at most 1")


def train(config, checkpoints):
    saved = checkpoints / "step"
    first = int(saved.read_text()) + 1 if saved.exists() else 0
    for step in range(first, config.steps + 1):
        yield {"step": step, "error": 1 + config.seed - config.rate * step, "speed": config.rate}
        saved.write_text(str(step))


trainer = Trainer(Config, train, {"error": Metric("lower", "m", "how far off")}, "A line.")
'''
STUDY = """
name: line
trainer: {module}:trainer
base: {{rate: 0.1}}
factors:
  rate: {{path: rate, levels: {{low: 0.1, high: 0.2}}}}
seeds: [0, 1, 2]
outcome: {{metric: error, smallest_effect: 0.1}}
"""
Study = Callable[..., StudySpec]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Study:
    """Writes a study file and the module of its trainer, and loads it."""
    module = f"line_{abs(hash(request.node.name))}"
    monkeypatch.syspath_prepend(tmp_path / "site")

    def load(text: str = STUDY, code: str = MODULE, *overrides: str) -> StudySpec:
        source = tmp_path / "site" / f"{module}.py"
        source.parent.mkdir(exist_ok=True)
        if not source.exists() or source.read_text() != code:
            source.write_text(code)
            import sys

            sys.modules.pop(module, None)
            for bytecode in source.parent.glob("__pycache__/*"):
                bytecode.unlink()
        load_object.cache_clear()
        source_file.cache_clear()
        path = tmp_path / "study.yaml"
        path.write_text(text.format(module=module))
        return load_study(path, overrides)

    return load


def run(spec: StudySpec, out: Path, **options: object) -> StudyResult:
    return run_study(spec, out / "runs", **{**QUIET, **options})


# --- a study as a whole ---


def test_what_it_yields_becomes_tables_and_a_report(study: Study, tmp_path: Path) -> None:
    result = run(study(), tmp_path, report=True)
    assert result.exit_code == 0
    table = pd.read_csv(result.folder / "trials.csv").set_index(["level.rate", "seed"])
    assert table["metric.error"].round(6).to_list() == [0.6, 0.2, 1.6, 1.2, 2.6, 2.2]
    assert table["metric0.error"].to_list() == [1, 1, 2, 2, 3, 3]
    assert table["config.rate"].to_list() == [0.1, 0.2] * 3
    history = pd.read_parquet(result.folder / "history.parquet")
    assert set(history["name"].astype(str)) == {"metric/error", "loss/speed"}

    page = (result.folder / "report" / "index.html").read_text()
    assert "how far off" in page
    assert "All arms are trained by" in page
    assert "One trainer." in page
    assert "The trainer that this study runs decides what the 3 seeds vary." in page
    text = (result.folder / "report" / "report.txt").read_text()
    for science in ("initial weights", "generator", "one dataset", "program"):
        assert science not in text, science
    record = json.loads((result.folder / "plan.json").read_text())
    assert record["trainer"]["object"].endswith(":trainer")
    assert record["metrics"] == {
        "error": {"better": "lower", "unit": "m", "description": "how far off"}
    }


def test_a_function_that_reports_is_a_trainer_too(study: Study, tmp_path: Path) -> None:
    reporting = MODULE.replace("def train(config, checkpoints):", "def train(config, report):")
    body = reporting[reporting.index("    saved =") : reporting.index("\n\ntrainer =")]
    loop = (
        "    for step in range(config.steps + 1):\n"
        "        report(step, error=1 + config.seed - config.rate * step)\n"
    )
    result = run(study(STUDY, reporting.replace(body, loop)), tmp_path)
    assert [one.status for one in result.results] == ["finished"] * 6
    assert [one.steps_done for one in result.results] == [4] * 6


def test_finished_trials_are_reused_and_verified(study: Study, tmp_path: Path) -> None:
    first = run(study(), tmp_path)
    more = run(study(STUDY.replace("[0, 1, 2]", "[0, 1, 2, 3]")), tmp_path)
    assert [one.trial.id for one in more.results[:6]] == [one.trial.id for one in first.results]
    assert {len(trial_file.read(one.folder)["attempts"]) for one in more.results} == {1}
    verification = verify_trial(first.folder, first.results[0].folder, lambda _: None)
    assert verification.equal
    assert verification.values == 10


def test_an_interrupted_trial_resumes_from_what_the_trainer_saved(
    study: Study, tmp_path: Path
) -> None:
    quiet = run(study(), tmp_path / "quiet").folder
    stopping = MODULE.replace(
        "        saved.write_text(str(step))",
        "        saved.write_text(str(step))\n        if step == 2 and first == 0:\n"
        "            raise RuntimeError('planted')",
    )
    # The code is a part of the identity, so both runs use the stopping trainer.
    result = run(study(STUDY, stopping), tmp_path, alike_limit=0)
    assert {one.status for one in result.results} == {"failed"}
    result = run(study(STUDY, stopping), tmp_path)
    assert {one.status for one in result.results} == {"finished"}
    values = [
        pd.read_parquet(folder / "history.parquet")[["step", "name", "value"]]
        for folder in (result.folder, quiet)
    ]
    pd.testing.assert_frame_equal(*values)


def test_the_resolved_study_has_the_same_trials(study: Study, tmp_path: Path) -> None:
    spec = study()
    (tmp_path / "resolved.yaml").write_text(resolved_yaml(spec))
    again = load_study(tmp_path / "resolved.yaml")
    assert [trial.id for trial in plan(again).trials] == [trial.id for trial in plan(spec).trials]


def test_the_pilot_and_one_trial_alone(study: Study, tmp_path: Path) -> None:
    study(STUDY.replace("base: {{rate: 0.1}}", "base: {{rate: 0.1, steps: 50}}"))
    words = [str(tmp_path / "study.yaml"), "--out", str(tmp_path / "runs")]
    piloted = CliRunner().invoke(app, ["plan", *words, "--pilot", "--json"])
    assert json.loads(piloted.stdout)["pilot"]["trials"] == 6
    trained = CliRunner().invoke(app, ["train", *words, "--save", str(tmp_path / "kept")])
    assert trained.exit_code == 0, trained.output
    assert (tmp_path / "kept").read_text() == "50"


def test_its_options_are_in_the_schema(study: Study) -> None:
    name = plan_record(plan(study()))["trainer"]["object"]
    schema = json.loads(CliRunner().invoke(app, ["schema", "--trainer", name]).stdout)
    rules = schema["properties"]["base"]["properties"]
    assert list(rules) == ["rate", "kind", "data", "steps"]
    assert rules["rate"]["description"] == "how fast it learns."
    assert rules["kind"]["enum"] == ["plain", "bold"]


# --- identity ---


def test_only_code_that_does_something_else_makes_trials_new(study: Study) -> None:
    before = plan(study())
    same = plan(
        study(STUDY, MODULE.replace('"""Options.', '"""All options.  # really') + "\n# end\n")
    )
    assert [trial.id for trial in same.trials] == [trial.id for trial in before.trials]
    edited = plan(study(STUDY, MODULE.replace("1 + config.seed", "2 + config.seed")))
    assert not {trial.id for trial in edited.trials} & {trial.id for trial in before.trials}
    (line,) = changes(edited, plan_record(before))
    module = plan_record(before)["trainer"]["object"].partition(":")[0]
    assert line == f"code changed ({module}): 6 trials run again"


def test_files_count_by_content(study: Study, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    text = STUDY.replace("base: {{rate: 0.1}}", "base: {{rate: 0.1, data: a.txt}}")
    first = plan(study(text))
    (tmp_path / "b.txt").write_text("1")
    assert plan(study(text.replace("a.txt", "b.txt"))).trials[0].id == first.trials[0].id
    (tmp_path / "a.txt").write_text("22")
    assert plan(study(text)).trials[0].id != first.trials[0].id
    missing = plan(study(text.replace("a.txt", "c.txt"))).missing
    assert missing == (f"base.data: {tmp_path / 'c.txt'}: no such file or folder",)


# --- what is wrong with a study file ---


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (":trainer", ":trainr", "3:10", "has no attribute 'trainr'"),
        ("{module}:trainer", "digts", "3:10", "digts: no installed trainer has this name"),
        (":trainer", ":Config", "3:10", "is not a trainer: "),
        ("{{rate: 0.1}}", "{{rat: 0.1}}", "4:8", "base.rat: unknown key; did you mean rate?"),
        ("{{rate: 0.1}}", "{{rate: fast}}", "4:14", "base.rate: 'fast' must be a number"),
        ("{{rate: 0.1}}", "{{kind: odd}}", "4:14", "base.kind: 'odd' is not known"),
        ("high: 0.2", "high: 2", "6:", "factors.rate.levels.high: must be at most 1"),
        ("high: 0.2", "high: 0.10", "6:3", "factors.rate: changes nothing"),
        ("error,", "eror,", "8:", "outcome.metric: 'eror' is not known; did you mean error?"),
        ("error,", "error, better: higher,", "8:", "outcome.better: error is better lower"),
    ],
)
def test_mistakes_are_told_with_their_place(
    study: Study, tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    assert old in STUDY
    with pytest.raises(StudyError) as caught:
        study(STUDY.replace(old, new, 1))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path / 'study.yaml'}:{place}")
    assert message in line


def test_a_config_without_a_seed_is_refused(study: Study) -> None:
    code = MODULE.replace("    seed: int = 0\n", "").replace("config.seed", "0")
    with pytest.raises(StudyError, match="config needs a field seed"):
        study(STUDY, code)


# --- what goes wrong while it trains ---

YIELDED = '"error": 1 + config.seed - config.rate * step, "speed": config.rate'


@pytest.mark.parametrize(
    ("yielded", "status", "error"),
    [
        ('"error": float("nan") if step == 2 else 1', "diverged", "error is not finite at step 2"),
        ('"error": 1, "speed": None', "diverged", "speed is not finite at step 0"),
        ('"eror": 1', "failed", "recorded no error, the study's outcome; did you mean eror?"),
        ('"error": "low"', "failed", "error: 'low' is not a number"),
        ('"error": 1 / 0', "failed", "ZeroDivisionError: division by zero"),
    ],
)
def test_faults_are_told(
    study: Study, tmp_path: Path, yielded: str, status: str, error: str
) -> None:
    assert YIELDED in MODULE
    result = run(study(STUDY, MODULE.replace(YIELDED, yielded)), tmp_path, alike_limit=0)
    assert {one.status for one in result.results} == {status}
    assert error in str(result.results[0].error)


def test_steps_that_go_back_are_refused(study: Study, tmp_path: Path) -> None:
    back = MODULE.replace('{"step": step,', '{"step": 4 - step,')
    result = run(study(STUDY, back), tmp_path, alike_limit=0)
    assert "step 3 comes after step 4; steps must not go back" in str(result.results[0].error)


def test_an_error_of_a_reporting_function_is_the_trials(study: Study, tmp_path: Path) -> None:
    code = MODULE.replace("def train(config, checkpoints):", "def train(config, report):")
    code = code.replace(
        code[code.index("    saved =") : code.index("\n\ntrainer =")],
        "    report(0, error=1.0)\n    raise RuntimeError('lost')\n",
    )
    result = run(study(STUDY, code), tmp_path, alike_limit=0)
    assert result.results[0].error == "RuntimeError: lost"


def test_a_seed_that_is_not_used_and_a_factor_without_effect_are_told(
    study: Study, tmp_path: Path
) -> None:
    deaf = MODULE.replace("1 + config.seed", "1")
    result = run(study(STUDY, deaf), tmp_path)
    assert any(
        "all seeds recorded the same numbers in every arm" in line for line in result.messages
    )
    idle = MODULE.replace("config.rate * step", "0.1 * step")
    result = run(study(STUDY, idle), tmp_path, report=True)
    text = (result.folder / "report" / "report.txt").read_text()
    said = "rate=high did nothing: with and without it all trials end with identical values."
    assert said in text
