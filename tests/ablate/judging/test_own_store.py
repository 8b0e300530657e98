"""A study of this package, judged from its MLflow store alone, has the verdicts of its report."""

from dataclasses import replace
from pathlib import Path

import pytest

from ablate.disk.folder import StudyFolder
from ablate.judging.judge import judge
from ablate.judging.matching import match
from ablate.judging.question import AskedFactor, Question
from ablate.judging.source import read_source
from ablate.judging.writing import write_folder
from ablate.planning.plan_file import read_plan
from ablate.results import tables
from ablate.study.nouns import StudyError
from ablate.trial import trial_file
from reports import analyse, load_results


def stored(folder: Path, store: Path) -> None:
    """Send a study's trials to an MLflow store, as `run` does."""
    from mlflow import MlflowClient

    from ablate.tracking.trial import TrialForwarder

    client = MlflowClient(f"sqlite:///{store}")
    plan = read_plan(folder)
    client.create_experiment("another")
    experiment = client.create_experiment(plan["name"], artifact_location=str(folder / "sent"))
    for planned in plan["trials"]:
        where = StudyFolder(folder).trial(planned["trial_id"])
        sent = TrialForwarder(client, client.create_run(experiment), where, plan, planned, new=True)
        sent.forward(trial_file.standing(where), last=True)
    client.create_run(experiment, tags={"role": "study"})
    client.create_run(client.get_experiment_by_name("another").experiment_id)


def test_a_study_judged_from_its_store_alone_has_its_verdicts(tmp_path: Path) -> None:
    table = tmp_path / "toy.csv"
    lines = ["lr,loss,seed,step,val_error"]
    for seed in range(4):
        for lr, loss, effect in (("low", "l1", 0), ("high", "l1", 0.4), ("low", "l2", 0.001)):
            end = "nan" if (lr, seed) == ("high", 3) else 0.5 + effect + (seed * 37 % 11) / 1000
            lines += [f"{lr},{loss},{seed},0,1.0", f"{lr},{loss},{seed},10,{end}"]
    table.write_text("\n".join(lines) + "\n")
    factors = {"lr": AskedFactor("lr", ("low", "high")), "loss": AskedFactor("loss")}
    question = Question(
        str(table), factors, "seed", {"metric": "val_error", "smallest_effect": 0.1}, "toy"
    )
    study = tmp_path / "toy"
    write_folder(match(question, read_source(question)), study)
    tables.gather(study)
    own = analyse(load_results(study))

    store = tmp_path / "mlflow.db"
    stored(study, store)
    before = store.read_bytes()
    asked = replace(question, source=str(store))
    with pytest.raises(StudyError, match="holds runs of 2 experiments; choose one by --where"):
        judge(asked, tmp_path / "none")
    judged = judge(
        replace(asked, where={"experiment": "toy", "role": "trial"}), tmp_path / "judged", ("csv",)
    )
    again = analyse(load_results(judged.folder))

    assert (
        again.judgement.verdicts == own.judgement.verdicts == {"lr": "harms", "loss": "equivalent"}
    )
    assert str(again.verdicts["effect"].tolist()) == str(own.verdicts["effect"].tolist())
    assert judged.matched.question.factors["lr"].column == "lr"
    assert judged.matched.judged["left_out"] == {
        "with another experiment than toy": 1,
        "with another role than trial": 1,
    }
    assert store.read_bytes() == before


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
    with pytest.raises(StudyError, match="is not an MLflow store that can be read"):
        read_source(Question(str(path)))
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(
        StudyError, match=r"is none of the sources that can be judged: .*an MLflow store"
    ):
        read_source(Question(str(text)))
