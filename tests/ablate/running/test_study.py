"""Whole studies of the trivial trainer, inline: outcomes, faults, going on, tables."""

import csv
import json
import os
import resource
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ablate.commands.results import one_trial
from ablate.results import tables
from ablate.results.report import write_reports
from ablate.results.status import study_status
from ablate.running.study import StudyResult, run_study
from ablate.study.nouns import Factor, StudyError
from ablate.tracking.server import server
from ablate.trial import trial_file
from benchmarks.toy_study import BARE, TRAINER, toy_plan


def run(
    out: Path, workers: int = 0, options: dict[str, object] | None = None, **plan: object
) -> StudyResult:
    settings = {
        "workers": workers,
        "trainer": TRAINER,
        "report": False,
        "tracking_uri": "none",
        "quiet": True,
    }
    return run_study(toy_plan(**plan), out, **settings | (options or {}))  # type: ignore[arg-type]


def rows(result: StudyResult) -> dict[str, dict[str, str]]:
    text = (result.folder / "trials.csv").read_text(encoding="utf-8")
    return {
        f"{row['level.weight']}/{row['seed']}": row for row in csv.DictReader(text.splitlines())
    }


def history(result: StudyResult) -> pd.DataFrame:
    table = pd.read_parquet(result.folder / "history.parquet").astype(
        {"trial_id": str, "name": str}
    )
    return table[~table["name"].str.startswith("time/")]


def test_all_trials_finish_and_the_tables_say_so(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 0
    assert [one.status for one in result.results] == ["finished"] * 4
    assert {row["status"] for row in rows(result).values()} == {"finished"}
    table = history(result)
    steps = table[table["name"] == "loss/total_generator"].groupby("trial_id")["step"].apply(list)
    assert all(found == list(range(1, 11)) for found in steps)
    assert set(table[table["name"] == "metric/mixed_l1"]["step"]) == {0, 5, 10}


def test_the_second_run_does_nothing(tmp_path: Path) -> None:
    first = run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*") if path.is_file()}
    second = run(tmp_path)
    assert second.exit_code == 0
    assert {
        p: p.stat().st_mtime_ns
        for p in first.folder.rglob("*")
        if p.is_file() and p.name != ".lock"
    } == {path: time for path, time in before.items() if path.name != ".lock"}


def test_more_seeds_run_only_what_is_new(tmp_path: Path) -> None:
    first = run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("history.jsonl")}
    second = run(tmp_path, seeds=3)
    assert len(second.results) == 6
    after = {path: path.stat().st_mtime_ns for path in first.folder.rglob("history.jsonl")}
    assert len(after) == 6
    assert {path: after[path] for path in before} == before


def test_divergence_is_an_outcome_and_never_run_again(tmp_path: Path) -> None:
    result = run(tmp_path, planted={"on/1": {"fault": "infinity", "at": 7}})
    assert result.exit_code == 0
    row = rows(result)["on/1"]
    assert row["status"] == "diverged"
    assert row["metric.mixed_l1"] == ""
    assert "loss/adversarial" in row["error"]
    assert row["steps_done"] == "6"
    again = run(tmp_path, planted={"on/1": {"fault": "infinity", "at": 7}})
    assert len(trial_file.read(again.results[-1].folder)["attempts"]) == 1


def test_a_bug_is_a_failed_row_and_the_others_finish(tmp_path: Path) -> None:
    result = run(tmp_path, planted={"on/0": {"fault": "bug", "at": 3}})
    assert result.exit_code == 1
    found = rows(result)
    assert found["on/0"]["status"] == "failed"
    assert "planted bug" in found["on/0"]["error"]
    assert [row["status"] for row in found.values()].count("finished") == 3
    (failed,) = (one for one in result.results if one.status == "failed")
    assert failed.fault == "bug"
    assert "ValueError: planted bug" in (failed.folder / "traceback.txt").read_text()


def test_a_mended_bug_goes_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    run(tmp_path, planted={"on/0": {"fault": "bug", "at": 7}})
    result = run(tmp_path)
    assert result.exit_code == 0
    documents = [trial_file.read(one.folder) for one in result.results]
    attempts = {d["trial_id"]: [a.get("resumed_at") for a in d["attempts"]] for d in documents}
    assert sorted(map(len, attempts.values())) == [1, 1, 1, 2]
    assert [None, 6] in attempts.values()
    pd.testing.assert_frame_equal(
        history(result).drop(columns="attempt").reset_index(drop=True),
        history(run(tmp_path / "undisturbed")).drop(columns="attempt").reset_index(drop=True),
        check_exact=True,
    )


