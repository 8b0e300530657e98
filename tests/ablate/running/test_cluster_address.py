"""Addresses of Ray clusters: which are refused, how soon, and with which exit code."""

import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ablate.running import cluster
from ablate.running.cluster import cluster_address, cluster_problem
from ablate.running.study import run_study
from ablate.study.nouns import StudyError
from benchmarks.toy_study import BARE, toy_plan

RAY_2_60 = bytes.fromhex("000018040000000000 000400400000 000500400000 000600004000 fe0300000001")
"""The first bytes that Ray 2.60's gcs_server sends to a client."""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        *(
            (text, "must be host:port, ray://host:port, or auto")
            for text in (
                "",
                "name",
                "name:x",
                ":1",
                "::1",
                "name:0",
                "name:70000",
                "local",
                "a b:1",
                "http://127.0.0.1:1",
            )
        ),
        ("auto", "no Ray cluster was started on this machine with ray start"),
    ],
)
def test_an_address_of_no_kind_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(StudyError, match=re.escape(f"--address {address}: {why}")):
        run_study(toy_plan(), tmp_path / "out", workers=1, address=address, **BARE)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a socket that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def web() -> Iterator[str]:
    """The address of a web server, such as that of MLflow or of Ray's own dashboard."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def says(*parts: bytes, pause_s: float = 0.0) -> str:
    """The address of a server that sends these bytes to whoever comes, and closes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError), closing(server), server.accept()[0] as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_s)
            connection.recv(100)

    threading.Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{server.getsockname()[1]}"


def test_no_cluster_at_the_address_ends_a_run_with_3_and_leaves_nothing(
    tmp_path: Path, web: str
) -> None:
    result = run_study(toy_plan(), tmp_path / "out", workers=1, address=web, **BARE)
    assert result.exit_code == 3
    assert result.messages == (
        f"--address {web}: no Ray cluster answers there: the server there isn't Ray's; "
        "nothing was started",
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("no-such-host.invalid:6379", ""),
        ("a..b:6379", "there is no such host"),
        ("x" * 70 + ":6379", "there is no such host"),
    ],
)
def test_nobody_at_the_address(address: str, problem: str) -> None:
    began = time.monotonic()
    said = cluster_problem(address)
    assert said is not None
    assert problem in said
    assert time.monotonic() - began < 10


def test_a_server_that_never_answers_has_a_limited_time(silent: str) -> None:
    assert cluster_problem(silent, 0.2) == "no answer within 0.2 s"
    assert cluster.WAIT_S < 10


def test_a_server_that_drips_its_answer_has_no_more_time() -> None:
    began = time.monotonic()
    drops = [b"\0"] * 20
    assert cluster_problem(says(*drops, pause_s=0.1), 0.3) == "no answer within 0.3 s"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"-ERR unknown command\r\n", b"\0\0\x18\x07\0\0\0\0\0"],
)
def test_a_server_that_speaks_otherwise_is_not_ray(answer: bytes) -> None:
    assert cluster_problem(says(answer)) == "the server there isn't Ray's"


def test_a_certificate_that_is_missing_is_named(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_USE_TLS", "1")
    monkeypatch.setenv("RAY_TLS_SERVER_CERT", "/no/such/file")
    monkeypatch.setenv("RAY_TLS_SERVER_KEY", "/no/such/file")
    assert cluster_problem(silent) == "No such file or directory"


def test_auto_is_the_cluster_that_ray_start_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    for given in ("auto", ""):
        address = says(RAY_2_60[:5], RAY_2_60[5:], pause_s=0.05)
        (tmp_path / "ray/ray_current_cluster").write_text(f"{address}\n")
        assert cluster_address(given or address) == address


def test_a_server_for_ray_clients_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.util, "find_spec", lambda _: None)
    with pytest.raises(StudyError, match="ray:// needs the package grpcio"):
        cluster_address("ray://127.0.0.1:10001")
