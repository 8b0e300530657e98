"""Whatever was changed, moved, deleted, or shared: the next forwarder makes MLflow agree again.

A real study, forwarded in this process to a real store in a file. The store is made once and
copied, because MLflow takes seconds to make one.
"""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.running.study import run_study
from ablate.tracking.process import all_sent, content
from benchmarks.toy_study import BARE, toy_plan
from g2g_base import atomic

PLANTED = {"on/0": {"fault": "infinity", "at": 7}}
"""The trial that diverges after its evaluations of steps 0 and 5."""


def uri(folder: Path) -> str:
    return f"sqlite:///{folder.parent / 'mlflow.db'}"


def forward(folder: Path, address: str | None = None) -> None:
    from ablate.tracking.forwarder import Forwarder

    Forwarder(folder, address or uri(folder)).forward(last=True)
    facts = atomic.read_json(folder / "tracking.json")
    atomic.write_json(
        folder / "tracking.json", {**facts, "complete": True, "content": content(folder)}
    )


def runs(
    folder: Path, search: str | None = None, address: str | None = None, order: str = "ASC"
) -> list[Any]:
    """The runs of the list that was prepared for the folder, in its order."""
    from mlflow import MlflowClient

    from ablate.tracking.pages import trials_filter
    from ablate.tracking.runs import folder_tags

    facts = atomic.read_json(folder / "tracking.json")
    return list(
        MlflowClient(address or uri(folder)).search_runs(
            [facts["experiment_id"]],
            trials_filter(folder_tags(folder)["folder_id"]) if search is None else search,
            order_by=[f"metrics.`answer/mixed_l1` {order}"],
        )
    )


def ids(folder: Path) -> list[str]:
    return [trial["trial_id"] for trial in atomic.read_json(folder / "plan.json")["trials"]]


def set_clock_back(folder: Path) -> None:
    """Let the diverged trial end before its last record, as a clock that was set has it."""
    for path in folder.glob("trials/*/trial.json"):
        document = atomic.read_json(path)
        if document["status"] == "diverged":
            document["attempts"][-1]["ended"] -= 3600
            atomic.write_json(path, document)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("template")
    plan = toy_plan(planted=PLANTED, data={"images": False})
    folder = run_study(plan, out, **BARE, workers=0).folder
    set_clock_back(folder)
    forward(folder)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """The study and its store, in another place than they were made in."""
    shutil.copytree(template.parent, tmp_path / "out")
    return tmp_path / "out" / "toy"


def test_a_diverged_run_ranks_last(template: Path) -> None:
    listed = runs(template)
    assert [run.info.status for run in listed] == ["FINISHED", "FINISHED", "FINISHED", "FAILED"]
    assert math.isnan(listed[-1].data.metrics["answer/mixed_l1"])
    assert not math.isnan(listed[-1].data.metrics["metric/mixed_l1"])
    backwards = runs(template, order="DESC")
    assert [run.info.status for run in backwards] == ["FINISHED"] * 3 + ["FAILED"]


def test_sending_twice_changes_nothing(folder: Path) -> None:
    forward(folder)
    before = [str(run.to_dictionary()) for run in runs(folder)]
    histories = history(folder)
    forward(folder)
    assert [str(run.to_dictionary()) for run in runs(folder)] == before
    assert history(folder) == histories
    assert all_sent(folder, ids(folder), uri(folder))


def history(folder: Path) -> list[list[tuple[int, str]]]:
    from mlflow import MlflowClient

    client = MlflowClient(uri(folder))
    return [
        [(one.step, str(one.value)) for one in client.get_metric_history(run.info.run_id, name)]
        for run in runs(folder)
        for name in ("answer/mixed_l1", "loss/total_generator")
    ]