def test_what_is_no_part_of_a_trial_reaches_it_when_it_goes_on(tmp_path: Path) -> None:
    """A failed trial whose data have moved: same id, and its worker on Ray reads the new place."""
    run(tmp_path, seeds=1, planted={"on/0": {"fault": "bug", "at": 7}})
    result = run(tmp_path, seeds=1, workers=1)
    assert result.exit_code == 0
    assert "fault" not in trial_file.read(result.results[-1].folder)["config"]["data"]


def test_a_plan_that_differs_in_words_only_is_written_anew(tmp_path: Path) -> None:
    """Levels in another order have another reference, though no trial and so no hash changed."""
    options = {"workers": 0, **BARE}
    plan = toy_plan(seeds=1)
    folder = run_study(plan, tmp_path, **options).folder
    (factor,) = plan.spec.factors
    turned = Factor(factor.name, dict(reversed(factor.levels.items())))
    other = replace(plan, spec=replace(plan.spec, factors=(turned,)), reference={"weight": "on"})
    run_study(other, tmp_path, **options)
    assert json.loads((folder / "plan.json").read_text())["reference"] == {"weight": "on"}


def test_a_run_that_has_nothing_to_do_leaves_the_report_alone(tmp_path: Path) -> None:
    options = {
        "workers": 0,
        **BARE,
        "report": True,
        "tracking_uri": f"sqlite:///{tmp_path / 'mlflow.db'}",
    }
    page = run_study(toy_plan(), tmp_path, **options).folder / "report" / "index.html"
    before = page.read_bytes(), page.stat().st_mtime_ns
    run_study(toy_plan(), tmp_path, **options)
    assert (page.read_bytes(), page.stat().st_mtime_ns) == before


def test_runs_of_others_in_the_same_experiment_are_left_alone(tmp_path: Path) -> None:
    """Another machine may run more seeds of the study on the same server; what a dead command left
    here is ended."""
    import mlflow

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    options = {"workers": 0, **BARE, "tracking_uri": uri}
    folder = run_study(toy_plan(seeds=1), tmp_path, **options).folder
    client = mlflow.MlflowClient(uri)
    (experiment,) = [one for one in client.search_experiments() if one.name == "toy"]
    theirs, left = (
        client.create_run(
            experiment.experiment_id, tags={"role": "trial", "trial_id": id_}
        ).info.run_id
        for id_ in ("feed00000000", "dead00000000")
    )
    (folder / "trials" / "dead00000000").mkdir()
    run_study(toy_plan(seeds=2), tmp_path, **options)
    assert client.get_run(theirs).info.status == "RUNNING"
    assert client.get_run(left).info.status == "KILLED"


def test_tables_are_gathered_again_when_a_trial_has_written_more(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert tables.up_to_date(result.folder)
    with (result.results[0].folder / "history.jsonl").open("ab") as journal:
        journal.write(b"\n")
    assert not tables.up_to_date(result.folder)


def test_a_report_is_current_by_content_and_not_by_time(tmp_path: Path) -> None:
    """The clock was ahead when the report was made; then the question changes."""
    folder = run(tmp_path, options={"report": True}).folder
    later = time.time() + 1e6
    for file in folder.rglob("*"):
        os.utime(file, (later, later))
    assert tables.up_to_date(folder)

    before = (folder / "report" / "index.html").stat().st_mtime
    run(tmp_path, options={"report": True})
    assert (folder / "report" / "index.html").stat().st_mtime == before

    plan = json.loads((folder / "plan.json").read_text())
    plan["question"] = "Another question?"
    (folder / "plan.json").write_text(json.dumps(plan))
    os.utime(folder / "plan.json", (0, 0))
    assert not tables.up_to_date(folder)


@pytest.mark.parametrize("name", ["trials.csv", "history.parquet"])
def test_damaged_tables_are_gathered_again(tmp_path: Path, name: str) -> None:
    result = run(tmp_path)
    whole = (result.folder / name).read_bytes()
    (result.folder / name).write_text("garbage")
    run(tmp_path)
    assert (result.folder / name).read_bytes() == whole


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    folder = run(tmp_path).folder
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match=r"--to: .*file: cannot be written: File exists"):
        write_reports([folder], tmp_path / "file", ["text"], ())
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("home")
    with pytest.raises(
        StudyError, match=r"--to: .*site: holds an index\.html that is no report of a study"
    ):
        write_reports([folder], tmp_path / "site", ["html"], ())
    assert (tmp_path / "site" / "index.html").read_text() == "home"
    for _ in range(2):  # a report of ours is written over
        assert (
            write_reports([folder], tmp_path / "report", ["html"], ()).files[0].name == "index.html"
        )
    shutil.rmtree(tmp_path / "report" / "data")  # it was interrupted
    assert write_reports([folder], tmp_path / "report", ["html"], ())


