"""Addresses of stores: what is used, what is refused, and that no message repeats a password."""

import json
import re
from pathlib import Path

import pytest

from ablate.study.nouns import StudyError
from ablate.tracking.store import reachable, recorded_address, tracking_address

SECRET = "s3cr"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("ftp://u:s3cr@h", "ftp://***@h: must be http"),
        ("u:s3cr@h", "***@h: must be http"),
        ("http://u:s3cr/x@h", "http://***@h: not a valid address; user name and password must"),
        ("http://u:9/s3cr@h", "http://***@h: not a valid address; user name and password must"),
        ("http://u:s3cr@h:port", "http://***@h:port: not a valid address"),
        ("http://[u:s3cr@h", "http://***@h: not a valid address"),
        ("http://", "http://: must be http"),
        ("sqlite:////tmp/50%.db", "sqlite:////tmp/50%.db: must name a file, without % and ?"),
    ],
)
@pytest.mark.parametrize("where", ["--tracking-uri", "MLFLOW_TRACKING_URI"])
def test_a_bad_address_is_refused_where_it_was_given(
    uri: str, message: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = uri
    if where == "MLFLOW_TRACKING_URI":
        monkeypatch.setenv(where, uri)
        given = None
    with pytest.raises(StudyError, match=re.escape(f"{where} {message}")) as refusal:
        tracking_address(Path("out"), given)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("postgresql+pg8000://u:s3cr@h/d", "module pg8000, which isn't installed. To install it"),
        ("mysql+nothing://u:s3cr@h/d", "mysql+nothing://***@h/d: Can't load plugin"),
    ],
)
def test_a_missing_driver_is_named_before_anything_starts(uri: str, message: str) -> None:
    with pytest.raises(StudyError, match=re.escape(message)) as refusal:
        reachable(tracking_address(Path("out"), uri))
    assert SECRET not in str(refusal.value)


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    problem = reachable("http://u:s3cr@127.0.0.1:9")
    assert problem is not None
    assert problem.startswith("the tracking server http://***@127.0.0.1:9 doesn't respond: ")
    assert problem.endswith("Connection refused")


def test_the_recorded_address_moves_with_the_folder_and_lacks_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "toy"
    folder.mkdir()
    assert tracking_address(tmp_path, None, recorded_address(folder)) == (
        f"sqlite:///{tmp_path / 'mlflow.db'}"
    )
    (folder / "tracking.json").write_text(json.dumps({"uri": "sqlite:////gone/mlflow.db"}))
    assert recorded_address(folder) == "sqlite:////gone/mlflow.db"
    (tmp_path / "mlflow.db").touch()
    assert recorded_address(folder) == f"sqlite:///{tmp_path / 'mlflow.db'}"
    (tmp_path / "mlflow.db").unlink()
    for beside, address in ((True, f"sqlite:///{tmp_path / 'mlflow.db'}"), (False, "sqlite:///g")):
        facts = {"uri": "sqlite:///g", "beside": beside}
        (folder / "tracking.json").write_text(json.dumps(facts))
        assert recorded_address(folder) == address
    (folder / "tracking.json").write_text(json.dumps({"uri": "http://***@h"}))
    with pytest.raises(StudyError, match="keeps no passwords; give the whole address"):
        tracking_address(tmp_path, None, recorded_address(folder))