@pytest.mark.parametrize("old_place", ["stays", "is gone"])
def test_a_moved_store_takes_its_artifacts_along(
    folder: Path, template: Path, tmp_path: Path, old_place: str
) -> None:
    from mlflow import MlflowClient

    place = template.parent
    if old_place == "is gone":
        forward(folder)
        place = folder.parent
        folder = folder.parent.rename(tmp_path / "elsewhere") / "toy"
    before = sorted(place.rglob("*"))
    forward(folder)
    client = MlflowClient(uri(folder))
    for run in runs(folder, ""):
        assert run.info.artifact_uri.startswith(folder.parent.as_uri())
        assert client.list_artifacts(run.info.run_id)
    created = client.create_run(run.info.experiment_id)
    assert created.info.artifact_uri.startswith(folder.parent.as_uri())
    assert sorted(place.rglob("*")) == before


def test_renamed_factors_and_levels_are_those_of_the_tags(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    renamed = json.loads(json.dumps(plan).replace('"weight"', '"dose"').replace('"on"', '"1e-1"'))
    forward(folder)
    assert all_sent(folder, ids(folder), uri(folder))
    (folder / "plan.json").write_text(json.dumps(renamed))
    assert not all_sent(folder, ids(folder), uri(folder))
    forward(folder)
    listed = runs(folder)
    assert len(listed) == 4
    for run in listed:
        tags = run.data.tags
        assert {key for key in tags if key.startswith("factor.")} == {"factor.dose"}
        assert tags["earlier_names"] == "weight"
        assert tags["arm_code"] in ("ref", "dose=1e-1")
        assert run.info.run_name == f"{tags['arm_code']} · seed {tags['seed']}"
        assert run.data.params["dose"] == tags["factor.dose"]


def test_a_renamed_study_has_its_new_name_in_its_run(folder: Path) -> None:
    forward(folder)
    other = folder.rename(folder.with_name("other"))
    plan = other / "plan.json"
    atomic.write_json(plan, {**atomic.read_json(plan), "name": "other"})
    forward(other)
    (study,) = runs(other, 'tags.role = "study"')
    assert study.info.run_name == "study: other"


def test_two_people_with_one_store_have_their_own_runs(folder: Path, tmp_path: Path) -> None:
    """Equal names of study and trials, other labels, other numbers."""
    forward(folder)
    data = {"images": False, "noise": 0.02}
    theirs = run_study(toy_plan(data=data), tmp_path / "their", **BARE, workers=0).folder
    text = (theirs / "plan.json").read_text()
    (theirs / "plan.json").write_text(text.replace('"on"', '"yes"'))
    forward(theirs, uri(folder))
    for one, label in ((folder, "on"), (theirs, "yes")):
        listed = runs(one, address=uri(folder))
        assert {run.data.params["weight"] for run in listed} == {"off", label}
        assert len(listed) == 4
        for run in listed:
            journal = one / "trials" / run.data.tags["trial_id"] / "history.jsonl"
            last = json.loads(journal.read_text().splitlines()[-1])["values"]
            if run.info.status == "FINISHED":
                assert run.data.metrics["metric/mixed_l1"] == last["metric/mixed_l1"]
    studies = runs(folder, 'tags.role = "study"')
    assert [run.info.status for run in studies] == ["FINISHED"] * 2


@pytest.mark.parametrize("prefix", ["metric/", "time/"])
def test_other_numbers_get_a_new_run(folder: Path, prefix: str) -> None:
    """A trial was trained again from nothing, and its numbers differ, or only its times."""
    journal = folder / "trials" / ids(folder)[0] / "history.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        line["values"] = {
            name: value + 1.0 if name.startswith(prefix) else value
            for name, value in line["values"].items()
        }
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    forward(folder)
    assert len(runs(folder)) == 4
    if prefix == "time/":
        assert not runs(folder, 'tags.role = "former"')
        return
    (former,) = runs(folder, 'tags.role = "former"')
    (current,) = [run for run in runs(folder) if run.data.tags["trial_id"] == ids(folder)[0]]
    difference = current.data.metrics["answer/mixed_l1"] - former.data.metrics["answer/mixed_l1"]
    assert difference == pytest.approx(1.0)