def test_the_same_error_three_times_stops_the_study_and_is_said_once(tmp_path: Path) -> None:
    result = run(tmp_path, seeds=3, data={"fault": "bug", "at": 2})
    assert result.exit_code == 1
    assert (
        sum("the first 3 trials failed with the same error" in line for line in result.messages)
        == 1
    )
    assert [one.status for one in result.results].count("planned") == 3


def test_fail_fast_stops_at_the_first(tmp_path: Path) -> None:
    result = run(
        tmp_path, planted={"off/0": {"fault": "bug", "at": 2}}, options={"fail_fast": True}
    )
    assert result.exit_code == 1
    assert [one.status for one in result.results] == ["failed", "planned", "planned", "planned"]


@pytest.mark.parametrize(("fault", "name"), [("missing", "data"), ("memory", "host_memory")])
def test_faults_have_their_class(tmp_path: Path, fault: str, name: str) -> None:
    result = run(tmp_path, seeds=1, planted={"on/0": {"fault": fault, "at": 2}})
    assert [one.fault for one in result.results] == [None, name]


def test_a_full_disk_stops_the_study_and_keeps_what_is_finished(tmp_path: Path) -> None:
    """The real refusal of the system: no file of this process may grow beyond a limit (EFBIG counts
    as full here)."""
    first = run(tmp_path, seeds=1)
    kept = (first.folder / "trials.csv").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        result = run(tmp_path / "full", seeds=1, steps=200, data={"values": 40})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert result.exit_code in (1, 3)
    assert {one.status for one in result.results} <= {"failed", "planned", "interrupted"}
    assert (first.folder / "trials.csv").read_bytes() == kept
    again = run(tmp_path / "full", seeds=1, steps=200, data={"values": 40})
    assert again.exit_code == 0


def test_damaged_documents_and_torn_histories_are_survived(tmp_path: Path) -> None:
    result = run(tmp_path)
    whole = history(result)
    one, other, *_ = result.results
    (one.folder / "trial.json").write_text('{"status": "fini')
    path = other.folder / "history.jsonl"
    path.write_bytes(
        path.read_bytes()[:-30]
    )  # a power cut: the end of the journal, and the last checkpoint, are lost
    (other.folder / "checkpoints" / "newest.json").write_text('{"step": 8}')
    document = trial_file.read(other.folder)
    trial_file.write(other.folder, {**document, "status": "running"})
    again = run(tmp_path)
    assert again.exit_code == 0
    assert [found.status for found in again.results] == ["finished"] * 4
    columns = ["trial_id", "step", "name", "value"]
    pd.testing.assert_frame_equal(
        history(again)[columns].reset_index(drop=True),
        whole[columns].reset_index(drop=True),
        check_exact=True,
    )


@pytest.mark.parametrize("left", [0.5, 0.0])
def test_a_finished_trial_whose_history_has_lost_lines_is_told_and_run_anew(
    tmp_path: Path, left: float
) -> None:
    result = run(tmp_path)
    whole = history(result)
    folder = result.results[0].folder
    journal = (folder / "history.jsonl").read_bytes()
    (folder / "history.jsonl").write_bytes(journal[: int(left * len(journal))])
    if not left:
        (folder / "history.jsonl").unlink()
    row = study_status(result.folder)[0]
    assert (row.status, row.step) == ("interrupted", 4 if left else 10)
    assert f"of {len(journal)} bytes are left" in str(row.error)
    assert not tables.up_to_date(result.folder)
    tables.gather(result.folder)
    assert pd.read_csv(result.folder / "trials.csv")["metric.mixed_l1"].isna().tolist() == [
        True,
        False,
        False,
        False,
    ]
    again = run(tmp_path)
    assert [found.status for found in again.results] == ["finished"] * 4
    assert (folder / "history.jsonl.damaged").exists() == bool(left)
    columns = ["trial_id", "step", "name", "value"]
    pd.testing.assert_frame_equal(history(again)[columns], whole[columns], check_exact=True)


