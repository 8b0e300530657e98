"""Real kills of real Ray studies: whatever dies, the same command goes on, and the tables are those
of a quiet run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psutil
import pytest

from ablate.trial import trial_file
from tests.ablate.running.toy_runs import (
    ROOT,
    STUDY,
    equal,
    family,
    finish,
    start,
    steps,
    wait_for,
)

pytestmark = pytest.mark.slow

DYING = """
import os, pathlib, signal
starts = pathlib.Path(__file__).with_name("starts")
with starts.open("a") as file:
    file.write("+")
if len(starts.read_text()) <= 5:
    os.kill(os.getpid(), signal.SIGKILL)
from benchmarks.trivial_trainer import train
"""


def running(out: Path) -> list[int]:
    """The processes of trials that run."""
    documents = [trial_file.read(path) for path in out.glob("toy/trials/*")]
    running = [one for one in documents if trial_file.status_of(one) == "running"]
    return [one["attempts"][-1]["pid"] for one in running]


def test_a_killed_worker_is_started_again_in_the_same_command(
    tmp_path: Path, quiet: pd.DataFrame
) -> None:
    process = start(tmp_path)
    wait_for(lambda: steps(tmp_path) > 8)
    # Not just any worker: one may be idle between two trials
    wait_for(lambda: running(tmp_path))
    psutil.Process(running(tmp_path)[0]).kill()
    finish(process)
    equal(tmp_path, quiet)
    attempts = [len(trial_file.read(path)["attempts"]) for path in tmp_path.glob("toy/trials/*")]
    assert sum(attempts) == 5


def test_the_driver_and_parts_of_ray_may_die_often_while_trials_get_further(
    tmp_path: Path, quiet: pd.DataFrame
) -> None:
    """Three deaths are more than the one retry, but trials get further between them."""
    process = start(tmp_path, sleep_s=0.25, quiet=False, max_retries=1)
    for who in ("ablate.running.ray_tune", "raylet/raylet", "gcs_server"):
        before = steps(tmp_path)
        wait_for(lambda before=before: steps(tmp_path) > before + 8)
        victim = family(process, who)[0]
        victim.kill()
        wait_for(lambda who=who, victim=victim: set(family(process, who)) - {victim})
    said = {line for line in finish(process).splitlines() if "Ray starts again for the" in line}
    assert len(said) == 3
    assert all("(1 of 1)" in line for line in said)
    equal(tmp_path, quiet)


def test_a_stopped_part_of_ray_goes_on_and_the_run_says_so(
    tmp_path: Path, quiet: pd.DataFrame
) -> None:
    process = start(tmp_path, sleep_s=0.8, quiet=False)
    wait_for(lambda: steps(tmp_path) > 8)
    family(process, "raylet/raylet")[0].suspend()
    family(process, "ray::ImplicitFunc")[0].suspend()
    said = finish(process)
    assert "Ray's raylet" in said
    assert "a worker" in said
    assert said.count("was stopped by a signal; it continues") >= 2
    equal(tmp_path, quiet)


def test_a_job_that_a_scheduler_ends_saves_its_state_and_is_taken_up(
    tmp_path: Path, quiet: pd.DataFrame
) -> None:
    """As Slurm does it: the signal reaches all processes of the job."""
    process = start(tmp_path, sleep_s=0.4, checkpoint_every=1000)
    wait_for(lambda: steps(tmp_path) > 8)
    for one in (psutil.Process(process.pid), *family(process, "")):
        one.send_signal(signal.SIGUSR1)
    finish(process, 130)
    ended = [trial_file.read(path) for path in tmp_path.glob("toy/trials/*")]
    done = [it["steps_done"] for it in ended if it["status"] == "interrupted"]
    assert done
    finish(start(tmp_path, checkpoint_every=1000, sleep_s=0.0, workers=0))
    again = [trial_file.read(path)["attempts"] for path in tmp_path.glob("toy/trials/*")]
    assert sorted(it[1]["resumed_at"] for it in again if len(it) > 1) == sorted(done)
    equal(tmp_path, quiet)


PLANTED = ("ablate", "torch", "ray", "numpy", "psutil", "g2g_core", "sitecustomize", "mlflow")
HOSTILE = {
    "RAY_ADDRESS": "127.0.0.1:6399",
    "RAY_NAMESPACE": "other",
    "RAY_TMPDIR": "/no/such/folder",
    "RAY_RUNTIME_ENV_HOOK": "no.such",
    "RAY_AUTH_MODE": "bogus",
    "RAY_AUTH_TOKEN_PATH": "/no/such/file",
    "RAY_OVERRIDE_RESOURCES": '{"CPU":0}',
    "RAY_raylet_start_wait_time_s": "0",
    "TUNE_RESULT_BUFFER_LENGTH": "garbage",
    "MLFLOW_RUN_ID": "abc",
    "MLFLOW_EXPERIMENT_ID": "77",
    "MLFLOW_LOGGING_LEVEL": "bogus",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "bogus",
    "PYTHONOPTIMIZE": "2",
    "PYTHONIOENCODING": "utf-16",
    "CUDA_VISIBLE_DEVICES": "7,8",
    "OMP_NUM_THREADS": "garbage",
    "TMPDIR": "/no/such/folder",
    "HOME": "/dev/null/home",
    "LC_ALL": "xx_YY.bogus",
}


def test_neither_the_current_folder_nor_settings_for_others_reach_a_run(
    tmp_path: Path, quiet: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    current, uri = tmp_path / "current", f"sqlite:///{tmp_path / 'mlflow.db'}"
    current.mkdir()
    for name in PLANTED:
        (current / f"{name}.py").write_text(f"open({str(tmp_path / 'planted')!r}, 'a').write('x')")
    with monkeypatch.context() as patch:
        for name, value in HOSTILE.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("PYTHONSAFEPATH", "1")  # for `python -m` of the test itself
        options = {**STUDY, "run": {"workers": 2, "tracking_uri": uri}}
        words = ("-m", "benchmarks.toy_study", str(tmp_path), json.dumps(options))
        done = subprocess.run([sys.executable, *words], cwd=current, capture_output=True)
    assert done.returncode == 0, done.stderr
    equal(tmp_path, quiet)
    assert not (tmp_path / "planted").exists()
    client = mlflow.MlflowClient(uri)
    (experiment,) = [one for one in client.search_experiments() if one.name == "toy"]
    assert len(client.search_runs([experiment.experiment_id])) == 5


def test_a_killed_command_leaves_nothing_running_and_goes_on(
    tmp_path: Path, quiet: pd.DataFrame
) -> None:
    process = start(tmp_path)
    wait_for(lambda: steps(tmp_path) > 8)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    finish(start(tmp_path))
    equal(tmp_path, quiet)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_how_to_go_on(
    tmp_path: Path, quiet: pd.DataFrame, number: signal.Signals
) -> None:
    process = start(tmp_path, quiet=False)
    wait_for(lambda: steps(tmp_path) > 8)
    process.send_signal(number)
    said = finish(process, 130)
    assert "To resume: " in said
    statuses = {trial_file.read(path)["status"] for path in tmp_path.glob("toy/trials/*")}
    assert statuses <= {"interrupted", "planned", "finished"}
    assert "interrupted" in statuses
    finish(start(tmp_path, sleep_s=0.0, workers=0))
    equal(tmp_path, quiet)


def test_tracking_stays_true_through_a_kill(tmp_path: Path, quiet: pd.DataFrame) -> None:
    import mlflow

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    process = start(tmp_path, tracking_uri=uri)
    wait_for(lambda: steps(tmp_path) > 20)
    process.kill()
    process.communicate()
    finish(start(tmp_path, sleep_s=0.0, workers=0, tracking_uri=uri))
    equal(tmp_path, quiet)
    client = mlflow.MlflowClient(uri)
    (experiment,) = [one for one in client.search_experiments() if one.name == "toy"]
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 5, "one run a trial for its whole life, and the study's"
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in runs:
        if run.data.tags["role"] == "trial":
            sent = client.get_metric_history(run.info.run_id, "loss/total_generator")
            assert sorted(metric.step for metric in sent) == list(range(1, 17))


def test_tracking_that_is_away_is_caught_up_later(tmp_path: Path, quiet: pd.DataFrame) -> None:
    """A real server on loopback is stopped in the middle, and started again after the study."""
    import mlflow

    from ablate.running.tracked import sync
    from ablate.tracking.process import all_sent
    from ablate.tracking.server import _free

    port, store = _free(0), tmp_path / "server.db"

    words = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        f"sqlite:///{store}",
        "--port",
        str(port),
    ]

    def serve() -> "subprocess.Popen[bytes]":
        server = subprocess.Popen(
            [*words, "--artifacts-destination", str(tmp_path / "artifacts"), "--workers", "1"],
            env={
                **os.environ,
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                "MLFLOW_DISABLE_TELEMETRY": "true",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(lambda: _answers(port))
        return server

    uri = f"http://someone:s3cret@127.0.0.1:{port}"
    server = serve()
    try:
        process = start(tmp_path, tracking_uri=uri)
        wait_for(lambda: steps(tmp_path) > 8)
        assert not family(process, "s3cret")
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        said = finish(process, 0)
        assert f"To send the rest, run: g2g-ablate sync {tmp_path / 'toy'}" in said
        assert "s3cret" not in said
        equal(tmp_path, quiet)
        server = serve()
        assert sync(tmp_path / "toy", uri) is None
        client = mlflow.MlflowClient(uri)
        (experiment,) = [one for one in client.search_experiments() if one.name == "toy"]
        runs = client.search_runs([experiment.experiment_id])
        assert {run.info.status for run in runs} == {"FINISHED"}
        assert len(runs) == 5
        ids = [path.name for path in (tmp_path / "toy/trials").iterdir()]
        assert all_sent(tmp_path / "toy", ids, uri)
        client.delete_run(runs[0].info.run_id)
        assert not all_sent(tmp_path / "toy", ids, uri)
        assert not [
            path
            for path in tmp_path.rglob("*")
            if path.is_file() and b"s3cret" in path.read_bytes()
        ]
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answers(port: int) -> bool:
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_trainer_that_no_worker_can_load_is_a_bug_and_not_a_death(tmp_path: Path) -> None:
    said = finish(start(tmp_path, trainer="no_such_module:train"), 1)
    assert "the first 3 trials failed with the same error: ModuleNotFoundError" in said
    documents = [trial_file.read(path) for path in tmp_path.glob("toy/trials/*")]
    failed = [document for document in documents if document["status"] == "failed"]
    assert len(failed) >= 3
    assert {document["fault"] for document in failed} == {"bug"}
    assert not any(document["attempts"] for document in documents)


def test_processes_that_die_before_their_trial_begins_cost_no_retry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a node that is gone and that Ray has not missed yet: the first five processes die as
    they load."""
    (tmp_path / "dying.py").write_text(DYING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    finish(start(tmp_path / "out", workers=1, max_retries=1, trainer="dying:train"))
    documents = [trial_file.read(path) for path in (tmp_path / "out").glob("toy/trials/*")]
    assert [document["status"] for document in documents] == ["finished"] * 4
    assert [len(document["attempts"]) for document in documents] == [1] * 4
    assert (tmp_path / "starts").read_text().startswith("+" * 6)
