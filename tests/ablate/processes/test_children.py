"""What real child processes inherit of a hostile environment, and of the current folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.processes import children

USER = """
import json, sys
from ablate.processes import children
print(json.dumps([children.environment({})["PYTHONPATH"].split(":"), children.code_folders()]))
"""
"""A user's program, which prints what its child processes search, first and last."""

HOSTILE = {
    "PYTHONINSPECT": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONSTARTUP": "/no/such/file",
    "PYTHONIOENCODING": "utf-16",
    "PYTHONBREAKPOINT": "no.such",
    "RAY_ADDRESS": "127.0.0.1:6399",
    "RAY_NAMESPACE": "other",
    "RAY_RUNTIME_ENV_HOOK": "no.such",
    "RAY_TMPDIR": "/no/such/folder",
    "TUNE_RESULT_DIR": "/no/such/folder",
    "MLFLOW_RUN_ID": "abc",
    "MLFLOW_EXPERIMENT_ID": "77",
    "_MLFLOW_ANY": "1",
}
HARMLESS = {
    "PYTHONHASHSEED": "1",
    "MLFLOW_TRACKING_TOKEN": "secret",
    "MLFLOWLESS": "1",
    "LANG": "C",
}


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (HOSTILE | HARMLESS).items():
        monkeypatch.setenv(name, value)


def test_settings_for_other_programs_do_not_reach_our_processes(hostile: None) -> None:
    env = children.environment({"RAY_AUTH_MODE": "token"}, children.OF_MLFLOW)
    assert not set(HOSTILE) & set(env)
    assert HARMLESS.items() <= env.items()
    assert env["RAY_AUTH_MODE"] == "token"


def test_only_what_is_kept_is_inherited(hostile: None) -> None:
    assert "MLFLOW_TRACKING_TOKEN" not in children.environment({})
    assert children.environment({}, ("RAY_TMP",))["RAY_TMPDIR"] == "/no/such/folder"


def test_a_program_of_the_user_gets_the_users_environment(
    hostile: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ)
    ours = children.environment({"RAY_AUTH_TOKEN": "x", "CUDA_VISIBLE_DEVICES": ""})
    monkeypatch.setattr(os, "environ", ours | {"RAY_JOB_ID": "1"})
    assert children.users_environment() == before | {"CUDA_VISIBLE_DEVICES": ""}


def test_without_a_change_the_users_environment_is_this_one() -> None:
    assert children.users_environment() == dict(os.environ)


def test_a_child_never_imports_from_the_current_folder(tmp_path: Path) -> None:
    for name in ("ablate", "torch", "ray", "sitecustomize", "usercustomize", "json"):
        (tmp_path / f"{name}.py").write_text("print('PLANTED')")
    code = "import json, ablate.disk; print(sys.path)"
    for words in (["-c", f"import sys; {code}"], ["-m", "ablate.processes.children"]):
        env = children.environment({})
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "PLANTED" not in done.stdout
        assert str(tmp_path) not in done.stdout


def told(folder: Path, *words: str, pythonpath: str | None = None) -> tuple[list[str], list[str]]:
    """What the children of a user's program in a folder search, first and last."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if pythonpath is not None:
        env["PYTHONPATH"] = pythonpath
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    first, last = json.loads(done.stdout.splitlines()[0])
    return first, last


@pytest.mark.parametrize("words", [("study.py",), ("-m", "study")])
def test_the_folder_of_a_users_program_is_searched_last(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "study.py").write_text(USER)
    first, last = told(tmp_path, *words)
    assert str(tmp_path) not in first
    assert last == [str(tmp_path)]


def test_a_folder_in_pythonpath_is_searched_where_the_user_put_it(tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text(USER)
    other = tmp_path / "other"
    other.mkdir()
    first, _ = told(tmp_path, "study.py", pythonpath=f"{other}:{tmp_path}")
    assert first[:2] == [str(other), str(tmp_path)]


@pytest.mark.parametrize("given", [":{}", "{}:", "{}::"])
def test_an_empty_entry_of_pythonpath_is_not_the_current_folder(tmp_path: Path, given: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    first, last = told(tmp_path, "-c", USER, pythonpath=given.format(other))
    assert str(other) in first
    assert str(tmp_path) not in first
    assert not last