def test_an_interrupted_trial_whose_history_ends_before_its_checkpoint_begins_anew(
    tmp_path: Path,
) -> None:
    result = run(tmp_path)
    whole = history(result)
    folder = result.results[0].folder
    (folder / "checkpoints" / "step_00000010.pt").touch()
    journal = (folder / "history.jsonl").read_bytes()
    (folder / "history.jsonl").write_bytes(journal[: len(journal) // 2])
    trial_file.write(folder, {**trial_file.read(folder), "status": "interrupted"})
    columns = ["trial_id", "step", "name", "value"]
    pd.testing.assert_frame_equal(history(run(tmp_path))[columns], whole[columns], check_exact=True)


def test_a_history_that_comes_back_is_as_good_as_ever(tmp_path: Path) -> None:
    result = run(tmp_path)
    path = result.results[0].folder / "history.jsonl"
    path.rename(tmp_path / "kept")
    assert study_status(result.folder)[0].status == "interrupted"
    tables.gather(result.folder)
    (tmp_path / "kept").rename(path)
    before = path.stat().st_mtime_ns
    assert study_status(result.folder)[0].status == "finished"
    assert run(tmp_path).exit_code == 0
    assert path.stat().st_mtime_ns == before


def test_a_damaged_document_is_told_and_spoils_no_other_row(tmp_path: Path) -> None:
    result = run(tmp_path)
    header = (result.folder / "trials.csv").read_text().partition("\n")[0]
    (result.results[0].folder / "trial.json").write_text('{"status": "fini')
    row = study_status(result.folder)[0]
    assert (row.status, row.error) == ("interrupted", "trial.json is damaged")
    tables.gather(result.folder)
    assert (result.folder / "trials.csv").read_text().partition("\n")[0] == header
    assert rows(result)["off/0"]["config.losses.long_recon"] == ""


def test_a_damaged_plan_is_told_and_written_again(tmp_path: Path) -> None:
    folder = run(tmp_path).folder
    plan = (folder / "plan.json").read_bytes()
    (folder / "plan.json").write_bytes(plan[:100])
    asked = (
        lambda: study_status(folder),
        lambda: write_reports([folder], None, ["text"], ()),
        lambda: one_trial(folder, "0"),
        lambda: server(folder, 0),
    )
    for ask in asked:
        with pytest.raises(StudyError, match=r"plan\.json: is damaged; `run` writes it again"):
            ask()
    run(tmp_path)
    assert (folder / "plan.json").read_bytes() == plan


def test_a_study_that_the_disk_cannot_hold_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablate.disk.room.LEAST_ROOM", 2**60)
    with pytest.raises(StudyError, match="left on the disk"):
        run(tmp_path)
    assert not list((tmp_path / "toy").glob("*.json"))


def test_a_finished_study_needs_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path)
    monkeypatch.setattr("ablate.disk.room.LEAST_ROOM", 2**60)
    assert run(tmp_path).exit_code == 0


@pytest.mark.parametrize("kept", [None, "notes.txt"])
def test_a_study_that_is_refused_leaves_nothing(tmp_path: Path, kept: str | None) -> None:
    if kept:
        (tmp_path / "toy").mkdir()
        (tmp_path / "toy" / kept).touch()
    with pytest.raises(StudyError, match="999 workers"):
        run(tmp_path / "new", options={"workers": 999})
    with pytest.raises(StudyError, match="999 workers"):
        run(tmp_path, options={"workers": 999})
    assert [path.name for path in tmp_path.rglob("*")] == (["toy", kept] if kept else [])


def test_two_commands_on_one_study(tmp_path: Path) -> None:
    from ablate.disk import locks

    run(tmp_path, seeds=1)
    with (
        locks.held(tmp_path / "toy" / ".lock", "study toy"),
        pytest.raises(StudyError, match="study toy"),
    ):
        run(tmp_path, seeds=2)
    assert len(list((tmp_path / "toy" / "trials").iterdir())) == 2


@pytest.mark.skipif(
    os.getuid() == 0 and not Path("/proc/1").exists(), reason="needs a path that cannot be written"
)
def test_an_output_folder_that_cannot_be_written_is_one_line() -> None:
    with pytest.raises(StudyError, match=r"--out: .*cannot be written"):
        run(Path("/proc/nothing"))


def test_status_follows_the_folders(tmp_path: Path) -> None:
    from ablate.results.status import study_status

    result = run(tmp_path, planted={"on/1": {"fault": "bug", "at": 6}})
    found = {row.label: row for row in study_status(result.folder)}
    assert found["ref · seed 0"].status == "finished"
    assert found["ref · seed 0"].step == found["ref · seed 0"].steps == 10
    failed = next(row for row in found.values() if row.status == "failed")
    assert "planted bug" in (failed.error or "")
    assert failed.metric is None, "its last value isn't its result"
    assert found["ref · seed 0"].metric is not None
    document = result.results[0].folder / "trial.json"
    document.write_text(json.dumps({**json.loads(document.read_text()), "status": "running"}))
    assert study_status(result.folder)[0].status == "interrupted", "its process is gone"


def test_an_inline_run_hides_gpus_and_leaves_the_callers_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "trainer": TRAINER,
        "report": False,
        "tracking_uri": "none",
        "quiet": True,
        "workers": 0,
    }
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    run_study(toy_plan(seeds=1, steps=2, data={"images": False}), tmp_path / "one", **options)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    run_study(toy_plan(seeds=1, steps=2, data={"images": False}), tmp_path / "other", **options)
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
