"""Stores that ten other programs made have the claims that were planted in them."""

import gzip
import importlib.util
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from ablate.judging.matching import match
from ablate.judging.question import AskedFactor, Question
from ablate.judging.source import read_source
from ablate.judging.writing import write_folder
from ablate.results import tables
from ablate.study.nouns import StudyError
from reports import load_results
from reports.analysis.cells import Cells
from reports.claims.judge import judge

STORES = Path(__file__).parent / "stores"


def module(name: str) -> ModuleType:
    """A module of the folder of stores, which is no package."""
    spec = importlib.util.spec_from_file_location(name, STORES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


MAKE, TRUTH = module("make"), module("truth")
OUTCOME = {"metric": "val_error", "better": "lower", "smallest_effect": 0.02}
QUESTIONS: dict[str, tuple[str, dict[str, str], str, str]] = {
    "plain_csv": ("results.csv", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
    "notebook": ("table.csv", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
    "mlflow_autolog": ("mlflow.db", {"lr": "eta0", "aug": "average"}, "random_state", "val_error"),
    "lightning": ("lightning_logs", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
    "tensorboard": (".", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
    "ray_tune": ("grid", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
    "hydra": ("multirun", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
    "optuna": ("trials.csv", {"lr": "lr", "aug": "aug"}, "seed", "value"),
    "wandb": ("wandb", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
    "hugging_face": (".", {"lr": "lr", "aug": "aug"}, "seed", "val_error"),
}
"""Store -> source in it, factor -> column, the pair, and the outcome."""


def question_of(name: str, folder: Path) -> Question:
    """The question about a store that lies in a folder."""
    place, factors, pair, outcome = QUESTIONS[name]
    packed = folder / f"{place}.gz"
    if packed.exists():
        (folder / place).write_bytes(gzip.decompress(packed.read_bytes()))
    return Question(
        str(folder / place),
        {factor: AskedFactor(column) for factor, column in factors.items()},
        pair,
        {**OUTCOME, "metric": outcome},
        name="store",
    )


def judged_rightly(name: str, folder: Path, out: Path) -> None:
    """Judge a store, and compare with the truth that all scripts share."""
    question = question_of(name, folder)
    found = match(question, read_source(question))
    levels = found.question.factors
    assert [float(level) for level in levels["lr"].levels] == [0.01, 0.1]
    exact = 1e-3 if name == "notebook" else 1e-6
    for (place, seed), run in found.runs.items():
        cell = found.cells[place]
        lr = TRUTH.LRS[levels["lr"].levels.index(cell["lr"])]
        aug = TRUTH.AUGS[levels["aug"].levels.index(cell["aug"])]
        value = run.last(found.question.metric)
        if value is not None:
            assert value == pytest.approx(TRUTH.val_error(lr, aug, seed), abs=exact)
    assert len(found.runs) == len(list(TRUTH.runs()))

    write_folder(found, out)
    tables.gather(out)
    cells = Cells.of(load_results(out))
    verdicts = judge(cells.trials, cells.design, cells.rule).verdicts
    assert verdicts == {"lr": "harms", "aug": "equivalent"}


@pytest.mark.parametrize(
    "name", [name for name in QUESTIONS if (STORES / f"{name}.tar.gz").exists()]
)
def test_a_store_of_another_program_has_its_planted_claims(name: str, tmp_path: Path) -> None:
    with tarfile.open(STORES / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path / name, filter="data")
    assert (tmp_path / name / "versions.txt").exists()
    judged_rightly(name, tmp_path / name, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(QUESTIONS))
def test_the_installed_programs_still_write_what_is_read(name: str, tmp_path: Path) -> None:
    if not MAKE.installed(name):
        pytest.skip(f"{' and '.join(MAKE.PROGRAMS[name])} isn't installed")
    MAKE.make(name, tmp_path / name)
    judged_rightly(name, tmp_path / name, tmp_path / "out")


def test_folders_without_numbers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "run" / ".hydra").mkdir(parents=True)
    (tmp_path / "run" / ".hydra" / "config.yaml").write_text("lr: 0.1\n")
    with pytest.raises(StudyError, match="no folder in it holds numbers of a run"):
        read_source(Question(str(tmp_path)))
    (tmp_path / "run" / "metrics.json").write_text("{")
    with pytest.raises(StudyError, match=r"metrics\.json: can't be read"):
        read_source(Question(str(tmp_path)))


def test_options_that_need_code_to_be_read_are_left_out(tmp_path: Path) -> None:
    run = tmp_path / "version_0"
    run.mkdir()
    (run / "hparams.yaml").write_text(
        "lr: 0.1\nobject: !!python/object/apply:os.system [touch stolen]\n"
    )
    (run / "metrics.csv").write_text("epoch,step,val_error\n0,1,0.5\n1,2,\n1,2,0.4\n")
    (found,) = read_source(Question(str(tmp_path))).runs
    assert found.values == {"lr": "0.1", "folder": "version_0"}
    assert found.curves["val_error"] == ((1, 0.5), (2, 0.4))
    assert not list(tmp_path.rglob("stolen"))


def test_what_a_folder_is_named_is_an_option(tmp_path: Path) -> None:
    for name in ("lr=0.1,seed=1", "lr=1e-3_seed=2", "optimizer.lr=0.5;seed=3"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text('{"val_error": 0.5}')
    values = [run.values for run in read_source(Question(str(tmp_path))).runs]
    assert [(v.get("lr") or v["optimizer.lr"], v["seed"]) for v in values] == [
        ("0.1", "1"),
        ("1e-3", "2"),
        ("0.5", "3"),
    ]