@pytest.mark.parametrize("what", ["run", "study run", "experiment", "renamed", "notes", "tags"])
def test_what_was_deleted_comes_back(folder: Path, what: str) -> None:
    from mlflow import MlflowClient

    forward(folder)
    client = MlflowClient(uri(folder))
    facts = atomic.read_json(folder / "tracking.json")
    experiment = facts["experiment_id"]
    if what == "run":
        client.delete_run(runs(folder)[0].info.run_id)
    elif what == "study run":
        client.delete_run(facts["study_run_id"])
    elif what == "experiment":
        client.delete_experiment(experiment)
    elif what == "renamed":
        client.rename_experiment(experiment, "mine")
    else:
        for run in runs(folder, "") if what == "tags" else ():  # As versions before 0.2 left them
            client.delete_tag(run.info.run_id, "folder")
            client.delete_tag(run.info.run_id, "folder_id")
        for path in (folder / "tracking.json", *folder.glob("trials/*/mlflow.json")):
            path.unlink()
    if what != "renamed":
        assert not all_sent(folder, ids(folder), uri(folder))
    forward(folder)
    after = atomic.read_json(folder / "tracking.json")
    assert after["experiment_id"] == experiment
    assert (after["run_ids"] == facts["run_ids"]) == (what != "run")
    assert sorted(run.data.tags["trial_id"] for run in runs(folder)) == sorted(ids(folder))
    assert len([run for run in runs(folder, "") if run.data.tags["role"] == "study"]) == 1
    assert all_sent(folder, ids(folder), uri(folder))


def test_a_trial_that_left_the_plan_leaves_the_lists(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    whole = plan["trials"]
    (folder / "plan.json").write_text(json.dumps({**plan, "trials": whole[1:]}))
    forward(folder)
    assert len(runs(folder)) == 3
    (folder / "plan.json").write_text(json.dumps({**plan, "trials": whole}))
    forward(folder)
    assert len(runs(folder)) == 4


def test_a_run_that_is_deleted_meanwhile_holds_up_no_other(folder: Path) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    from ablate.tracking.forwarder import Forwarder

    forward(folder)
    for path in folder.glob("trials/*/mlflow.json"):
        atomic.write_json(path, {"run_id": atomic.read_json(path)["run_id"]})
    forwarder = Forwarder(folder, uri(folder))
    forwarder._connected()
    MlflowClient(uri(folder)).delete_run(forwarder.runs[ids(folder)[0]].info.run_id)
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        forwarder.forward(last=True)
    sent = [atomic.read_json(folder / "trials" / id_ / "mlflow.json") for id_ in ids(folder)]
    assert ["sent" in notes for notes in sent] == [False, True, True, True]
    forwarder.forward(last=True)
    assert len(runs(folder)) == 4


@pytest.mark.parametrize("name", ["50%20x?y", "a#b 'c' \"d\" ü"])
def test_any_folder_name_works(
    name: str, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # Which the forwarder changes
    out = tmp_path / name
    shutil.copytree(template.parent, out)
    forward(out / "toy")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(list((out / "mlartifacts" / "toy").iterdir())) == 5
    assert all_sent(out / "toy", ids(out / "toy"), uri(out / "toy"))


@pytest.mark.slow
def test_the_command_sends_what_is_missing(folder: Path) -> None:
    from mlflow import MlflowClient

    forward(folder)
    MlflowClient(uri(folder)).delete_run(runs(folder)[0].info.run_id)
    done = CliRunner().invoke(app, ["sync", str(folder), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["behind"] is None
    assert len(runs(folder)) == 4
    assert all_sent(folder, ids(folder), uri(folder))
    for id_ in ids(folder):
        run_id = atomic.read_json(folder / "trials" / id_ / "mlflow.json")["run_id"]
        assert atomic.read_json(folder / "trials" / id_ / "trial.json")["mlflow_run_id"] == run_id
        assert run_id in (folder / "trials.csv").read_text()
