"""Addresses of stores: what is used, what is refused, and that no message repeats a password."""

import http.server
import json
import re
import threading
from pathlib import Path

import pytest

from ablate.study.nouns import StudyError
from ablate.tracking.store import reachable, recorded_address, server_holds, tracking_address, why

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
        ("sqlite:////tmp", "sqlite:////tmp: /tmp is a folder; the store must be a file"),
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


@pytest.mark.parametrize(
    ("status", "answer", "holds"),
    [
        (200, {"runs": [{"info": {"run_id": "a"}}, {"info": {"run_id": "b"}}]}, True),
        (200, {"runs": [{"info": {"run_id": "a"}}]}, False),
        (200, {}, False),
        (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}, False),
        (401, {}, True),
        (503, {}, True),
    ],
)
def test_a_server_is_asked_once_for_its_runs(
    status: int, answer: dict[str, object], holds: bool
) -> None:
    """Only an answer without a run says that somebody has deleted it."""
    asked = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://u:{SECRET}@127.0.0.1:{server.server_port}"
        assert server_holds(address, "7", ["a", "b"]) is holds
    ((path, login, question),) = asked
    assert path == "/api/2.0/mlflow/runs/search"
    assert login == "Basic dTpzM2Ny"
    assert question["experiment_ids"] == ["7"]
    assert question["filter"] == "attributes.run_id IN ('a', 'b')"


def test_a_server_that_is_away_counts_as_one_that_has_everything() -> None:
    assert server_holds("http://127.0.0.1:9", "7", ["a"])


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


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            "(raised as a result of Query-invoked autoflush; consider more)\n"
            "(sqlite3.OperationalError) database is locked\n[SQL: INSERT INTO m VALUES (?)]",
            "database is locked",
        ),
        ("(builtins.OSError) no room [SQL: x] [parameters: ('s3cr',)]", "no room"),
        ("connection to u:s3cr@h refused", "connection to ***@h refused"),
    ],
)
def test_the_error_of_a_database_is_its_own_words(problem: str, words: str) -> None:
    assert why(Exception(problem), "postgresql://u:s3cr@h/d") == words
